//! Activities, their queues, and the tokens of the tasks that were handed out.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::kind::End;
use super::machines::{Members, Tags};
use super::names::{activity_arn, activity_name, given, is_bad_name};
use super::pattern::{Expected, Pattern, Slot, text};
use super::service::Service;

#[derive(Debug, Clone)]
pub(super) struct Activity {
    pub(super) created: Slot,
    pub(super) tags: Tags,
    /// The executions whose tasks wait for a worker, by their places.
    pub(super) queue: VecDeque<usize>,
}

/// A task that was handed out.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) token: Slot,
    pub(super) activity: String,
    pub(super) execution: usize,
    /// How often the execution had been redriven. Each time its task is another one.
    redrives: u32,
}

impl Service {
    pub(super) fn create_activity(&mut self, members: &Members) -> Expected {
        let name = given(members, "name");
        if is_bad_name(name) {
            return Expected::refusal("InvalidName", format!("Invalid Name: '{name}'"));
        }
        let created = match self.activities.get(name) {
            Some(activity) => activity.created,
            None => {
                let created = self.slots.fresh();
                let activity = Activity { created, tags: Tags::read(members), queue: VecDeque::new() };
                self.activities.insert(name.to_owned(), activity);
                created
            }
        };
        Expected::answer(vec![("activityArn", activity_arn(name).into()), ("creationDate", created.into())])
    }

    fn activity_of<'a>(&self, members: &'a Members) -> Result<&'a str, Expected> {
        let arn = given(members, "activityArn");
        let Some(name) = activity_name(arn) else { return Err(Expected::invalid_arn(arn)) };
        if self.activities.contains_key(name) {
            return Ok(name);
        }
        Err(Expected::refusal("ActivityDoesNotExist", format!("Activity Does Not Exist: '{arn}'")))
    }

    pub(super) fn describe_activity(&mut self, members: &Members) -> Expected {
        let name = match self.activity_of(members) {
            Ok(name) => name,
            Err(refused) => return refused,
        };
        Expected::answer(vec![
            ("activityArn", activity_arn(name).into()),
            ("name", name.into()),
            ("creationDate", self.activities[name].created.into()),
            ("encryptionConfiguration", json!({"type": "AWS_OWNED_KEY"}).into()),
        ])
    }

    /// Tasks that are in its queue stay with their executions, and nobody gets them any more.
    pub(super) fn delete_activity(&mut self, members: &Members) -> Expected {
        let arn = given(members, "activityArn");
        let Some(name) = activity_name(arn) else { return Expected::invalid_arn(arn) };
        self.activities.remove(name);
        Expected::answer(Vec::new())
    }

    pub(super) fn poll(&mut self, members: &Members) -> Expected {
        let name = match self.activity_of(members) {
            Ok(name) => name.to_owned(),
            Err(refused) => return refused,
        };
        let queue = &mut self.activities.get_mut(&name).expect("it is there").queue;
        let Some(execution) = queue.pop_front() else {
            return Expected::answer(vec![("taskToken", Value::Null.into()), ("input", Value::Null.into())]);
        };
        let token = self.slots.fresh();
        let redrives = self.executions[execution].redrives.count;
        self.tasks.push(Task { token, activity: name, execution, redrives });
        let execution = &mut self.executions[execution];
        execution.events.push("ActivityStarted");
        let input = serde_json::from_str(&execution.input).expect("it was taken as JSON");
        Expected::answer(vec![("taskToken", token.into()), ("input", Pattern::Json(input))])
    }

    pub(super) fn send_task(&mut self, operation: &str, members: &Members) -> Expected {
        let token = given(members, "taskToken");
        let task = self.tasks.iter().find(|task| self.slots.known_text(task.token) == Some(token));
        let Some(task) = task.cloned() else {
            return Expected::refusal("InvalidToken", "Invalid Token: 'Invalid token'");
        };
        let answer = match operation {
            "SendTaskSuccess" => match serde_json::from_str(given(members, "output")) {
                Ok(output) => Some(End::Output(output)),
                Err(_) => {
                    return Expected::refused(
                        "InvalidOutput",
                        Pattern::Begins("Invalid Output: "),
                        Vec::new(),
                    );
                }
            },
            "SendTaskFailure" => {
                let cause = text(members, "cause").map(str::to_owned);
                Some(End::Error { error: given(members, "error").to_owned(), cause })
            }
            _heartbeat => None,
        };
        let execution = &self.executions[task.execution];
        if !execution.is_running() || execution.redrives.count != task.redrives {
            let message = "Task Timed Out: 'Provided task does not exist anymore'";
            return Expected::refusal("TaskTimedOut", message);
        }
        if !self.activities.contains_key(&task.activity) {
            let message = "Task does not exist: 'Provided task does not exist'";
            return Expected::refusal("TaskDoesNotExist", message);
        }
        if let Some(answer) = answer {
            self.finish(task.execution, answer);
        }
        Expected::answer(Vec::new())
    }
}
