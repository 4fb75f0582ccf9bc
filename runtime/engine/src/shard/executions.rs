//! Starting, stepping and stopping executions.

use asl::interpreter::{Command, ErrorOutput, Event, ExecutionId, Parent, Timer, TimerKind};
use asl::{Text, Timestamp};
use store::{
    Change, ExecutionRecord, ListingKey, MachineKind, NameKey, NewExecution, QueuedTask, RowKey, TimerKey,
};

use crate::arn::ExecutionArn;
use crate::request::{Refusal, StartExecution, Started, StopExecution};

use super::redrive::redrive_over;
use super::resident::Resident;
use super::{Effect, Fresh, Input, Known, LoadedExecution, Missing, Shard, TaskKey, World};

impl Shard {
    pub(super) fn missing_execution(&self, id: ExecutionId) -> Option<Missing> {
        (!self.executions.contains(&id)).then_some(Missing::Execution(id))
    }

    /// An execution by its names: first its id, then itself.
    pub(super) fn missing_named(&self, machine: &str, name: &str) -> Option<Missing> {
        match self.names.get(&(machine.to_owned(), name.to_owned())) {
            None => Some(Missing::Name(machine.to_owned(), name.to_owned())),
            Some(None) => None,
            Some(Some(id)) => self.missing_execution(*id),
        }
    }

    pub(super) fn missing_to_start(&self, request: &StartExecution, fresh: &Fresh) -> Option<Missing> {
        let machine = request.state_machine.machine().name();
        let missing = self.missing_machine(machine);
        missing.or_else(|| self.missing_revision(&request.state_machine, fresh)).or_else(|| {
            let name = request.name.as_ref()?;
            self.missing_named(machine, name)
        })
    }

    pub(super) fn supply_execution(&mut self, id: ExecutionId, found: LoadedExecution) {
        let known = match found {
            LoadedExecution::Absent => Known::Absent,
            LoadedExecution::Ended(record) => Known::Ended(record),
            LoadedExecution::Running { record, revision, state } => {
                let revision = self.revision(record.revision, *revision);
                let test_case =
                    self.test_case_again(&revision.record.machine_name, record.test_case.as_ref());
                // Whatever it waits for, it cannot go on.
                if revision.definition.is_err() {
                    self.owe(Input::Continue(id));
                }
                Known::Running(Box::new(Resident::load(id, *record, revision, *state, test_case)))
            }
        };
        self.executions.insert(id, known, 0);
    }

    pub(super) fn start_execution(
        &mut self,
        request: StartExecution,
        fresh: Fresh,
        now: Timestamp,
    ) -> Result<Started, Refusal> {
        self.start_as(request, None, fresh, now)
    }

    /// Starts an execution, whose end a parent may await.
    pub(super) fn start_as(
        &mut self,
        request: StartExecution,
        parent: Option<Box<Parent>>,
        fresh: Fresh,
        now: Timestamp,
    ) -> Result<Started, Refusal> {
        let target = self.target(&request.state_machine, &fresh)?;
        if target.kind == MachineKind::Express {
            return Err(Refusal::ExpressNotSupported);
        }
        let revision = self.target_revision(&request.state_machine, &target);
        let revision = revision.expect("it was supplied before the start was handled");
        let machine = request.state_machine.machine();
        let test_case = self.test_case(machine.name(), request.test_case.as_ref(), revision.usable()?)?;
        match self.started_before(&request)? {
            None => {}
            Some(started) if parent.is_none() => return Ok(started),
            // Ours: it has been started by somebody else, who alone is told of its end.
            Some(Started { arn, .. }) => return Err(Refusal::ExecutionAlreadyExists { arn }),
        }
        let name = request.name.clone().unwrap_or_else(|| uuid::Uuid::from_u128(fresh.id.0).to_string());
        let arn = machine.execution(&name).expect("the name was checked when it was parsed");
        let new = NewExecution {
            arn: arn.as_str().into(),
            name: name.as_str().into(),
            state_machine_arn: machine.as_str().into(),
            machine_id: target.machine_id,
            revision: target.revision,
            started_at: now,
            input: request.input,
            seed: fresh.seed,
        };
        let record = ExecutionRecord {
            trace_header: request.trace_header,
            test_case: request.test_case,
            parent,
            version_arn: target.version_arn,
            alias_arn: target.alias_arn,
            lists: target.lists,
            ..ExecutionRecord::running(new)
        };
        // An execution without a name of its own is named after its id, and found by it.
        if request.name.is_some() {
            let machine: Text = machine.name().into();
            let key = NameKey { machine: machine.clone(), execution: record.name.clone() };
            self.batch.names.insert(key, Change::Put(fresh.id));
            self.names.insert((machine.to_string(), name), Some(fresh.id), self.generation);
        }
        let resident = Resident::new(fresh.id, record, revision, test_case);
        self.executions.insert(fresh.id, Known::Running(Box::new(resident)), self.generation);
        self.step(fresh.id, Event::Start, now);
        Ok(Started { id: fresh.id, arn, at: now })
    }

