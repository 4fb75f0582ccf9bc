//! Expressions in a state that runs: payload templates and JSONata.

use asl::definition::{MachineType, parse};
use asl::interpreter::Ending;
use asl::{Data, Timestamp};
use serde_json::{Value, json};

use super::expression_and_value;
use crate::runner::{self, Options};
use crate::worker::{Attempt, Workers};

const NOW: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);

/// The first line is the template, the rest the input.
pub(super) fn template(bytes: &[u8]) {
    let Some((template, input)) = expression_and_value(bytes) else { return };
    let Ok(template) = serde_json::from_str::<Value>(template) else { return };
    run(
        &json!({
            "StartAt": "A",
            "States": {
                "A": {
                    "Type": "Pass", "Parameters": template, "ResultPath": "$.made", "Assign": {"made": template},
                    "Next": "B"
                },
                "B": {"Type": "Pass", "InputPath": "$.made", "Parameters": template, "End": true}
            }
        }),
        input,
    );
}

/// The first line is the expression, the rest the input.
pub(super) fn jsonata(bytes: &[u8]) {
    let Some((expression, input)) = expression_and_value(bytes) else { return };
    let expression = format!("{{% {expression} %}}");
    run(
        &json!({
            "QueryLanguage": "JSONata", "StartAt": "A",
            "States": {
                "A": {"Type": "Pass", "Assign": {"made": expression}, "Next": "B"},
                "B": {"Type": "Succeed", "Output": {"made": expression}}
            }
        }),
        input,
    );
}

/// A machine without tasks ends, once, with an output within the limit or with a named error.
fn run(definition: &Value, input: Value) {
    let Some(definition) = parse(&definition.to_string(), MachineType::Standard).definition else { return };
    if !definition.unsupported().is_empty() {
        return;
    }
    let info = runner::info(Data::from(input), NOW);
    let outcome = runner::run(&definition, info, &mut Nobody, &Options::default());
    match outcome.ending.expect("nothing waits") {
        Ending::Succeeded { output } => assert!(output.size() <= asl::limits::PAYLOAD_BYTES_MAX),
        Ending::Failed(reason) => assert!(reason.error.is_some(), "{reason:?}"),
        other @ (Ending::TimedOut(_) | Ending::Aborted(_)) => panic!("{other:?}"),
    }
}

struct Nobody;

impl Workers for Nobody {
    fn attempt(&mut self, request: &asl::interpreter::TaskRequest) -> Attempt {
        panic!("there is no task: {request:?}")
    }
}
