//! Redrives: an execution that ended without success goes on from the state in which it ended.

use serde_json::Value;

use super::executions::{Arn, Execution};
use super::kind::Course;
use super::machines::Members;
use super::pattern::{Expected, Pattern, Settle, Slot, text};
use super::service::Service;

/// AWS: the tokens of so many redrives are known. They are known for 15 minutes, longer than a model lives.
const TOKENS_MAX: usize = 10;

/// The redrives of one execution.
#[derive(Debug, Clone, Default)]
pub(super) struct Redrives {
    pub(super) count: u32,
    pub(super) last: Option<Slot>,
    /// The oldest first, each with the date of its redrive.
    pub(super) tokens: Vec<(String, Slot)>,
}

impl Redrives {
    /// The members that tell of them.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&'static str, Pattern)> {
        let last = self.last.map(|last| ("redriveDate", last.into()));
        [("redriveCount", Value::from(self.count).into())].into_iter().chain(last)
    }
}

impl Service {
    /// Why an execution cannot be redriven, if it cannot.
    pub(super) fn not_redrivable(&self, execution: &Execution) -> Option<String> {
        let machine = self.machines.get(&execution.machine);
        match execution.status {
            status @ ("SUCCEEDED" | "RUNNING") => {
                Some(format!("Execution is {status} and cannot be redriven"))
            }
            _failed if machine.is_some_and(|machine| machine.number == execution.of) => None,
            _failed => Some("State machine is in DELETING status".to_owned()),
        }
    }

    pub(super) fn redrive_execution(&mut self, members: &Members) -> Expected {
        let at = match self.execution_of(members) {
            Ok(at) => at,
            Err(refused) => return refused,
        };
        let token = text(members, "clientToken").map(str::to_owned);
        let mut used = self.executions[at].redrives.tokens.iter();
        if let Some((_, redriven)) = used.find(|(used, _)| Some(used) == token.as_ref()) {
            return Expected::answer(vec![("redriveDate", (*redriven).into())]);
        }
        if let Some(why) = self.not_redrivable(&self.executions[at]) {
            return Expected::refusal("ExecutionNotRedrivable", why);
        }
        let redriven = self.slots.fresh();
        let execution = &mut self.executions[at];
        (execution.status, execution.stopped) = ("RUNNING", None);
        (execution.error, execution.cause) = (None, None);
        execution.events.push("ExecutionRedriven");
        let redrives = &mut execution.redrives;
        redrives.count += 1;
        redrives.last = Some(redriven);
        redrives.tokens.extend(token.map(|token| (token, redriven)));
        if redrives.tokens.len() > TOKENS_MAX {
            redrives.tokens.remove(0);
        }
        let answer = Expected::answer(vec![("redriveDate", redriven.into())]);
        self.go_on_again(at).into_iter().fold(answer, Expected::then)
    }

    /// Takes a redriven execution as far as it goes by itself.
    fn go_on_again(&mut self, at: usize) -> Option<Settle> {
        let execution = &self.executions[at];
        let kind = execution.revision.kind.clone();
        let input = serde_json::from_str(&execution.input).expect("it was taken as JSON");
        match kind.redriven(&input, |activity| self.activities.contains_key(activity)) {
            Course::Waits { events } => self.executions[at].events.extend(events),
            Course::Queues { activity, events } => {
                self.executions[at].events.extend(events);
                self.activities.get_mut(&activity).expect("it is there").queue.push_back(at);
            }
            Course::Ends { end, events } => {
                let stopped = self.slots.fresh();
                self.executions[at].end(end, &events, stopped);
                if kind.is_slow() {
                    let Arn::Named(arn) = &self.executions[at].arn else {
                        panic!("the clients name what is slow")
                    };
                    return Some(Settle::End(arn.clone()));
                }
            }
        }
        None
    }
}
