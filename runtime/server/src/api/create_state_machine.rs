//! CreateStateMachine.

use engine::CreateStateMachine;
use engine::arn::is_valid_name;
use serde_json::json;
use store::Store;

use super::configuration::{Configuration, publish, tags};
use super::definition;
use super::describe::{KINDS, check_role};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let name = fields.required_text("name", TextRule::NAME)?;
    let text = fields.required_text("definition", TextRule::DEFINITION)?;
    let role_arn = fields.required_text("roleArn", TextRule::ARN)?;
    let kind = fields.choice("type", KINDS)?.unwrap_or(engine::MachineKind::Standard);
    let configuration = Configuration::read(&mut fields)?.without_defaults();
    let publish = publish(&mut fields)?;
    let tags = tags(&mut fields)?;
    fields.finish()?;

    if !is_valid_name(&name) {
        return Err(ApiError::invalid_name(&name));
    }
    check_role(&role_arn)?;
    let definition = definition::check(&text, kind)?;
    let arn = app.state_machine_arn(&name)?;
    let request = CreateStateMachine {
        arn: arn.clone(),
        kind,
        text: text.into(),
        definition,
        role_arn,
        logging: configuration.logging,
        tracing: configuration.tracing,
        encryption: configuration.encryption,
        tags,
        publish,
    };
    let created = app.engine().create_state_machine(request).await?;
    let mut answer = json!({"stateMachineArn": arn.as_str(), "creationDate": created.at.as_epoch_seconds()});
    if let Some(version) = created.version {
        answer["stateMachineVersionArn"] = arn.qualified(version).into();
    }
    Ok(answer)
}
