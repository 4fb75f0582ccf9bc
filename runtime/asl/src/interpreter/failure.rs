//! What happens to a state that fails: Retry, then Catch, then its thread fails.

use serde_json::{Map, Value};

use crate::data::evaluate::Failure;
use crate::data::flow;
use crate::data::json::Data;
use crate::definition::{Catcher, Jitter, Retrier, State, StateKind, Transition as Target};
use crate::limits::{CAUSE_CHARACTERS_MAX, ERROR_CHARACTERS_MAX, PAYLOAD_BYTES_MAX, SECONDS_MAX};

use super::event::{Command, Timer, TimerKind};
use super::execution::{Phase, RowId};
use super::history::{ErrorOutput, HistoryKind};
use super::stepper::Stepper;

/// An ASL error on its way through Retry and Catch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StateError {
    pub(super) output: ErrorOutput,
    /// A missed heartbeat: history says `States.Timeout`, `States.HeartbeatTimeout` matches too.
    is_heartbeat: bool,
    /// It comes from a branch or an item of this Parallel or Map.
    is_inner: bool,
}

impl StateError {
    /// A text that is longer than AWS allows is cut: a cause may quote a whole input.
    pub(super) fn new(mut output: ErrorOutput) -> StateError {
        cut(&mut output.error, ERROR_CHARACTERS_MAX);
        cut(&mut output.cause, CAUSE_CHARACTERS_MAX);
        StateError { output, is_heartbeat: false, is_inner: false }
    }

    pub(super) fn timeout() -> StateError {
        StateError::new(ErrorOutput::bare(TIMEOUT))
    }

    pub(super) fn heartbeat_timeout() -> StateError {
        StateError { is_heartbeat: true, ..StateError::timeout() }
    }

    pub(super) fn threshold_exceeded() -> StateError {
        StateError::new(ErrorOutput::new(
            "States.ExceedToleratedFailureThreshold",
            "The specified tolerated failure threshold was exceeded",
        ))
    }

    /// The same error as the Parallel or Map around it sees it.
    pub(super) fn of_inner(self) -> StateError {
        StateError { is_inner: true, ..self }
    }

    /// `name` is the state's name, a function's ARN or a service.
    pub(super) fn data_limit(name: &str) -> StateError {
        StateError::new(ErrorOutput::new(
            Failure::DATA_LIMIT,
            format!(
                "The state/task '{name}' returned a result with a size exceeding the maximum number of bytes \
                 service limit."
            ),
        ))
    }

    fn name(&self) -> &str {
        self.output.error.as_deref().unwrap_or_default()
    }

    fn is_runtime(&self) -> bool {
        self.name() == Failure::RUNTIME
    }

    /// Whether one of the names in `ErrorEquals` means this error.
    fn matches(&self, error_equals: &[String]) -> bool {
        let name = self.name();
        error_equals.iter().any(|wanted| match wanted.as_str() {
            "States.ALL" => true,
            "States.TaskFailed" => name == wanted || (name != TIMEOUT && !self.is_data_flow()),
            "States.HeartbeatTimeout" => name == wanted || self.is_heartbeat,
            wanted => wanted == name,
        })
    }

    /// Errors of the interpreter itself, which are no task's failure.
    fn is_data_flow(&self) -> bool {
        matches!(
            self.name(),
            "States.IntrinsicFailure"
                | "States.ParameterPathFailure"
                | "States.ResultPathMatchFailure"
                | "States.QueryEvaluationError"
                | "States.NoChoiceMatched"
                | "States.DataLimitExceeded"
                | "States.ExceedToleratedFailureThreshold"
        )
    }
}

const TIMEOUT: &str = "States.Timeout";

fn cut(text: &mut Option<String>, characters_max: usize) {
    let Some(text) = text else { return };
    // A text has at most as many characters as bytes.
    if text.len() > characters_max
        && let Some((end, _)) = text.char_indices().nth(characters_max)
    {
        text.truncate(end);
    }
}

