//! UpdateStateMachine.

use engine::UpdateStateMachine;
use serde_json::json;
use store::Store;

use super::configuration::{Configuration, publish};
use super::definition;
use super::describe::{check_role, find_machine, machine_arn};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let text = fields.text("definition", TextRule::DEFINITION)?;
    let role_arn = fields.text("roleArn", TextRule::ARN)?;
    let configuration = Configuration::read(&mut fields)?;
    let publish = publish(&mut fields)?;
    fields.finish()?;

    if text.is_none() && role_arn.is_none() && configuration.is_empty() {
        return Err(ApiError::new(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be \
             specified",
        ));
    }
    let arn = machine_arn(&arn)?;
    if let Some(role_arn) = &role_arn {
        check_role(role_arn)?;
    }
    let machine = find_machine(app, &arn, arn.as_str()).await?;
    let definition = match text {
        Some(text) => {
            let definition = definition::check(&text, machine.kind)?;
            Some((text.into(), definition))
        }
        None => None,
    };
    let (logging, tracing, encryption) = configuration.into_changes();
    let request =
        UpdateStateMachine { arn: arn.clone(), definition, role_arn, logging, tracing, encryption, publish };
    let updated = app.engine().update_state_machine(request).await?;
    let mut answer = json!({"updateDate": updated.at.as_epoch_seconds()});
    if let Some(revision_id) = updated.revision_id {
        answer["revisionId"] = revision_id.into();
    }
    if let Some(version) = updated.version {
        answer["stateMachineVersionArn"] = arn.qualified(version).into();
    }
    Ok(answer)
}
