//! Many executions, one input at a time, without a clock, a socket or a disk.
//!
//! The shard never reads the store. [`Shard::missing`] says what an input needs; the driver loads it and
//! passes it in. What [`Shard::handle`] changes gathers until [`Shard::seal`] gives it out as one batch with
//! the effects that wait for it.

mod activities;
mod cache;
mod callbacks;
mod children;
mod executions;
mod express;
mod input;
mod machines;
mod map_runs;
mod mocks;
mod module_aliases;
mod modules;
mod nested;
mod observing;
mod output;
mod published;
mod redrive;
mod resident;
mod seal;
mod secrets;
mod settle;
mod tags;
mod tasks;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use asl::Timestamp;
use asl::data::allowance::{Stopwatch, stopped};
use asl::interpreter::{AttemptId, ExecutionId, LinkMaker, Surroundings, TimeScale};
use store::{Batch, RowKey, SecretKey, SecretRecord};

use crate::hash::OwnNumbers;

pub use input::{
    Fresh, Input, Loaded, LoadedExecution, Missing, Reply, ReplyTo, Request, Snapshot, TaskAnswer, TaskKey,
    TaskReturned,
};
pub use machines::machine_type;
pub use mocks::Mocks;
pub use output::{Effect, Output};
pub use published::Target;
pub(crate) use published::target;
pub use tags::TAGS_MAX;

use crate::observer::Observed;

use activities::Activities;
use cache::Cache;
use machines::{Machine, Revision};
use modules::KnownModule;
use redrive::Kept;
use resident::Known;

/// Bounds of a shard.
#[derive(Debug, Clone)]
pub struct Options {
    pub shard: u32,
    pub epoch: u64,
    /// Executions kept in memory; the others are loaded when something happens to them.
    pub executions_resident_max: usize,
    /// AWS quota: 1,000 workers may poll one activity at once.
    pub activity_pollers_max: usize,
    /// What makes callback links; without it no task has them.
    pub link_maker: Option<LinkMaker>,
    /// What observers are told.
    pub observed: Observed,
    /// Whether executions are stored; without it all of them stay in memory, and are gone with their end.
    pub keeps_executions: bool,
    /// Limits the time that a step may compute. Without one that runs, each expression alone has a limit.
    pub stopwatch: Stopwatch,
    /// How long the times that definitions ask for last. Timers that were set with another scale stay as they are.
    pub time_scale: TimeScale,
    /// Test cases that executions may be started with.
    pub mocks: Arc<Mocks>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            shard: 0,
            epoch: 1,
            executions_resident_max: 2_048,
            activity_pollers_max: 1_000,
            link_maker: None,
            observed: Observed::Nothing,
            keeps_executions: true,
            stopwatch: stopped,
            time_scale: TimeScale::REAL,
            mocks: Arc::default(),
        }
    }
}

/// Machines, names and modules kept in memory, of each kind.
const CATALOG_ENTRIES_MAX: usize = 1_024;

/// What a step sees of the world.
struct World<'a> {
    activities: &'a Activities,
    link_maker: Option<&'a LinkMaker>,
    stopwatch: Stopwatch,
    time_scale: TimeScale,
}

impl Surroundings for World<'_> {
    fn activity_exists(&self, arn: &str) -> bool {
        self.activities.exists(arn)
    }

    fn link_maker(&self) -> Option<&LinkMaker> {
        self.link_maker
    }

    fn stopwatch(&self) -> Stopwatch {
        self.stopwatch
    }

    fn time_scale(&self) -> TimeScale {
        self.time_scale
    }
}

#[derive(Debug)]
pub struct Shard {
    options: Options,
    /// The last number given out.
    sequence: u64,
    /// The batch that is being gathered; the first is 1.
    generation: u64,
    /// The newest batch that is durable.
    durable: u64,
    batch: Batch,
    effects: Vec<Effect>,
    /// Attempts to start, unless they are cancelled before the batch is sealed.
    starting: BTreeMap<RowKey, AttemptId>,
    /// Executions with something to write in this batch.
    touched: BTreeSet<ExecutionId>,
    /// What the shard owes itself, in turn: executions that have steps to go, ends to tell parents, children to
    /// stop.
    owed: VecDeque<Input>,
    /// Who waits for the end of which Express execution.
    awaited: BTreeMap<ExecutionId, ReplyTo>,
    executions: Cache<ExecutionId, Known, OwnNumbers>,
    /// What executions that have ended have kept: of those whose end is not durable, and of those that are asked for.
    kept: BTreeMap<ExecutionId, Kept>,
    names: Cache<(String, String), Option<ExecutionId>>,
    machines: Cache<String, Option<Machine>>,
    revisions: Cache<u64, Arc<Revision>>,
    modules: Cache<String, Option<KnownModule>>,
    /// Whether versions of modules exist.
    module_versions: Cache<(String, u32), bool>,
    secrets: Cache<SecretKey, Option<SecretRecord>>,
    activities: Activities,
}

