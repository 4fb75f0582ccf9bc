//! Tasks that start an execution: what becomes of `states:startExecution` in each of its patterns.
//!
//! Whoever keeps executions starts the child in the same batch as the step that tells the task so. From then on
//! a task with `.sync` awaits the child's end, which comes as [`Event::ChildEnded`](super::Event::ChildEnded).

use serde_json::{Map, Value, json};

use crate::data::json::Data;
use crate::definition::{Pattern, StateKind, Target};

use super::child::ChildEnd;
use super::event::Ending;
use super::execution::{AttemptId, ExecutionId, RowId};
use super::history::ErrorOutput;
use super::stepper::Stepper;

impl Stepper<'_> {
    /// The child that an attempt asked for has been started; `answer` is what the service says of it.
    pub(super) fn child_started(
        &mut self,
        row: RowId,
        attempt: AttemptId,
        child: ExecutionId,
        answer: Data,
    ) -> bool {
        if self.awaited(row, attempt).is_none() {
            return false;
        }
        match self.pattern(row) {
            Some(Pattern::Sync | Pattern::Sync2) => {
                let is_submitted = self.task_submitted(row, attempt, answer);
                if is_submitted {
                    self.task_phase_mut(row).child = Some(child);
                }
                is_submitted
            }
            Some(Pattern::RequestResponse | Pattern::WaitForTaskToken) => {
                self.task_returned(row, attempt, Ok(answer), None)
            }
            // Neither a function nor an activity starts executions.
            None => false,
        }
    }

    /// The child that a task awaits has ended.
    pub(super) fn task_child_ended(&mut self, row: RowId, attempt: AttemptId, end: &ChildEnd) -> bool {
        if self.awaited(row, attempt).is_none_or(|task| task.child != Some(end.id)) {
            return false;
        }
        let is_json = self.pattern(row) == Some(Pattern::Sync2);
        self.task_phase_mut(row).child = None;
        self.task_ended(row, attempt, outcome(end, is_json), None)
    }

    fn pattern(&self, row: RowId) -> Option<Pattern> {
        let StateKind::Task(task) = &self.state_of(row).kind else { return None };
        match &task.resource.target {
            Target::Service { pattern, .. } => Some(*pattern),
            Target::Function | Target::Activity => None,
        }
    }
}

/// What `.sync` makes of a child's end: DescribeExecution's answer, as the result or as the cause. `.sync:2` has the
/// payloads of a result as JSON instead of text.
fn outcome(end: &ChildEnd, is_json: bool) -> Result<Data, ErrorOutput> {
    match &end.ending {
        Ending::Succeeded { output } => {
            let mut answer = described(end, "SUCCEEDED", &ErrorOutput::default(), Some(output));
            if is_json {
                answer.insert("Input".to_owned(), end.input.value().clone());
                answer.insert("Output".to_owned(), output.value().clone());
            }
            Ok(Value::Object(answer).into())
        }
        Ending::Failed(error) => Err(failed(end, "FAILED", error)),
        Ending::TimedOut(error) => Err(failed(end, "TIMED_OUT", error)),
        Ending::Aborted(error) => Err(failed(end, "ABORTED", error)),
    }
}

fn failed(end: &ChildEnd, status: &str, error: &ErrorOutput) -> ErrorOutput {
    let cause = Value::Object(described(end, status, error, None));
    ErrorOutput::new("States.TaskFailed", cause.to_string())
}

fn described(end: &ChildEnd, status: &str, error: &ErrorOutput, output: Option<&Data>) -> Map<String, Value> {
    let included = || json!({ "Included": true });
    let members = [
        ("Cause", error.cause.as_deref().map(Value::from)),
        ("Error", error.error.as_deref().map(Value::from)),
        ("ExecutionArn", Some(Value::from(&*end.arn))),
        ("Input", Some(end.input.text().into())),
        ("InputDetails", Some(included())),
        ("Name", Some(Value::from(&*end.name))),
        ("Output", output.map(|output| output.text().into())),
        ("OutputDetails", output.map(|_| included())),
        ("StartDate", Some(end.started_at.as_milliseconds().into())),
        ("StateMachineArn", Some(Value::from(&*end.state_machine_arn))),
        ("Status", Some(status.into())),
        ("StopDate", Some(end.stopped_at.as_milliseconds().into())),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use crate::data::timestamp::Timestamp;

    use super::*;

    fn check(ending: Ending, is_json: bool, expected: Result<&str, &str>) {
        let end = ChildEnd {
            id: ExecutionId(7),
            arn: "arn:e".into(),
            name: "e".into(),
            state_machine_arn: "arn:m".into(),
            input: Data::parse(r#"{ "a": 1 }"#).unwrap(),
            started_at: Timestamp::from_milliseconds(1_000),
            stopped_at: Timestamp::from_milliseconds(2_500),
            ending,
            is_final: false,
        };
        let found = outcome(&end, is_json).map(|output| output.text().to_owned()).map_err(|error| {
            assert_eq!(error.error.as_deref(), Some("States.TaskFailed"));
            error.cause.unwrap()
        });
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn the_end_of_a_child_is_described() {
        let output = || Ending::Succeeded { output: Data::parse("[true]").unwrap() };
        check(
            output(),
            false,
            Ok(concat!(
                r#"{"ExecutionArn":"arn:e","Input":"{ \"a\": 1 }","InputDetails":{"Included":true},"Name":"e","#,
                r#""Output":"[true]","OutputDetails":{"Included":true},"StartDate":1000,"StateMachineArn":"arn:m","#,
                r#""Status":"SUCCEEDED","StopDate":2500}"#
            )),
        );
        check(
            output(),
            true,
            Ok(concat!(
                r#"{"ExecutionArn":"arn:e","Input":{"a":1},"InputDetails":{"Included":true},"Name":"e","#,
                r#""Output":[true],"OutputDetails":{"Included":true},"StartDate":1000,"StateMachineArn":"arn:m","#,
                r#""Status":"SUCCEEDED","StopDate":2500}"#
            )),
        );
    }

    #[test]
    fn a_child_that_did_not_succeed_is_described_in_the_cause() {
        let rest = concat!(
            r#""ExecutionArn":"arn:e","Input":"{ \"a\": 1 }","InputDetails":{"Included":true},"Name":"e","#,
            r#""StartDate":1000,"StateMachineArn":"arn:m","Status":"#
        );
        let failed = Ending::Failed(ErrorOutput::new("E", "why"));
        check(failed, true, Err(&format!(r#"{{"Cause":"why","Error":"E",{rest}"FAILED","StopDate":2500}}"#)));
        let timed_out = Ending::TimedOut(ErrorOutput::default());
        check(timed_out, false, Err(&format!(r#"{{{rest}"TIMED_OUT","StopDate":2500}}"#)));
        let aborted = Ending::Aborted(ErrorOutput::default());
        check(aborted, false, Err(&format!(r#"{{{rest}"ABORTED","StopDate":2500}}"#)));
    }
}
