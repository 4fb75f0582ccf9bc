//! CreateStateMachineAlias: the machine is that of the versions to which the alias leads.

use engine::CreateAlias;
use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::routing::Routing;
use crate::app::App;

/// AWS service model. An alias is never a number, which would be a version.
const NAME_PATTERN: &str = r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$";

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let name = fields.required_pattern("name", TextRule::NAME, NAME_PATTERN, is_alias_name)?;
    let description = fields.text("description", TextRule::DESCRIPTION)?;
    let routing = Routing::read_required(&mut fields)?;
    fields.finish()?;

    let (machine, routes) = routing.check()?;
    let arn = machine.qualified(&name);
    let created_at = app.engine().create_alias(CreateAlias { machine, name, description, routes }).await?;
    Ok(json!({"stateMachineAliasArn": arn, "creationDate": created_at.as_epoch_seconds()}))
}

fn is_alias_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    name.bytes().all(allowed) && name.bytes().any(|byte| !byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_no_number() {
        for name in ["live", "1.0", "a1", "-", "_"] {
            assert!(is_alias_name(name), "{name}");
        }
        for name in ["1", "007", "a b", "a:b", "ä", ""] {
            assert!(!is_alias_name(name), "{name}");
        }
    }
}