    /// The execution of the same name, if it is the same request again.
    fn started_before(&self, request: &StartExecution) -> Result<Option<Started>, Refusal> {
        let Some(name) = &request.name else { return Ok(None) };
        let machine = request.state_machine.machine();
        let key = (machine.name().to_owned(), name.clone());
        let Some(Some(id)) = self.names.get(&key) else { return Ok(None) };
        let arn = machine.execution(name).expect("the name was checked when it was parsed");
        match self.executions.get(id) {
            Some(Known::Running(resident))
                if resident.record.input == request.input
                    && resident.record.test_case == request.test_case =>
            {
                Ok(Some(Started { id: *id, arn, at: resident.record.started_at }))
            }
            Some(Known::Running(_) | Known::Ended(_)) => Err(Refusal::ExecutionAlreadyExists { arn }),
            Some(Known::Absent) | None => Ok(None),
        }
    }

    pub(super) fn stop_execution(
        &mut self,
        request: StopExecution,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        let id = self.named(&request.arn)?;
        match self.executions.get(&id) {
            Some(Known::Running(resident)) if *resident.record.arn == *request.arn.as_str() => {
                // One that ended in the batch that is being gathered keeps the time of its end.
                let ended_at = resident.record.stopped_at;
                self.step(id, Event::Stop(request.reason), now);
                Ok(ended_at.unwrap_or(now))
            }
            Some(Known::Ended(record)) if *record.arn == *request.arn.as_str() => {
                Ok(record.stopped_at.unwrap_or(now))
            }
            // Of a child of a Map Run, the label is part of its name.
            Some(Known::Running(_) | Known::Ended(_) | Known::Absent) | None => {
                Err(Refusal::ExecutionDoesNotExist { arn: request.arn })
            }
        }
    }

    pub(super) fn named(&self, arn: &ExecutionArn) -> Result<ExecutionId, Refusal> {
        let key = (arn.state_machine_name().to_owned(), arn.name().to_owned());
        match self.names.get(&key) {
            Some(Some(id)) => Ok(*id),
            Some(None) | None => Err(Refusal::ExecutionDoesNotExist { arn: arn.clone() }),
        }
    }

    pub(super) fn timer_due(&mut self, key: TimerKey, now: Timestamp) {
        // Whatever the timer was for, it has fired. It was due when it was read, and a clock that was set back
        // since must not make its execution take it for one that is early: it would never come again.
        self.batch.timers.insert(key, Change::Delete);
        if key.kind == TimerKind::RedriveOver {
            return self.redrive_is_over(key);
        }
        self.step(key.execution, Event::Timer(Timer { row: key.row, kind: key.kind }), now.max(key.due));
    }

    pub(super) fn go_on(&mut self, id: ExecutionId, now: Timestamp) {
        let is_new = match self.executions.get(&id) {
            Some(Known::Running(resident)) => resident.is_new(),
            Some(Known::Ended(_) | Known::Absent) | None => false,
        };
        self.step(id, if is_new { Event::Start } else { Event::Continue }, now);
    }

