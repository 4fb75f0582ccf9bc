//! The Task state: scheduling attempts and taking their answers.

use serde_json::Value;

use crate::data::evaluate::{self, Failure};
use crate::data::flow;
use crate::data::json::{self, Data};
use crate::data::scope::Scope;
use crate::data::text::Text;
use crate::definition::{Definition, NumberField, Pattern, StateKind, Target, Task};
use crate::limits::{PAYLOAD_BYTES_MAX, SECONDS_MAX};

use super::callback_link::{CallbackLink, LinkUse};
use super::callback_request::{CallbackRequest, InvalidRequest, NewCallbackRequest};
use super::context::OwnTask;
use super::event::{Command, TaskRequest, Timer, TimerKind};
use super::execution::{AttemptId, ExecutionState, Phase, RowId, TaskPhase, TaskStage, Thread};
use super::failure::StateError;
use super::history::{ErrorOutput, HistoryKind, Scheduled, ServiceName, TaskScheduled, TaskUsage};
use super::stepper::Stepper;
use super::token::TaskToken;

/// The fields of a Task, computed for one attempt.
struct Attempt {
    input: Data,
    timeout_seconds: Option<u32>,
    heartbeat_seconds: Option<u32>,
    role_arn: Option<String>,
}

impl Stepper<'_> {
    /// Schedules the next attempt.
    pub(super) fn task(&mut self, row: RowId, task: &Task) -> Result<(), Failure> {
        let id = AttemptId(self.state.header.next_attempt);
        let token = uses_token(&task.resource.target).then(|| token(self.state, row, id).to_text());
        let mut own = token.map(|token| OwnTask { token, links: None });
        let asked = self.ask(row, task, &mut own)?;
        let attempt = self.compute(row, own, |scope, thread| attempt(task, scope, thread))?;
        if attempt.input.size() > PAYLOAD_BYTES_MAX {
            return Err(Failure::data_limit());
        }
        let mocked = self.next_mocked(row);
        if task.resource.target == Target::Activity
            && mocked.is_none()
            && !self.surroundings.activity_exists(&task.resource.arn)
        {
            return Err(Failure::runtime(format!("The activity {} does not exist.", task.resource.arn)));
        }
        self.state.header.next_attempt += 1;
        // A person is asked only where a person is waited for.
        if let Some(request) = asked.filter(|_| mocked.is_none()) {
            self.command(Command::AskCallback { row, attempt: id, request });
        }
        self.count_bytes(&attempt.input);
        self.write_scheduled(row, task, &attempt);
        if let Some(outcome) = mocked {
            self.end_mocked(row, id, attempt, outcome);
            return Ok(());
        }
        let stage = match task.resource.target {
            Target::Activity => {
                let activity_arn = Text::from(task.resource.arn.as_str());
                self.command(Command::OfferActivity { row, attempt: id, activity_arn });
                TaskStage::Scheduled
            }
            Target::Function | Target::Service { .. } => {
                self.command(Command::StartTask { row, attempt: id });
                TaskStage::Started
            }
        };
        let deadline = attempt.timeout_seconds.map(|seconds| self.now.saturating_add_seconds(seconds.into()));
        if let Some(due) = deadline {
            self.command(Command::SetTimer { timer: Timer { row, kind: TimerKind::TaskTimeout }, due });
        }
        let thread = self.state.thread_mut(row);
        thread.phase = Phase::Task(TaskPhase {
            attempt: id,
            stage,
            input: (!attempt.input.is_same(&thread.input)).then_some(attempt.input),
            deadline,
            heartbeat_seconds: attempt.heartbeat_seconds,
            heartbeat_due: None,
            role_arn: attempt.role_arn,
            child: None,
        });
        if stage == TaskStage::Started {
            self.restart_heartbeat(row);
        }
        Ok(())
    }

    /// Computes `CallbackLinks`: what is asked, and the links for the context of the rest.
    fn ask(
        &self,
        row: RowId,
        task: &Task,
        own: &mut Option<OwnTask>,
    ) -> Result<Option<Box<CallbackRequest>>, Failure> {
        let (Some(template), Some(own)) = (&task.callback_links, own) else { return Ok(None) };
        let maker = self.surroundings.link_maker();
        let maker = maker.ok_or_else(|| Failure::runtime("Callback links are not made here."))?;
        let value = self.compute(row, Some(own.clone()), |scope, thread| {
            let input = flow::selected_value(&task.flow, scope, &thread.input)?;
            evaluate::template(template, scope, &input)
        })?;
        let request = NewCallbackRequest::read(&value).and_then(|new| new.checked(self.now));
        let request = request.map_err(|InvalidRequest { field, rule }| {
            Failure::runtime(format!("The field '{field}' of CallbackLinks {rule}."))
        })?;
        let link = CallbackLink {
            execution: self.state.info.id,
            row,
            attempt: AttemptId(self.state.header.next_attempt),
            number: 0,
            uses: LinkUse::Answer,
            expires_at: request.expires_at,
        };
        own.links = Some(maker.urls(link));
        Ok(Some(Box::new(request)))
    }

    /// An attempt for which an answer stands in: nobody is asked, and nothing is waited for.
    fn end_mocked(
        &mut self,
        row: RowId,
        id: AttemptId,
        attempt: Attempt,
        outcome: Result<Data, ErrorOutput>,
    ) {
        let is_activity = matches!(&self.state_of(row).kind, StateKind::Task(task) if task.resource.target == Target::Activity);
        let thread = self.state.thread_mut(row);
        thread.phase = Phase::Task(TaskPhase {
            attempt: id,
            stage: if is_activity { TaskStage::Scheduled } else { TaskStage::Started },
            input: (!attempt.input.is_same(&thread.input)).then_some(attempt.input),
            deadline: None,
            heartbeat_seconds: None,
            heartbeat_due: None,
            role_arn: attempt.role_arn,
            child: None,
        });
        if is_activity {
            self.task_started(row, id, None);
        }
        self.task_ended(row, id, outcome, None);
    }

    fn write_scheduled(&mut self, row: RowId, task: &Task, attempt: &Attempt) {
        let scheduled = || {
            Box::new(Scheduled {
                resource: task.resource.arn.as_str().into(),
                input: attempt.input.clone(),
                timeout_seconds: attempt.timeout_seconds,
                heartbeat_seconds: attempt.heartbeat_seconds,
                role_arn: attempt.role_arn.clone(),
            })
        };
        match &task.resource.target {
            Target::Function => {
                self.write_next(row, HistoryKind::LambdaFunctionScheduled(scheduled()));
                self.write_next(row, HistoryKind::LambdaFunctionStarted);
            }
            Target::Activity => _ = self.write_next(row, HistoryKind::ActivityScheduled(scheduled())),
            Target::Service { service, action, pattern } => {
                let name = service_name(service, action, *pattern);
                let event = HistoryKind::TaskScheduled(Box::new(TaskScheduled {
                    service: name.clone(),
                    region: self.state.info.region.clone(),
                    parameters: attempt.input.clone(),
                    timeout_seconds: attempt.timeout_seconds,
                    heartbeat_seconds: attempt.heartbeat_seconds,
                    role_arn: attempt.role_arn.clone(),
                }));
                self.write_next(row, event);
                self.write_next(row, HistoryKind::TaskStarted(name));
            }
        }
    }

    /// A worker took an activity task.
    pub(super) fn task_started(
        &mut self,
        row: RowId,
        attempt: AttemptId,
        worker_name: Option<String>,
    ) -> bool {
        if self.awaited(row, attempt).is_none_or(|task| task.stage != TaskStage::Scheduled) {
            return false;
        }
        self.write_next(row, HistoryKind::ActivityStarted { worker_name });
        self.task_phase_mut(row).stage = TaskStage::Started;
        self.restart_heartbeat(row);
        true
    }

    /// An executor is done with an attempt; a task that waits for its token has only been submitted.
    pub(super) fn task_returned(
        &mut self,
        row: RowId,
        attempt: AttemptId,
        outcome: Result<Data, ErrorOutput>,
        usage: Option<TaskUsage>,
    ) -> bool {
        if self.awaited(row, attempt).is_none_or(|task| task.stage != TaskStage::Started) {
            return false;
        }
        let StateKind::Task(definition) = &self.state_of(row).kind else { return false };
        match (&definition.resource.target, outcome) {
            (Target::Service { pattern: Pattern::WaitForTaskToken, .. }, Ok(output)) => {
                self.task_submitted(row, attempt, output)
            }
            (Target::Service { .. } | Target::Function | Target::Activity, outcome) => {
                self.task_ended(row, attempt, outcome, usage)
            }
        }
    }

    /// The service has taken the task, which is not over by that.
    pub(super) fn task_submitted(&mut self, row: RowId, attempt: AttemptId, answer: Data) -> bool {
        if self.awaited(row, attempt).is_none_or(|task| task.stage != TaskStage::Started) {
            return false;
        }
        let StateKind::Task(definition) = &self.state_of(row).kind else { return false };
        let Target::Service { service, action, pattern } = &definition.resource.target else { return false };
        let name = service_name(service, action, *pattern);
        self.count_bytes(&answer);
        self.write_next(row, HistoryKind::TaskSubmitted(name, answer));
        self.task_phase_mut(row).stage = TaskStage::Submitted;
        true
    }

    /// An attempt has succeeded or failed.
    pub(super) fn task_ended(
        &mut self,
        row: RowId,
        attempt: AttemptId,
        outcome: Result<Data, ErrorOutput>,
        usage: Option<TaskUsage>,
    ) -> bool {
        if self.awaited(row, attempt).is_none_or(|task| task.stage == TaskStage::Scheduled) {
            return false;
        }
        let StateKind::Task(task) = &self.state_of(row).kind else { return false };
        self.clear_task_timers(row);
        self.state.thread_mut(row).phase = Phase::Working;
        let outcome =
            outcome.and_then(|output| within_limit(&task.resource.target, &task.resource.arn, output));
        match outcome {
            Ok(result) => {
                self.count_bytes(&result);
                self.write_next(row, succeeded(&task.resource.target, result.clone(), usage));
                if let Err(failure) = self.leave_task(row, task, result) {
                    self.fail_evaluation(row, &failure);
                }
            }
            Err(error) => {
                let error = StateError::new(error);
                self.write_next(row, failed(&task.resource.target, error.output.clone(), usage));
                self.fail_state(row, error);
            }
        }
        true
    }

    fn leave_task(&mut self, row: RowId, task: &Task, result: Data) -> Result<(), Failure> {
        let (output, assigned) = self.compute(row, None, |scope, thread| {
            let result = flow::selected_result(&task.flow, scope, result)?;
            let assigned = flow::assigned(&task.assign, scope, &result)?;
            Ok((flow::output(&task.flow, scope, &thread.input, result)?, assigned))
        })?;
        self.exit(row, output, assigned, task.transition);
        Ok(())
    }

    pub(super) fn task_timed_out(&mut self, timer: Timer) -> bool {
        let row = timer.row;
        let Some(Phase::Task(task)) = self.state.thread(row).map(|thread| &thread.phase) else {
            return false;
        };
        let is_heartbeat = timer.kind == TimerKind::HeartbeatTimeout;
        let due = if is_heartbeat { task.heartbeat_due } else { task.deadline };
        if due.is_none_or(|due| due > self.now) {
            return false;
        }
        let StateKind::Task(definition) = &self.state_of(row).kind else { return false };
        let error = if is_heartbeat { StateError::heartbeat_timeout() } else { StateError::timeout() };
        self.cancel_waits(row);
        self.state.thread_mut(row).phase = Phase::Working;
        self.write_next(row, timed_out(&definition.resource.target, error.output.clone()));
        self.fail_state(row, error);
        true
    }

    pub(super) fn heartbeat(&mut self, row: RowId, attempt: AttemptId) -> bool {
        if self.awaited(row, attempt).is_none_or(|task| task.stage == TaskStage::Scheduled) {
            return false;
        }
        self.restart_heartbeat(row);
        true
    }

    fn restart_heartbeat(&mut self, row: RowId) {
        let due = self.task_phase_mut(row).heartbeat_due.take();
        let timer = Timer { row, kind: TimerKind::HeartbeatTimeout };
        if let Some(due) = due {
            self.command(Command::ClearTimer { timer, due });
        }
        let now = self.now;
        let task = self.task_phase_mut(row);
        task.heartbeat_due = task.heartbeat_seconds.map(|seconds| now.saturating_add_seconds(seconds.into()));
        if let Some(due) = task.heartbeat_due {
            self.command(Command::SetTimer { timer, due });
        }
    }

    pub(super) fn clear_task_timers(&mut self, row: RowId) {
        let task = self.task_phase_mut(row);
        let (deadline, heartbeat) = (task.deadline.take(), task.heartbeat_due.take());
        if let Some(due) = deadline {
            self.command(Command::ClearTimer { timer: Timer { row, kind: TimerKind::TaskTimeout }, due });
        }
        if let Some(due) = heartbeat {
            self.command(Command::ClearTimer {
                timer: Timer { row, kind: TimerKind::HeartbeatTimeout },
                due,
            });
        }
    }

    /// The attempt, if it is the one that is still awaited.
    pub(super) fn awaited(&self, row: RowId, attempt: AttemptId) -> Option<&TaskPhase> {
        self.state.thread(row)?.awaited(attempt)
    }

    pub(super) fn task_phase_mut(&mut self, row: RowId) -> &mut TaskPhase {
        match &mut self.state.thread_mut(row).phase {
            Phase::Task(task) => task,
            Phase::Entering
            | Phase::Working
            | Phase::RetryAt(_)
            | Phase::WaitUntil(_)
            | Phase::Forked(_)
            | Phase::Done(_)
            | Phase::Stopped(_) => panic!("the thread was seen to await a task"),
        }
    }
}

