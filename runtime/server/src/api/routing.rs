//! `routingConfiguration` of an alias: one version or two of one machine, with their weights.

use engine::Route;
use engine::arn::{StateMachineArn, StateMachineReference};
use serde_json::{Value, json};
use store::AliasRecord;

use super::error::ApiError;
use super::fields::{Fields, TextRule};

/// AWS service model: an alias leads to at most two versions.
const ROUTES_MAX: usize = 2;
const WEIGHT_MAX: u32 = 100;
const REASON: &str = "INVALID_ROUTING_CONFIGURATION";

/// The routes as the request has them, before they are checked against each other.
#[derive(Debug)]
pub(crate) struct Routing(Vec<(String, u32)>);

impl Routing {
    pub(crate) fn read(fields: &mut Fields) -> Result<Option<Routing>, ApiError> {
        let Some(list) = fields.bounded_list("routingConfiguration", 1, ROUTES_MAX)? else { return Ok(None) };
        let mut routes = Vec::new();
        for mut member in list {
            let arn = member.required_text("stateMachineVersionArn", TextRule::ARN)?;
            let weight = member.required_integer("weight", 0, WEIGHT_MAX)?;
            fields.absorb(member);
            routes.push((arn, weight));
        }
        Ok(Some(Routing(routes)))
    }

    pub(crate) fn read_required(fields: &mut Fields) -> Result<Routing, ApiError> {
        let routing = Routing::read(fields)?;
        if routing.is_none() {
            fields.missing("routingConfiguration");
        }
        Ok(routing.unwrap_or(Routing(Vec::new())))
    }

    /// The machine whose versions they are, and the routes.
    pub(crate) fn check(&self) -> Result<(StateMachineArn, Vec<Route>), ApiError> {
        let arns: Vec<&str> = self.0.iter().map(|(arn, _)| arn.as_str()).collect();
        let invalid = |rule: &str| {
            let message = format!("{rule} Received: [{}]", arns.join(", "));
            ApiError::validation_because(REASON, message)
        };
        let mut machines = Vec::new();
        let mut routes: Vec<Route> = Vec::new();
        for (arn, weight) in &self.0 {
            let StateMachineReference::Version { machine, version } = StateMachineReference::parse(arn)?
            else {
                return Err(invalid("Routing configuration must contain state machine version ARNs."));
            };
            machines.push(machine);
            routes.push(Route { version, weight: *weight });
        }
        if arns.len() > 1 && arns[0] == arns[1] {
            return Err(invalid("Routing configuration must contain distinct state machine version ARNs."));
        }
        let sum: u32 = routes.iter().map(|route| route.weight).sum();
        if sum != WEIGHT_MAX {
            let weights: Vec<String> = routes.iter().map(|route| route.weight.to_string()).collect();
            let weights = weights.join(", ");
            return Err(ApiError::validation_because(
                REASON,
                format!(
                    "Sum of routing configuration weights must equal {WEIGHT_MAX}. Received: [{weights}]"
                ),
            ));
        }
        let first = machines.swap_remove(0);
        if machines.iter().any(|machine| *machine != first) {
            return Err(invalid("Routing configuration must contain versions of one state machine."));
        }
        Ok((first, routes))
    }
}

/// `routingConfiguration` of an answer.
pub(crate) fn render(machine: &StateMachineArn, alias: &AliasRecord) -> Value {
    let route = |route: &Route| json!({"stateMachineVersionArn": machine.qualified(route.version), "weight": route.weight});
    alias.routes.iter().map(route).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: &str = "arn:aws:states:r:1:stateMachine:m";

    fn check(routes: &[(&str, u32)], expected: &str) {
        let routing = Routing(routes.iter().map(|(end, weight)| (format!("{M}{end}"), *weight)).collect());
        let actual = match routing.check() {
            Ok((machine, routes)) => format!("{} {}", machine.name(), routes.len()),
            Err(error) => error.message().replace(M, "M"),
        };
        assert_eq!(actual, expected);
    }

    #[test]
    fn routes_are_refused_in_the_recorded_words() {
        check(&[(":1", 100)], "m 1");
        check(&[(":1", 0), (":2", 100)], "m 2");
        check(
            &[(":1", 50), (":1", 50)],
            "Routing configuration must contain distinct state machine version ARNs. Received: [M:1, M:1]",
        );
        check(&[("", 100)], "Routing configuration must contain state machine version ARNs. Received: [M]");
        check(
            &[(":1", 70), (":2", 31)],
            "Sum of routing configuration weights must equal 100. Received: [70, 31]",
        );
        check(
            &[(":1", 70), ("2:1", 30)],
            "Routing configuration must contain versions of one state machine. Received: [M:1, M2:1]",
        );
    }
}
