//! The Wait state.

use crate::data::evaluate::{self, Failure};
use crate::data::flow::{self, Assigned};
use crate::data::json::Data;
use crate::data::scope::Scope;
use crate::data::timestamp::Timestamp;
use crate::definition::{Delay, Expression, NumberField, StateKind, TimestampField, Wait};
use crate::limits::WAIT_SECONDS_MAX;

use super::event::{Command, Timer, TimerKind};
use super::execution::{Phase, RowId, Thread};
use super::stepper::Stepper;

impl Stepper<'_> {
    pub(super) fn wait(&mut self, row: RowId, wait: &Wait) -> Result<(), Failure> {
        let now = self.now;
        let until = self.compute(row, None, |scope, thread| {
            let input = flow::selected_input(&wait.flow, scope, &thread.input)?;
            until(&wait.delay, scope, &input, now)
        })?;
        if until <= now {
            return self.leave_wait(row, wait);
        }
        let until = self.surroundings.time_scale().of_time(until, now);
        if until <= now {
            return self.leave_wait(row, wait);
        }
        self.state.thread_mut(row).phase = Phase::WaitUntil(until);
        self.command(Command::SetTimer { timer: Timer { row, kind: TimerKind::Wake }, due: until });
        Ok(())
    }

    pub(super) fn wait_over(&mut self, row: RowId) {
        let StateKind::Wait(wait) = &self.state_of(row).kind else {
            panic!("only a Wait state waits for a time");
        };
        if let Err(failure) = self.leave_wait(row, wait) {
            self.fail_evaluation(row, &failure);
        }
    }

    fn leave_wait(&mut self, row: RowId, wait: &Wait) -> Result<(), Failure> {
        let leave = |scope: &Scope<'_>, thread: &Thread| -> Result<(Data, Assigned), Failure> {
            let input = flow::selected_input(&wait.flow, scope, &thread.input)?;
            let assigned = flow::assigned(&wait.assign, scope, &input)?;
            Ok((flow::output(&wait.flow, scope, &thread.input, input)?, assigned))
        };
        let (output, assigned) = self.compute(row, None, leave)?;
        self.exit(row, output, assigned, wait.transition);
        Ok(())
    }
}

fn until(delay: &Delay, scope: &Scope<'_>, input: &Data, now: Timestamp) -> Result<Timestamp, Failure> {
    let until = match delay {
        Delay::Seconds(field) => now.saturating_add_seconds(seconds(field, scope, input)?),
        Delay::Until(field) => evaluate::timestamp(field, scope, input.value())?,
    };
    let longest = now.saturating_add_seconds(WAIT_SECONDS_MAX);
    if until <= longest {
        return Ok(until);
    }
    let cause = "Wait state delay is too long.";
    Err(match delay {
        Delay::Seconds(field) => Failure::value(field, cause),
        Delay::Until(TimestampField::Computed(field)) if field.is_jsonata() => field.unusable(cause),
        Delay::Until(_) => Failure::runtime(cause),
    })
}

/// The seconds of a Wait, with AWS's own texts for what SecondsPath may find.
fn seconds(field: &NumberField, scope: &Scope<'_>, input: &Data) -> Result<i64, Failure> {
    let NumberField::Computed(computed) = field else {
        return evaluate::whole_number(field, scope, input.value());
    };
    let source = &computed.source;
    let value = match &computed.expression {
        Expression::Path(path) => evaluate::find(path, scope, input.value())?.ok_or_else(|| {
            Failure::runtime(format!("The SecondsPath parameter does not reference an input value: {source}"))
        })?,
        Expression::Intrinsic(_) => evaluate::computed(computed, scope, input.value())?,
        Expression::Jsonata(_) => {
            let seconds = evaluate::whole_number(field, scope, input.value())?;
            let is_negative = seconds < 0;
            let cause = || format!("The Seconds field cannot be negative: {seconds}");
            return if is_negative { Err(computed.unusable(cause())) } else { Ok(seconds) };
        }
    };
    match value.as_i64().or_else(|| value.as_str()?.parse().ok()) {
        Some(seconds) if seconds < 0 => Err(Failure::runtime(format!(
            "The SecondsPath parameter references a negative value: {source} == {seconds}"
        ))),
        Some(seconds) => Ok(seconds),
        None => Err(Failure::runtime(format!(
            "The SecondsPath parameter cannot be parsed as a long value: {source} == {}",
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        ))),
    }
}
