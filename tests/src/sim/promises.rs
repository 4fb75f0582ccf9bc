//! What an answer promises must be in the store when the answer is given. Checked at the boundary, because
//! checks of the final state don't see effects that ran ahead of a commit which then failed.

use asl::interpreter::{ExecutionId, TaskToken};
use engine::arn::ExecutionArn;
use engine::shard::{Reply, Request, TaskAnswer, TaskKey};
use engine::{
    ActivityTask, NotRedrivable, RedriveExecution, Refusal, StartExecution, Started, StopExecution, Written,
};
use store::{ExecutionStatus, Redrives, RevisionRecord, Store};

use super::env::Env;
use super::history::Outcome;
use super::storage::at_once;

type Kept = Result<(), String>;

pub(super) fn check(request: &Request, reply: &Reply, env: &mut Env) {
    let kept = match (request, reply) {
        (Request::CreateStateMachine(request), Reply::Created(created)) => {
            let machine = at_once(env.store.memory.machine(request.arn.name())).expect("it can be read");
            ensure(machine.is_some_and(|machine| machine.created_at == created.at), "a machine was created")
        }
        // Another update may have come after it, in the same batch.
        (Request::UpdateStateMachine(request, _), Reply::Updated(updated)) => {
            let machine = at_once(env.store.memory.machine(request.arn.name())).expect("it can be read");
            let revision = machine.and_then(|machine| {
                at_once(env.store.memory.revision(machine.revision)).expect("it can be read")
            });
            // What is updated to what it is already stays at its revision.
            let is_same = |revision: &RevisionRecord| {
                let wanted = request.definition.as_ref().map(|(text, _)| &**text);
                updated.revision_id.is_none() && wanted == Some(&*revision.definition)
            };
            let is_later =
                revision.is_some_and(|revision| revision.revision_id.is_some() || is_same(&revision));
            ensure(is_later, "a machine was updated")
        }
        (Request::CreateActivity(request), Reply::At(at)) => {
            let activity = at_once(env.store.memory.activity(request.arn.name())).expect("it can be read");
            ensure(activity.is_some_and(|activity| activity.created_at == *at), "an activity was created")
        }
        (Request::StartExecution(request, _), Reply::Started(started)) => is_started(request, started, env),
        (Request::StartExecution(request, _), Reply::Refused(Refusal::ExecutionAlreadyExists { .. })) => {
            let name = request.name.as_deref().unwrap_or_default();
            ensure(
                env.store.find(request.state_machine.machine().name(), name).is_some(),
                "the name is in use",
            )
        }
        (Request::StopExecution(request), Reply::At(at)) => is_stopped(request, *at, env),
        (Request::StopExecution(request), Reply::Refused(Refusal::ExecutionDoesNotExist { .. })) => {
            let found = env.store.find(request.arn.state_machine_name(), request.arn.name());
            ensure(found.is_none(), "there is no such execution")
        }
        (Request::RedriveExecution(request), Reply::At(at)) => is_redriven(request, *at, env),
        (Request::RedriveExecution(request), Reply::Refused(Refusal::ExecutionNotRedrivable(why))) => {
            is_not_redrivable(request, *why, env)
        }
        // It may have been created since, in the same batch.
        (Request::GetActivityTask(..), Reply::Refused(Refusal::ActivityDoesNotExist { .. })) => Ok(()),
        (Request::GetActivityTask(..), Reply::ActivityTask(task)) => {
            task.as_ref().map_or(Ok(()), |task| is_handed_out(task, env))
        }
        (Request::SendTask(token, answer), reply) => is_answered(token, answer, reply, env),
        (_, _) => Err("an answer fits its request".to_owned()),
    };
    if let Err(rule) = kept {
        env.violated(|| format!("{rule}, says a reply, but not the store: {reply:?} to {request:?}"));
    }
}

/// What observers are told is in the store, and they are told it once.
pub(super) fn is_written(written: &Written, env: &mut Env) {
    let ids: Vec<u32> = written.events.iter().map(|event| event.id).collect();
    let last = env.told.entry(written.id).or_default();
    let is_new = ids.first().is_none_or(|first| first > last) && ids.is_sorted();
    *last = ids.last().copied().unwrap_or(*last);
    let is_there = env.store.histories.events(written.id) >= *last as usize;
    let has_ended =
        || env.store.executions.get(&written.id).is_some_and(|status| *status != ExecutionStatus::Running);
    if !is_new || !is_there || (written.ended.is_some() && !has_ended()) {
        env.violated(|| format!("an observer is told what is not so: {ids:?} of {written:?}"));
    }
}

fn ensure(is_kept: bool, promise: &str) -> Kept {
    if is_kept { Ok(()) } else { Err(promise.to_owned()) }
}