impl Shard {
    pub fn new(options: Options, snapshot: Snapshot) -> Shard {
        let executions = Cache::new(options.executions_resident_max);
        Shard {
            batch: Batch::new(options.shard, options.epoch),
            activities: Activities::new(options.activity_pollers_max, snapshot.activities),
            options,
            sequence: snapshot.sequence,
            generation: 1,
            durable: 0,
            effects: Vec::new(),
            starting: BTreeMap::new(),
            touched: BTreeSet::new(),
            owed: VecDeque::new(),
            awaited: BTreeMap::new(),
            executions,
            kept: BTreeMap::new(),
            names: Cache::new(CATALOG_ENTRIES_MAX),
            machines: Cache::new(CATALOG_ENTRIES_MAX),
            revisions: Cache::new(CATALOG_ENTRIES_MAX),
            modules: Cache::new(CATALOG_ENTRIES_MAX),
            module_versions: Cache::new(CATALOG_ENTRIES_MAX),
            secrets: Cache::new(CATALOG_ENTRIES_MAX),
        }
    }

    /// What must be supplied before the input can be handled; asked again until there is nothing.
    pub fn missing(&self, input: &Input) -> Option<Missing> {
        match input {
            Input::Request { request, .. } => self.missing_for_request(request),
            Input::TaskReturned(TaskReturned { task, .. })
            | Input::TaskHeartbeat(task)
            | Input::TakeBack(task)
            | Input::Recover(task) => self.missing_execution(task.execution),
            Input::TimerDue(timer) => self.missing_for_timer(timer),
            Input::Continue(execution) => self.missing_execution(*execution),
            Input::SettleChild(child) => self.missing_to_settle(*child),
            Input::DeliverEnd(child) => self.missing_to_deliver(*child),
            Input::Withdraw(_) => None,
        }
    }

    fn missing_for_request(&self, request: &Request) -> Option<Missing> {
        match request {
            Request::CreateStateMachine(request) => self.missing_machine(request.arn.name()),
            Request::UpdateStateMachine(request, _) => self.missing_machine(request.arn.name()),
            Request::DeleteStateMachine(arn) | Request::ForgetStateMachine(arn) => {
                self.missing_machine(arn.name())
            }
            Request::PublishVersion(request) => self.missing_machine(request.arn.name()),
            Request::CreateAlias(request) => self.missing_machine(request.machine.name()),
            Request::UpdateAlias(request) => self.missing_machine(request.machine.name()),
            Request::DeleteVersion(machine, _) | Request::DeleteAlias(machine, _) => {
                self.missing_machine(machine.name())
            }
            Request::StartExecution(request, fresh) => self.missing_to_start(request, fresh),
            Request::Tag(resource, _) | Request::Untag(resource, _) => self.missing_tagged(resource),
            Request::StartExpress(..) => None,
            Request::StartForTask(request, fresh) => self.missing_to_start_for_task(request, fresh),
            Request::StopExecution(request) => {
                self.missing_named(request.arn.state_machine_name(), request.arn.name())
            }
            Request::RedriveExecution(request) => self.missing_to_redrive(request),
            Request::UpdateMapRun(request) => self.missing_execution(request.place.execution),
            Request::CreateActivity(_) | Request::DeleteActivity(_) => None,
            Request::GetActivityTask(arn, _) => self
                .activities
                .next_task(arn.as_str())
                .and_then(|task| self.missing_execution(task.execution)),
            Request::SendTask(token, _) | Request::AskCallback(token, _) => {
                self.missing_execution(token.execution)
            }
            Request::AnswerCallback(request) => self.missing_execution(request.task.execution),
            Request::ChangeModule(request) => self.missing_for_module(request),
            Request::PutSecret(request) => self.missing_secret(&request.key),
            Request::DeleteSecret(key) => self.missing_secret(key),
        }
    }

    /// Takes what was missing.
    pub fn supply(&mut self, loaded: Loaded) {
        match loaded {
            Loaded::Machine(name, found) => self.supply_machine(name, found),
            Loaded::Revision(number, record) => _ = self.revision(number, record),
            Loaded::Execution(id, found) => self.supply_execution(id, found),
            Loaded::Kept(id, found) => self.supply_kept(id, found.map(|found| *found)),
            Loaded::Name(machine, name, id) => self.names.insert((machine, name), id, 0),
            Loaded::Module(name, found) => {
                let known = found.map(|(head, latest)| KnownModule { head, latest });
                self.modules.insert(name, known, 0);
            }
            Loaded::ModuleVersion(name, version, exists) => {
                self.module_versions.insert((name, version), exists, 0);
            }
            Loaded::Secret(key, found) => self.secrets.insert(key, found, 0),
        }
    }

