//! Clients: each has one thing to ask for and asks until it has an answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use asl::definition::MachineType;
use asl::interpreter::{ErrorOutput, ExecutionId};
use asl::{Data, Timestamp};
use engine::arn::{ActivityArn, ExecutionArn, StateMachineArn};
use engine::shard::{Fresh, Reply, Request};
use engine::{
    CreateActivity, CreateStateMachine, MachineKind, RedriveExecution, Refusal, StartExecution, Started,
    StopExecution, UpdateStateMachine,
};
use store::ExecutionStatus;

use super::env::{Env, Happening};
use super::workload::{self, ACTIVITIES};

/// How many executions a run starts.
const EXECUTIONS: std::ops::RangeInclusive<i64> = 1..=16;
/// How long after the machines are there the last client comes.
const STARTS_WITHIN_MILLISECONDS: i64 = 20_000;
/// The same of clients that redrive what has ended by then.
const REDRIVES_WITHIN_MILLISECONDS: i64 = 120_000;

pub(super) struct Clients {
    clients: Vec<Client>,
    machines: Vec<Machine>,
    /// Clients without which the others have nothing to do.
    setup_left: usize,
    left: usize,
    /// What clients were told.
    pub(super) started: Vec<(Started, Data)>,
    pub(super) stopped: Vec<(ExecutionArn, Timestamp)>,
    /// Executions that a client asked to stop, whatever it was told.
    pub(super) stops: Vec<ExecutionArn>,
    /// Executions that a client asked to redrive, with how many asked.
    pub(super) redrives: BTreeMap<ExecutionArn, usize>,
    /// Redrives of which a client was told.
    pub(super) redriven: Vec<(ExecutionArn, Timestamp)>,
    pub(super) clock_jumps: bool,
}

struct Client {
    action: Action,
    is_done: bool,
    /// Of an execution that is to be stopped or redriven, once it was picked.
    arn: Option<ExecutionArn>,
}

#[derive(Debug, Clone)]
enum Action {
    CreateActivity(usize),
    CreateMachine(usize),
    UpdateMachine(usize),
    Start { machine: usize, name: Option<String>, input: Data },
    Stop,
    Redrive,
}

struct Machine {
    arn: StateMachineArn,
    definition: String,
    /// What it is updated to.
    later: String,
}