/// What an executor or a worker needs for the attempt that a thread awaits; also used to dispatch it again
/// after a crash.
pub fn task_request(definition: &Definition, state: &ExecutionState, row: RowId) -> Option<TaskRequest> {
    let thread = state.thread(row)?;
    let Phase::Task(phase) = &thread.phase else { return None };
    let state_definition = definition.state(thread.state);
    let StateKind::Task(task) = &state_definition.kind else { return None };
    Some(TaskRequest {
        row,
        attempt: phase.attempt,
        resource: task.resource.arn.as_str().into(),
        input: phase.input.clone().unwrap_or_else(|| thread.input.clone()),
        state_name: (&state_definition.name).into(),
        retry_count: thread.retry_count(),
        token: uses_token(&task.resource.target).then(|| token(state, row, phase.attempt).to_text()),
        deadline: phase.deadline,
        role_arn: phase.role_arn.clone(),
    })
}

fn token(state: &ExecutionState, row: RowId, attempt: AttemptId) -> TaskToken {
    TaskToken::new(&state.info.seed, state.info.id, row, attempt)
}

/// Whether a worker may answer the task with a token.
fn uses_token(target: &Target) -> bool {
    match target {
        Target::Activity => true,
        Target::Function => false,
        Target::Service { pattern, .. } => *pattern == Pattern::WaitForTaskToken,
    }
}