impl Stepper<'_> {
    /// Fails a state because one of its fields could not be computed.
    pub(super) fn fail_evaluation(&mut self, row: RowId, failure: &Failure) {
        let error = self.evaluation_error(row, failure);
        self.fail_state(row, error);
    }

    /// The error that a failure is; that of a JSONata state is written to the history.
    pub(super) fn evaluation_error(&mut self, row: RowId, failure: &Failure) -> StateError {
        let name = &self.state_of(row).name;
        if failure.error == Failure::DATA_LIMIT {
            return StateError::data_limit(name);
        }
        if self.alone.is_some() {
            return StateError::new(ErrorOutput::new(failure.error, failure.cause.as_str()));
        }
        let thread = self.state.thread(row).expect("a thread that fails is there");
        let (before, event, last) = (thread.before_event, thread.entered_event, thread.last_event);
        let cause = format!(
            "An error occurred while executing the state '{name}' (entered at the event id #{event}). {}",
            failure.cause
        );
        let error = StateError::new(ErrorOutput::new(failure.error, cause));
        if let Some(query) = &failure.query {
            // Recorded: an expression that fails right after the state was entered follows what came before the
            // state, as if AWS entered it later; a value that the state cannot use follows the state's own event.
            let previous = if last == event && !query.is_of_value { before } else { last };
            let kind = HistoryKind::EvaluationFailed {
                error: error.output.clone(),
                location: query.location.clone(),
                state: name.into(),
            };
            let id = self.write(previous, kind);
            self.state.thread_mut(row).last_event = id;
        }
        error
    }

    pub(super) fn fail_state(&mut self, row: RowId, error: StateError) {
        let (retry, catch) = self.state_of(row).error_handling();
        if !error.is_runtime() {
            if let Some(index) = retry.iter().position(|retrier| error.matches(&retrier.error_equals))
                && self.retry(row, index, retry, &error)
            {
                return;
            }
            if let Some(index) = catch.iter().position(|catcher| error.matches(&catcher.error_equals)) {
                self.note_catch(index, &error);
                return self.catch(row, &catch[index], &error);
            }
        }
        self.write_failed(row, &error);
        self.fail_thread(row, error);
    }

    /// Plans another attempt; false if the retrier has no more.
    fn retry(&mut self, row: RowId, index: usize, retry: &[Retrier], error: &StateError) -> bool {
        let retrier = &retry[index];
        let thread = self.state.thread_mut(row);
        thread.retries.resize(retry.len(), 0);
        let used = thread.retries[index];
        let used = self.retries_used(index, used);
        if used >= retrier.attempts_max {
            return false;
        }
        self.discard_children(row);
        self.state.thread_mut(row).retries[index] = used + 1;
        let milliseconds = self.delay_milliseconds(retrier, used);
        if self.alone.is_some() {
            self.retry_alone(milliseconds, error);
            return true;
        }
        if milliseconds == 0 {
            self.state.thread_mut(row).phase = Phase::Working;
            self.make_ready(row);
            return true;
        }
        // Without any delay it is a step of its own all the same: an attempt may end without an event, and a step ends
        // after so many of them.
        let scaled = self.surroundings.time_scale().of_milliseconds(milliseconds);
        let due = self.now.saturating_add_milliseconds(scaled);
        self.state.thread_mut(row).phase = Phase::RetryAt(due);
        self.command(Command::SetTimer { timer: Timer { row, kind: TimerKind::Wake }, due });
        true
    }

    /// `IntervalSeconds × BackoffRate ^ used`, capped, then jittered.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "capped well below 2^53")]
    fn delay_milliseconds(&self, retrier: &Retrier, used: u32) -> i64 {
        let backoff = retrier.backoff_rate.powi(i32::try_from(used).unwrap_or(i32::MAX));
        let cap = f64::from(retrier.delay_seconds_max.unwrap_or(SECONDS_MAX));
        let seconds = (f64::from(retrier.interval_seconds) * backoff).min(cap);
        let milliseconds = seconds * 1000.0;
        match retrier.jitter {
            Jitter::None => milliseconds as i64,
            Jitter::Full => {
                let fraction = (self.entropy.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                (milliseconds * fraction) as i64
            }
        }
    }

    fn catch(&mut self, row: RowId, catcher: &Catcher, error: &StateError) {
        self.discard_children(row);
        self.write_failed(row, error);
        let caught = error_output(&error.output);
        let computed = self.compute(row, None, |scope, thread| {
            scope.set_error_output(&caught);
            let assigned = flow::assigned(&catcher.assign, scope, &caught)?;
            let output = match &catcher.output {
                None => flow::combine(&catcher.result_path, &thread.input, caught)?,
                output @ Some(_) => flow::output_or(output.as_ref(), scope, &thread.input, caught)?,
            };
            Ok((output, assigned))
        });
        // An error in the handler itself is not handled by the same handler.
        match computed {
            Ok((output, assigned))
                if output.size() > PAYLOAD_BYTES_MAX || !self.variables_fit(row, &assigned) =>
            {
                self.fail_thread(row, StateError::data_limit(&self.state_of(row).name));
            }
            Ok((output, assigned)) => self.exit(row, output, assigned, Target::Next(catcher.next)),
            Err(failure) => {
                let error = self.evaluation_error(row, &failure);
                self.fail_thread(row, error);
            }
        }
    }

    /// `ParallelStateFailed` or `MapStateFailed`, where a branch or item failed or the error is no
    /// `States.Runtime`, for which AWS writes none.
    fn write_failed(&mut self, row: RowId, error: &StateError) {
        if error.is_runtime() && !error.is_inner {
            return;
        }
        match &self.state_of(row).kind {
            StateKind::Parallel(_) => _ = self.write_next(row, HistoryKind::ParallelStateFailed),
            StateKind::Map(_) => _ = self.write_next(row, HistoryKind::MapStateFailed),
            StateKind::Pass(_)
            | StateKind::Task(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed(_)
            | StateKind::Fail(_) => {}
        }
    }
}

/// The error output that a catcher gets: `{"Error": …, "Cause": …}`.
fn error_output(output: &ErrorOutput) -> Data {
    let mut object = Map::new();
    if let Some(error) = &output.error {
        object.insert("Error".to_owned(), Value::String(error.clone()));
    }
    if let Some(cause) = &output.cause {
        object.insert("Cause".to_owned(), Value::String(cause.clone()));
    }
    Value::Object(object).into()
}

impl State {
    fn error_handling(&self) -> (&[Retrier], &[Catcher]) {
        match &self.kind {
            StateKind::Task(task) => (&task.retry, &task.catch),
            StateKind::Parallel(parallel) => (&parallel.retry, &parallel.catch),
            StateKind::Map(map) => (&map.retry, &map.catch),
            StateKind::Pass(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed(_)
            | StateKind::Fail(_) => (&[], &[]),
        }
    }
}