    /// Takes a running execution through an event; says whether the event was still awaited.
    pub(super) fn step(&mut self, id: ExecutionId, event: Event, now: Timestamp) -> bool {
        let generation = self.generation;
        let Some(Known::Running(resident)) = self.executions.get_mut(&id, generation) else { return false };
        if resident.ending.is_some() {
            return false;
        }
        let world = World {
            activities: &self.activities,
            link_maker: self.options.link_maker.as_ref(),
            stopwatch: self.options.stopwatch,
            time_scale: self.options.time_scale,
        };
        let state = &mut resident.state;
        let transition = match &resident.revision.definition {
            Ok(definition) => asl::step(definition, state, event, now, &world),
            // A redrive goes on when the definition can be read again.
            Err(invalid) => {
                let error = ErrorOutput::new("States.Runtime", invalid.to_string());
                asl::interpreter::fail_undefined(state, error, now, &world)
            }
        };
        if !transition.accepted {
            return false;
        }
        if resident.events.is_empty() {
            resident.events = transition.history;
        } else {
            resident.events.extend(transition.history);
        }
        self.touched.insert(id);
        if transition.more {
            self.owe(Input::Continue(id));
        }
        let mut offered = Vec::new();
        for command in transition.commands {
            self.command(id, command, now, &mut offered);
        }
        for arn in offered {
            self.hand_out(&arn, now);
        }
        true
    }

    fn command(&mut self, execution: ExecutionId, command: Command, now: Timestamp, offered: &mut Vec<Text>) {
        match command {
            Command::StartTask { row, attempt } => {
                let key = RowKey { execution, row };
                self.starting.insert(key, attempt);
                self.batch.dispatched.insert(key, Change::Put(attempt));
            }
            Command::OfferActivity { row, attempt, activity_arn } => {
                self.offer_activity(&activity_arn, QueuedTask { execution, row, attempt, scheduled_at: now });
                offered.push(activity_arn);
            }
            Command::AskCallback { row, attempt, request } => {
                self.keep_request(TaskKey { execution, row, attempt }, 0, *request);
            }
            Command::StartChild(child) => self.start_child(execution, *child, now),
            Command::MapRun { row, run } => self.show_map_run(execution, row, &run),
            Command::StopChild(child) | Command::RedriveChild { child, .. } => self.plan_to_settle(child),
            Command::CancelTask { row, attempt } => self.cancel_task(TaskKey { execution, row, attempt }),
            Command::SetTimer { timer: Timer { row, kind }, due } => {
                self.batch.timers.insert(TimerKey { due, execution, row, kind }, Change::Put(()));
            }
            Command::ClearTimer { timer: Timer { row, kind }, due } => {
                self.batch.timers.insert(TimerKey { due, execution, row, kind }, Change::Delete);
            }
            Command::End(ending) => self.end(execution, ending, now),
        }
    }

    fn cancel_task(&mut self, task: TaskKey) {
        let key = task.row_key();
        self.withdraw_activity(key);
        self.batch.dispatched.insert(key, Change::Delete);
        if self.starting.remove(&key).is_none() {
            self.effects.push(Effect::CancelTask(task));
        }
    }

    fn end(&mut self, id: ExecutionId, ending: asl::interpreter::Ending, now: Timestamp) {
        let generation = self.generation;
        let Some(Known::Running(resident)) = self.executions.get_mut(&id, generation) else { return };
        resident.end_record(&ending, now);
        if resident.state.is_stopped() {
            resident.record.redrives.get_or_insert_default();
        }
        resident.ending = Some(ending);
        resident.owes_end = resident.record.parent.is_some() && !resident.is_abandoned;
        let owes_end = resident.owes_end;
        if resident.state.is_stopped()
            && let Some(timer) = redrive_over(id, &resident.record)
        {
            self.batch.timers.insert(timer, Change::Put(()));
        }
        if owes_end {
            self.owe(Input::DeliverEnd(id));
        }
    }
}

/// Where an execution stands in the lists of its machine, its version and its alias.
pub(super) fn listing_keys(id: ExecutionId, record: &ExecutionRecord) -> impl Iterator<Item = ListingKey> {
    let lists = [record.machine_id].into_iter().chain(record.lists.iter().flatten().copied());
    let (status, at) = (record.status, record.stopped_at.or(record.redriven_at).unwrap_or(record.started_at));
    lists.map(move |machine_id| ListingKey { machine_id, status, at, execution: id })
}