fn attempt(task: &Task, scope: &Scope<'_>, thread: &Thread) -> Result<Attempt, Failure> {
    let input = flow::effective_input(&task.flow, scope, &thread.input)?;
    let selected = flow::selected_value(&task.flow, scope, &thread.input)?;
    let role_arn = match &task.credentials {
        None => None,
        Some(template) => {
            let credentials = evaluate::template(template, scope, &selected)?;
            credentials.get("RoleArn").and_then(|role| role.as_str()).map(str::to_owned)
        }
    };
    let seconds = |field: &Option<NumberField>| seconds(field.as_ref(), scope, &selected);
    Ok(Attempt {
        input,
        timeout_seconds: seconds(&task.timeout_seconds)?,
        heartbeat_seconds: seconds(&task.heartbeat_seconds)?,
        role_arn,
    })
}

/// `TimeoutSeconds` or `HeartbeatSeconds`: 1 to 99,999,999.
fn seconds(field: Option<&NumberField>, scope: &Scope<'_>, input: &Value) -> Result<Option<u32>, Failure> {
    let Some(field) = field else { return Ok(None) };
    let value = evaluate::whole_number(field, scope, input)?;
    match u32::try_from(value) {
        Ok(seconds) if (1..=SECONDS_MAX).contains(&seconds) => Ok(Some(seconds)),
        Ok(_) | Err(_) => Err(Failure::value(
            field,
            format!(
                "TimeoutSeconds and HeartbeatSeconds must be between 1 and {SECONDS_MAX}, but the value is {value}."
            ),
        )),
    }
}

