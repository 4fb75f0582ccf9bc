//! What an Express state machine cannot do.

use crate::definition::{Pattern, Target};

use super::report::Place;

pub(crate) fn check_resource(place: &Place<'_>, target: &Target) {
    match target {
        Target::Function | Target::Service { pattern: Pattern::RequestResponse, .. } => {}
        Target::Activity => place.error("Express state machine does not support Activity ARN"),
        // AWS's text has a blank too many at its end.
        Target::Service { pattern: Pattern::WaitForTaskToken, .. } => {
            place.error("Express state machine does not support '.waitForTaskToken' service integration ");
        }
        Target::Service { pattern: pattern @ (Pattern::Sync | Pattern::Sync2), .. } => {
            let suffix = pattern.suffix();
            place.error(format!("Express state machine does not support '{suffix}' service integration"));
        }
    }
}

pub(crate) fn report_distributed_map(place: &Place<'_>) {
    place.error("Express state machine does not support a Map state with 'Mode' DISTRIBUTED; use INLINE");
}

#[cfg(test)]
mod tests {
    use crate::definition::MachineType;
    use crate::definition::parse::tests::{check, check_as};

    fn task(resource: &str) -> String {
        format!(
            r#"{{"StartAt": "A", "States": {{"A": {{"Type": "Task", "Resource": "{resource}", "End": true}}}}}}"#
        )
    }

    #[test]
    fn express_machines_only_request_and_respond() {
        for (resource, message) in [
            (
                "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Express state machine does not support '.waitForTaskToken' service integration  at \
                 /States/A/Resource",
            ),
            (
                "arn:aws:states:::ecs:runTask.sync",
                "Express state machine does not support '.sync' service integration at /States/A/Resource",
            ),
            (
                "arn:aws:states:us-east-1:123456789012:activity:Work",
                "Express state machine does not support Activity ARN at /States/A/Resource",
            ),
        ] {
            check_as(MachineType::Express, &task(resource), &[message]);
            check(&task(resource), &[]);
        }
        check_as(MachineType::Express, &task("arn:aws:states:::lambda:invoke"), &[]);
    }

    #[test]
    fn express_rules_hold_in_express_children_of_a_map() {
        let map = |execution: &str| {
            format!(
                r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", "End": true, "ItemProcessor":
                    {{"ProcessorConfig": {{"Mode": "DISTRIBUTED", "ExecutionType": "{execution}"}}, "StartAt": "A",
                      "States": {{"A": {{"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync",
                                        "End": true}}}}}}}}}}}}"#
            )
        };
        check(&map("STANDARD"), &[]);
        check(
            &map("EXPRESS"),
            &["Express state machine does not support '.sync' service integration at \
                                  /States/M/ItemProcessor/States/A/Resource"],
        );
        check_as(
            MachineType::Express,
            &map("EXPRESS"),
            &[
                "Express state machine does not support a Map state with 'Mode' DISTRIBUTED; use INLINE at /States/M",
                "Express state machine does not support '.sync' service integration at \
             /States/M/ItemProcessor/States/A/Resource",
            ],
        );
    }
}