fn is_started(request: &StartExecution, started: &Started, env: &Env) -> Kept {
    let Some(record) = env.store.execution(started.id) else {
        return Err("an execution was started".to_owned());
    };
    let is_it = *record.arn == *started.arn.as_str() && record.started_at == started.at;
    ensure(is_it, "the execution is this one")?;
    ensure(record.input == request.input, "the execution has this input")?;
    let name = started.arn.name();
    let found = env.store.find(request.state_machine.machine().name(), name).map(|(id, _)| id);
    ensure(found == Some(started.id), "the execution is found by its name")
}

fn is_stopped(request: &StopExecution, at: asl::Timestamp, env: &Env) -> Kept {
    let found = env.store.find(request.arn.state_machine_name(), request.arn.name());
    let Some((_, record)) = found else { return Err("an execution was stopped".to_owned()) };
    // It may have been redriven since, in the same batch.
    let is_redriven = record.redriven_at.is_some();
    ensure(is_redriven || record.status != ExecutionStatus::Running, "an execution has ended")?;
    ensure(is_redriven || record.stopped_at == Some(at), "the end is the last one")?;
    let is_end = found_id(&request.arn, env).is_some_and(|id| env.store.histories.ends(id).contains(&at));
    ensure(is_end, "the execution has ended at that time")
}

fn found_id(arn: &ExecutionArn, env: &Env) -> Option<ExecutionId> {
    env.store.find(arn.state_machine_name(), arn.name()).map(|(id, _)| id)
}

fn is_redriven(request: &RedriveExecution, at: asl::Timestamp, env: &Env) -> Kept {
    let id = found_id(&request.arn, env).ok_or("there is such an execution")?;
    ensure(env.store.histories.redrives(id).contains(&at), "the execution was redriven at that time")?;
    let record = env.store.execution(id).ok_or("there is such an execution")?;
    let is_known = |redrives: &Redrives| {
        redrives.tokens.iter().any(|used| Some(&used.token) == request.token.as_ref() && used.used_at == at)
    };
    ensure(record.redrives.is_some_and(|redrives| is_known(&redrives)), "the token is known")
}

fn is_not_redrivable(request: &RedriveExecution, why: NotRedrivable, env: &Env) -> Kept {
    let id = found_id(&request.arn, env).ok_or("there is such an execution")?;
    let record = env.store.execution(id).ok_or("there is such an execution")?;
    match why {
        // It may have ended since, in the same batch.
        NotRedrivable::Running => Ok(()),
        NotRedrivable::Succeeded => {
            ensure(record.status == ExecutionStatus::Succeeded, "the execution has succeeded")
        }
        NotRedrivable::PendingRedrive
        | NotRedrivable::Deleting
        | NotRedrivable::BeforeLaunch
        | NotRedrivable::EventLimit
        | NotRedrivable::MaxTime
        | NotRedrivable::PeriodOver
        | NotRedrivable::ByMapRun => Err("there is no such reason here".to_owned()),
    }
}

fn is_handed_out(task: &ActivityTask, env: &mut Env) -> Kept {
    let token = TaskToken::parse(&task.token).ok_or("the token is one")?;
    let key = key_of(&token);
    ensure(env.store.has_scheduled(key), "the task was scheduled")?;
    let is_first = env.handed.insert((key.execution, key.attempt));
    ensure(is_first, "the task is handed to one worker")
}

fn is_answered(token: &TaskToken, answer: &TaskAnswer, reply: &Reply, env: &mut Env) -> Kept {
    let task = key_of(token);
    let record = env.store.execution(task.execution);
    let is_right = record.as_ref().is_some_and(|record| token.is_proved_by(&record.seed));
    if *reply == Reply::Refused(Refusal::InvalidToken) {
        return ensure(!is_right, "the token is not valid");
    }
    ensure(is_right, "the token is valid")?;
    let outcome = env.store.histories.outcome(task.execution, task.attempt);
    match (answer, reply) {
        (TaskAnswer::Heartbeat, Reply::Done) => Ok(()),
        (TaskAnswer::Success(output), Reply::Done) => {
            let told = Outcome::Succeeded(output.text().to_owned());
            ensure(outcome == Some(&told), "the attempt ended with this output")?;
            first_answer(task, env)
        }
        (TaskAnswer::Failure(error), Reply::Done) => {
            let told = Outcome::Failed(error.clone());
            ensure(outcome == Some(&told), "the attempt ended with this error")?;
            first_answer(task, env)
        }
        (_, Reply::Refused(Refusal::TaskTimedOut)) => {
            ensure(!env.store.awaits(task), "the attempt is awaited no more")
        }
        (_, _) => Err("an answer is taken or refused".to_owned()),
    }
}

fn first_answer(task: TaskKey, env: &mut Env) -> Kept {
    let is_first = env.answered.insert((task.execution, task.attempt));
    ensure(is_first, "the attempt takes one answer")
}

fn key_of(token: &TaskToken) -> TaskKey {
    TaskKey { execution: token.execution, row: token.row, attempt: token.attempt }
}