fn within_limit(target: &Target, arn: &str, output: Data) -> Result<Data, ErrorOutput> {
    if output.size() <= PAYLOAD_BYTES_MAX {
        return readable(output);
    }
    let name = match target {
        Target::Function | Target::Activity => arn,
        Target::Service { service, .. } => service,
    };
    Err(StateError::data_limit(name).output)
}

/// What an executor puts around a result may be one level too many: it could be stored, and never read again.
fn readable(output: Data) -> Result<Data, ErrorOutput> {
    if json::is_readable(output.text()) {
        return Ok(output);
    }
    let Failure { error, cause, .. } = evaluate::too_deep();
    Err(ErrorOutput::new(error, cause))
}

fn service_name(service: &str, action: &str, pattern: Pattern) -> ServiceName {
    ServiceName { resource_type: service.into(), resource: format!("{action}{}", pattern.suffix()).into() }
}

fn succeeded(target: &Target, result: Data, usage: Option<TaskUsage>) -> HistoryKind {
    match target {
        Target::Function => HistoryKind::LambdaFunctionSucceeded(result, usage),
        Target::Activity => HistoryKind::ActivitySucceeded(result),
        Target::Service { service, action, pattern } => {
            HistoryKind::TaskSucceeded(service_name(service, action, *pattern), result, usage)
        }
    }
}

fn failed(target: &Target, error: ErrorOutput, usage: Option<TaskUsage>) -> HistoryKind {
    match target {
        Target::Function => HistoryKind::LambdaFunctionFailed(error, usage),
        Target::Activity => HistoryKind::ActivityFailed(error),
        Target::Service { service, action, pattern } => {
            HistoryKind::TaskFailed(service_name(service, action, *pattern), error, usage)
        }
    }
}

fn timed_out(target: &Target, error: ErrorOutput) -> HistoryKind {
    match target {
        Target::Function => HistoryKind::LambdaFunctionTimedOut(error),
        Target::Activity => HistoryKind::ActivityTimedOut(error),
        Target::Service { service, action, pattern } => {
            HistoryKind::TaskTimedOut(service_name(service, action, *pattern), error)
        }
    }
}