    /// Handles one input for which nothing is missing.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        match input {
            Input::Request { reply, request } => self.request(reply, request, now),
            Input::TaskReturned(returned) => self.task_returned(returned, now),
            Input::TaskHeartbeat(task) => self.task_heartbeat(task, now),
            Input::TimerDue(timer) => self.timer_due(timer, now),
            Input::Continue(execution) => self.go_on(execution, now),
            Input::DeliverEnd(child) => self.deliver_end(child, now),
            Input::SettleChild(child) => self.settle_child(child, now),
            Input::Withdraw(reply) => {
                if self.activities.withdraw(reply) {
                    self.reply(reply, Reply::ActivityTask(None));
                }
            }
            Input::TakeBack(task) => self.take_back(task, now),
            Input::Recover(task) => self.recover_task(task),
        }
    }

    fn request(&mut self, to: ReplyTo, request: Request, now: Timestamp) {
        let answer = match request {
            Request::CreateStateMachine(request) => self.create_machine(*request, now).map(Reply::Created),
            Request::UpdateStateMachine(request, id) => {
                self.update_machine(*request, id, now).map(Reply::Updated)
            }
            Request::PublishVersion(request) => self.publish_version(request, now).map(Reply::Published),
            Request::DeleteVersion(machine, version) => {
                self.delete_version(&machine, version).map(|()| Reply::Done)
            }
            Request::CreateAlias(request) => self.create_alias(request, now).map(Reply::At),
            Request::UpdateAlias(request) => self.update_alias(request, now).map(Reply::At),
            Request::DeleteAlias(machine, name) => self.delete_alias(&machine, &name).map(|()| Reply::Done),
            Request::DeleteStateMachine(arn) => self.delete_machine(&arn).map(|()| Reply::Done),
            Request::ForgetStateMachine(arn) => self.forget_machine(&arn).map(|()| Reply::Done),
            Request::StartExecution(request, fresh) => {
                self.start_execution(*request, fresh, now).map(Reply::Started)
            }
            Request::StartExpress(request, fresh) => match self.start_express(to, *request, fresh, now) {
                Some(answer) => answer,
                None => return,
            },
            Request::Tag(resource, tags) => self.tag(&resource, tags).map(|()| Reply::Done),
            Request::Untag(resource, keys) => self.untag(&resource, &keys).map(|()| Reply::Done),
            Request::StartForTask(request, fresh) => {
                self.start_for_task(*request, fresh, now).map(Reply::Started)
            }
            Request::StopExecution(request) => self.stop_execution(request, now).map(Reply::At),
            Request::RedriveExecution(request) => self.redrive_execution(&request, now).map(Reply::At),
            Request::UpdateMapRun(request) => self.update_map_run(&request, now).map(|()| Reply::Done),
            Request::CreateActivity(request) => self.create_activity(request, now).map(Reply::At),
            Request::DeleteActivity(arn) => self.delete_activity(&arn).map(|()| Reply::Done),
            // A poll is answered when there is a task.
            Request::GetActivityTask(arn, worker) => match self.poll_activity(to, &arn, worker, now) {
                Ok(()) => return,
                Err(refusal) => Err(refusal),
            },
            Request::SendTask(token, answer) => self.send_task(&token, answer, now).map(|()| Reply::Done),
            Request::AskCallback(token, request) => self.ask_callback(&token, *request).map(Reply::Asked),
            Request::AnswerCallback(request) => self.answer_callback(&request, now).map(Reply::At),
            Request::ChangeModule(request) => self.change_module(*request, now).map(Reply::ModuleChanged),
            Request::PutSecret(request) => self.put_secret(request, now).map(|()| Reply::Done),
            Request::DeleteSecret(key) => self.delete_secret(key).map(|()| Reply::Done),
        };
        self.reply(to, answer.unwrap_or_else(Reply::Refused));
    }

    fn reply(&mut self, to: ReplyTo, reply: Reply) {
        self.effects.push(Effect::Reply { to, reply });
    }

    /// The next number of the store's sequence.
    fn next_number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Batches up to this one are durable: what they wrote may be dropped from memory.
    pub fn committed(&mut self, generation: u64) {
        self.durable = generation;
        self.executions.trim(generation);
        self.let_go_of_kept(generation);
        self.names.trim(generation);
        self.machines.trim(generation);
        self.revisions.trim(generation);
        self.modules.trim(generation);
        self.module_versions.trim(generation);
        self.secrets.trim(generation);
    }
}
