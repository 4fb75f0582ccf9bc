//! UpdateStateMachineAlias: takes effect at once.

use engine::UpdateAlias;
use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::qualified;
use super::routing::Routing;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineAliasArn", TextRule::ARN)?;
    let description = fields.text("description", TextRule::DESCRIPTION)?;
    let routing = Routing::read(&mut fields)?;
    fields.finish()?;

    if description.is_none() && routing.is_none() {
        return Err(ApiError::validation_because(
            "MISSING_REQUIRED_PARAMETER",
            "Either the description or the routingConfiguration must be specified",
        ));
    }
    let (machine, name) = qualified::alias(&arn)?;
    let routes = match routing {
        Some(routing) => {
            let (of, routes) = routing.check()?;
            if of != machine {
                return Err(ApiError::validation_because(
                    "INVALID_ROUTING_CONFIGURATION",
                    format!(
                        "Routing configuration must contain versions of the alias's state machine, {machine}."
                    ),
                ));
            }
            Some(routes)
        }
        None => None,
    };
    let updated_at = app.engine().update_alias(UpdateAlias { machine, name, description, routes }).await?;
    Ok(json!({"updateDate": updated_at.as_epoch_seconds()}))
}
