//! CreateStateMachine.

use engine::CreateStateMachine;
use engine::arn::is_valid_name;
use serde_json::json;
use store::Store;

use super::configuration::{Configuration, tags};
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
    let tags = tags(&mut fields)?;
    refuse_versions(&mut fields)?;
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
    };
    let created_at = app.engine().create_state_machine(request).await?;
    Ok(json!({"stateMachineArn": arn.as_str(), "creationDate": created_at.as_epoch_seconds()}))
}

/// `publish` and `versionDescription` belong to versions, which this server does not have yet.
pub(super) fn refuse_versions(fields: &mut Fields) -> Result<(), ApiError> {
    let publish = fields.flag("publish")?.unwrap_or(false);
    let description = fields.text("versionDescription", TextRule::DESCRIPTION)?;
    if publish {
        return Err(ApiError::validation(
            "Stepwell has no versions of state machines yet: leave out 'publish'.",
        ));
    }
    match description {
        Some(_) => Err(ApiError::validation("Version description can only be set when publish is true")),
        None => Ok(()),
    }
}