impl Clients {
    pub(super) fn new(env: &mut Env) -> Clients {
        let random = &mut env.random;
        let machine = |index: usize| {
            let name = format!("machine{index}");
            StateMachineArn::new("us-east-1", "123456789012", &name).expect("the name is valid")
        };
        let machines: Vec<Machine> = (0..1 + random.below(3))
            .map(|index| Machine {
                arn: machine(index),
                definition: workload::definition(random),
                later: workload::definition(random),
            })
            .collect();
        let activities = (0..ACTIVITIES.len()).map(Action::CreateActivity);
        let mut actions: Vec<Action> =
            activities.chain((0..machines.len()).map(Action::CreateMachine)).collect();
        let setup_left = actions.len();
        for number in 0..env.random.between(EXECUTIONS) {
            plan_starts(number, machines.len(), &mut actions, env);
        }
        let clients: Vec<Client> =
            actions.into_iter().map(|action| Client { action, is_done: false, arn: None }).collect();
        for index in 0..setup_left {
            env.after(0, Happening::Client(index));
        }
        Clients {
            left: clients.len(),
            clients,
            machines,
            setup_left,
            started: Vec::new(),
            stopped: Vec::new(),
            stops: Vec::new(),
            redrives: BTreeMap::new(),
            redriven: Vec::new(),
            clock_jumps: env.faults.clock_jump > 0,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// What a client asks for now.
    pub(super) fn request(&mut self, index: usize, env: &mut Env) -> Option<Request> {
        if self.clients[index].is_done {
            return None;
        }
        let request = match self.clients[index].action.clone() {
            Action::CreateActivity(activity) => Request::CreateActivity(CreateActivity {
                arn: activity_arn(activity),
                encryption: None,
                tags: Vec::new(),
            }),
            Action::CreateMachine(machine) => {
                Request::CreateStateMachine(Box::new(create(&self.machines[machine])))
            }
            Action::UpdateMachine(machine) => {
                let revision = format!("revision{}", env.number());
                Request::UpdateStateMachine(Box::new(update(&self.machines[machine])), revision)
            }
            Action::Start { machine, name, input } => {
                let id = (u128::from(env.clock().as_milliseconds().unsigned_abs()) << 80)
                    | u128::from(env.number());
                let fresh = Fresh { id: ExecutionId(id), seed: env.random.bytes() };
                let state_machine = self.machines[machine].arn.clone().into();
                let request =
                    StartExecution { state_machine, name, input, trace_header: None, test_case: None };
                Request::StartExecution(Box::new(request), fresh)
            }
            Action::Stop => Request::StopExecution(self.stop(index, env)?),
            Action::Redrive => Request::RedriveExecution(self.redrive(index, env)?),
        };
        Some(request)
    }

    fn stop(&mut self, index: usize, env: &mut Env) -> Option<StopExecution> {
        if self.clients[index].arn.is_none() {
            if self.started.is_empty() || !env.is_faulty {
                self.done(index, env);
                return None;
            }
            let (started, _) = env.random.pick(&self.started);
            self.clients[index].arn = Some(started.arn.clone());
            self.stops.push(started.arn.clone());
        }
        let arn = self.clients[index].arn.clone()?;
        Some(StopExecution { arn, reason: ErrorOutput::new("Stopped", "a client wanted it") })
    }

    fn redrive(&mut self, index: usize, env: &mut Env) -> Option<RedriveExecution> {
        if self.clients[index].arn.is_none() {
            let Some(arn) = self.redrivable(env) else {
                self.done(index, env);
                return None;
            };
            *self.redrives.entry(arn.clone()).or_default() += 1;
            self.clients[index].arn = Some(arn);
        }
        let arn = self.clients[index].arn.clone()?;
        Some(RedriveExecution { arn, token: Some(format!("client{index}")) })
    }

    /// Some execution, mostly one that can be redriven.
    fn redrivable(&self, env: &mut Env) -> Option<ExecutionArn> {
        if self.started.is_empty() || !env.is_faulty {
            return None;
        }
        let is_unsuccessful = |started: &Started| {
            let status = env.store.executions.get(&started.id);
            status.is_some_and(|status| {
                !matches!(status, ExecutionStatus::Running | ExecutionStatus::Succeeded)
            })
        };
        let unsuccessful: Vec<&Started> = self
            .started
            .iter()
            .map(|(started, _)| started)
            .filter(|started| is_unsuccessful(started))
            .collect();
        if unsuccessful.is_empty() || env.random.chance(200) {
            return Some(env.random.pick(&self.started).0.arn.clone());
        }
        Some(env.random.pick(&unsuccessful).arn.clone())
    }

    /// A client is answered; without an answer it asks again.
    pub(super) fn replied(&mut self, index: usize, reply: Option<Reply>, env: &mut Env) {
        if self.clients[index].is_done {
            return;
        }
        match (&self.clients[index].action, reply) {
            (_, None) => {
                let wait = env.random.between(20..=800);
                return env.after(wait, Happening::Client(index));
            }
            (
                Action::Start { name: Some(_), .. },
                Some(Reply::Refused(Refusal::ExecutionAlreadyExists { .. })),
            )
            | (
                Action::CreateActivity(_) | Action::CreateMachine(_) | Action::UpdateMachine(_),
                Some(Reply::At(_) | Reply::Created(_) | Reply::Updated(_)),
            ) => {}
            (Action::Start { input, .. }, Some(Reply::Started(started))) => {
                self.started.push((started, input.clone()));
            }
            (Action::Stop, Some(Reply::At(at))) => {
                let arn = self.clients[index].arn.clone().expect("it was picked before it was stopped");
                self.stopped.push((arn, at));
            }
            (Action::Redrive, Some(Reply::At(at))) => {
                let arn = self.clients[index].arn.clone().expect("it was picked before it was redriven");
                self.redriven.push((arn, at));
            }
            (Action::Redrive, Some(Reply::Refused(Refusal::ExecutionNotRedrivable(_)))) => {}
            (action, Some(reply)) => env.violated(|| format!("{action:?} was answered with {reply:?}")),
        }
        self.done(index, env);
    }

    fn done(&mut self, index: usize, env: &mut Env) {
        self.clients[index].is_done = true;
        self.left -= 1;
        if index < self.setup_left_first() {
            self.setup_left -= 1;
            if self.setup_left == 0 {
                self.begin(env);
            }
        }
    }

    /// How many clients set the others up; they come first.
    fn setup_left_first(&self) -> usize {
        ACTIVITIES.len() + self.machines.len()
    }

    fn begin(&mut self, env: &mut Env) {
        for index in self.setup_left_first()..self.clients.len() {
            let last = match self.clients[index].action {
                Action::Redrive => REDRIVES_WITHIN_MILLISECONDS,
                _ => STARTS_WITHIN_MILLISECONDS,
            };
            let wait = env.random.between(0..=last);
            env.after(wait, Happening::Client(index));
        }
    }
}

/// A client that starts an execution, and now and then others that use the same name or stop something.
fn plan_starts(number: i64, machines: usize, actions: &mut Vec<Action>, env: &mut Env) {
    let random = &mut env.random;
    let machine = random.below(machines);
    let input = |n: i64| Data::from(serde_json::json!({ "n": n }));
    let n = random.between(0..=400);
    let name = random.chance(500).then(|| format!("execution{number}"));
    actions.push(Action::Start { machine, name: name.clone(), input: input(n) });
    if name.is_some() && random.chance(300) {
        actions.push(Action::Start { machine, name: name.clone(), input: input(n) });
    }
    if name.is_some() && random.chance(100) {
        actions.push(Action::Start { machine, name, input: input(n + 1) });
    }
    if random.chance(50) {
        actions.push(Action::UpdateMachine(machine));
    }
    if random.chance(env.faults.stop) {
        actions.push(Action::Stop);
    }
    while random.chance(env.faults.redrive) {
        actions.push(Action::Redrive);
    }
}

pub(super) fn activity_arn(activity: usize) -> ActivityArn {
    ActivityArn::new("us-east-1", "123456789012", ACTIVITIES[activity]).expect("the name is valid")
}

fn parse(definition: &str) -> Arc<asl::Definition> {
    let parsed = asl::definition::parse(definition, MachineType::Standard);
    let diagnostics = parsed.diagnostics;
    Arc::new(parsed.definition.unwrap_or_else(|| panic!("{definition} is not valid: {diagnostics:?}")))
}

fn create(machine: &Machine) -> CreateStateMachine {
    CreateStateMachine {
        arn: machine.arn.clone(),
        kind: MachineKind::Standard,
        text: machine.definition.as_str().into(),
        definition: parse(&machine.definition),
        role_arn: "arn:aws:iam::123456789012:role/role".to_owned(),
        logging: None,
        tracing: None,
        encryption: None,
        tags: Vec::new(),
        publish: None,
    }
}

fn update(machine: &Machine) -> UpdateStateMachine {
    UpdateStateMachine {
        arn: machine.arn.clone(),
        definition: Some((machine.later.as_str().into(), parse(&machine.later))),
        role_arn: None,
        logging: None,
        tracing: None,
        encryption: None,
        publish: None,
    }
}
