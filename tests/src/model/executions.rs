//! Executions: started, described, stopped; and the Map Runs that they have.

use serde_json::{Value, json};

use super::kind::{Course, End, Kind};
use super::machines::{Machine, Members, Revision, described, no_machine};
use super::names::{Reference, execution_arn, given, is_bad_name, machine_arn};
use super::pattern::{Expected, Pattern, Settle, Slot, text};
use super::redrive::Redrives;
use super::service::Service;

const INVALID_INPUT: &str = "Invalid State Machine Execution Input: ";
const WRONG_TYPE: &str = "This operation is not supported by this type of state machine";

#[derive(Debug, Clone)]
pub(super) struct Execution {
    /// The number of its machine.
    pub(super) of: u64,
    pub(super) machine: String,
    pub(super) name: Pattern,
    pub(super) arn: Arn,
    pub(super) input: String,
    pub(super) revision: Revision,
    pub(super) version: Option<u32>,
    /// The name of the alias, and what tells it from another that had its name.
    pub(super) alias: Option<(String, Slot)>,
    pub(super) started: Slot,
    pub(super) stopped: Option<Slot>,
    pub(super) status: &'static str,
    pub(super) output: Option<Value>,
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) events: Vec<&'static str>,
    pub(super) map_run: Option<MapRun>,
    pub(super) redrives: Redrives,
}

/// An ARN that follows from a name, or one that the server has chosen.
#[derive(Debug, Clone)]
pub(super) enum Arn {
    Named(String),
    Chosen(Slot),
}

#[derive(Debug, Clone)]
pub(super) struct MapRun {
    pub(super) arn: Slot,
    pub(super) started: Slot,
    pub(super) stopped: Slot,
    pub(super) items: usize,
}

impl Execution {
    pub(super) fn is_running(&self) -> bool {
        self.status == "RUNNING"
    }

    pub(super) fn machine_arn(&self) -> String {
        machine_arn(&self.machine)
    }

    /// The members that name the version and the alias.
    pub(super) fn leads(&self) -> Vec<(&'static str, Pattern)> {
        let arn = self.machine_arn();
        let version =
            self.version.map(|version| ("stateMachineVersionArn", format!("{arn}:{version}").into()));
        let alias =
            self.alias.as_ref().map(|(alias, _)| ("stateMachineAliasArn", format!("{arn}:{alias}").into()));
        version.into_iter().chain(alias).collect()
    }

    pub(super) fn end(&mut self, end: End, events: &[&'static str], stopped: Slot) {
        self.events.extend(events);
        self.stopped = Some(stopped);
        match end {
            End::Output(output) => (self.status, self.output) = ("SUCCEEDED", Some(output)),
            End::Error { error, cause } => {
                (self.status, self.error, self.cause) = ("FAILED", Some(error), cause);
            }
        }
    }
}

impl Arn {
    pub(super) fn pattern(&self) -> Pattern {
        match self {
            Arn::Named(arn) => arn.as_str().into(),
            Arn::Chosen(slot) => (*slot).into(),
        }
    }
}

/// What a start leads to.
struct Target<'a> {
    machine: &'a Machine,
    version: Option<u32>,
    alias: Option<(String, Slot)>,
}

impl Target<'_> {
    fn revision(&self) -> &Revision {
        match self.version {
            Some(version) => &self.machine.versions[&version].revision,
            None => &self.machine.revision,
        }
    }
}

impl Service {
    /// The text of an ARN, once it is known.
    pub(super) fn arn_text<'a>(&'a self, arn: &'a Arn) -> Option<&'a str> {
        match arn {
            Arn::Named(arn) => Some(arn),
            Arn::Chosen(slot) => self.slots.known_text(*slot),
        }
    }

    pub(super) fn position(&self, arn: &str) -> Option<usize> {
        self.executions.iter().position(|execution| self.arn_text(&execution.arn) == Some(arn))
    }

    pub(super) fn execution_of(&self, members: &Members) -> Result<usize, Expected> {
        let arn = given(members, "executionArn");
        if !arn.starts_with("arn:") {
            return Err(Expected::invalid_arn(arn));
        }
        self.position(arn).ok_or_else(|| {
            Expected::refusal("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
        })
    }

    fn target(&self, arn: &str) -> Result<Target<'_>, Expected> {
        let Some(reference) = Reference::parse(arn) else { return Err(Expected::invalid_arn(arn)) };
        let missing = || no_machine(arn);
        let machine = self.machines.get(reference.name).ok_or_else(missing)?;
        let (version, alias) = match (reference.qualifier, reference.version()) {
            (None, _) => (None, None),
            (Some(_), Some(version)) => (Some(version), None),
            (Some(name), None) => {
                let alias = machine.aliases.get(name).ok_or_else(missing)?;
                let version =
                    alias.certain().expect("the clients start by aliases that leave nothing to chance");
                (Some(version), Some((name.to_owned(), alias.created)))
            }
        };
        if version.is_some_and(|version| !machine.versions.contains_key(&version)) {
            return Err(missing());
        }
        Ok(Target { machine, version, alias })
    }

    /// What is wrong with a start, whatever it starts; and the input.
    fn check_start(members: &Members) -> Result<(String, Value), Expected> {
        let arn = given(members, "stateMachineArn");
        if Reference::parse(arn).is_none() {
            return Err(Expected::invalid_arn(arn));
        }
        if let Some(name) = text(members, "name").filter(|name| is_bad_name(name)) {
            return Err(Expected::refusal("InvalidName", format!("Invalid Name: '{name}'")));
        }
        let input = text(members, "input").unwrap_or("{}");
        match serde_json::from_str(input) {
            Ok(value) => Ok((input.to_owned(), value)),
            Err(_) => {
                Err(Expected::refused("InvalidExecutionInput", Pattern::Begins(INVALID_INPUT), Vec::new()))
            }
        }
    }

    pub(super) fn start_execution(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineArn");
        let (input, value) = match Service::check_start(members) {
            Ok(input) => input,
            Err(refused) => return refused,
        };
        let target = match self.target(arn) {
            Ok(target) => target,
            Err(refused) => return refused,
        };
        let (of, revision) = (target.machine.number, target.revision().clone());
        let (version, alias, is_express) = (target.version, target.alias.clone(), target.machine.is_express);
        let machine = Reference::parse(arn).expect("it was looked at").name.to_owned();
        if is_express {
            let (arn, started) = (self.slots.fresh(), self.slots.fresh());
            return Expected::answer(vec![("executionArn", arn.into()), ("startDate", started.into())]);
        }
        let name = text(members, "name");
        if let Some(answer) =
            name.and_then(|name| self.started_before(&execution_arn(&machine, name), &input))
        {
            return answer;
        }
        let (name, arn) = match name {
            Some(name) => (name.into(), Arn::Named(execution_arn(&machine, name))),
            None => (self.slots.fresh().into(), Arn::Chosen(self.slots.fresh())),
        };
        let execution = Execution {
            of,
            machine,
            name,
            arn,
            input,
            revision,
            version,
            alias,
            started: self.slots.fresh(),
            stopped: None,
            status: "RUNNING",
            output: None,
            error: None,
            cause: None,
            events: Vec::new(),
            map_run: None,
            redrives: Redrives::default(),
        };
        self.begin(execution, &value)
    }

    /// What a start answers whose name is taken.
    fn started_before(&self, arn: &str, input: &str) -> Option<Expected> {
        let known = &self.executions[self.position(arn)?];
        Some(if known.is_running() && known.input == input {
            Expected::answer(vec![("executionArn", arn.into()), ("startDate", known.started.into())])
        } else {
            Expected::refusal("ExecutionAlreadyExists", format!("Execution Already Exists: '{arn}'"))
        })
    }

    /// Takes a new execution as far as it goes by itself.
    fn begin(&mut self, mut execution: Execution, input: &Value) -> Expected {
        let kind = execution.revision.kind.clone();
        let answer = Expected::answer(vec![
            ("executionArn", execution.arn.pattern()),
            ("startDate", execution.started.into()),
        ]);
        let mut settles = None;
        match kind.course(input, |activity| self.activities.contains_key(activity)) {
            Course::Waits { events } => execution.events = events,
            Course::Queues { activity, events } => {
                execution.events = events;
                let queue = &mut self.activities.get_mut(&activity).expect("it is there").queue;
                queue.push_back(self.executions.len());
            }
            Course::Ends { end, events } => {
                if kind == Kind::Distributed {
                    let items = input["items"].as_array().map_or(0, Vec::len);
                    let [arn, started, stopped] = [(); 3].map(|()| self.slots.fresh());
                    execution.map_run = Some(MapRun { arn, started, stopped, items });
                }
                execution.end(end, &events, self.slots.fresh());
                if kind.is_slow() {
                    let Arn::Named(arn) = &execution.arn else { panic!("the clients name what is slow") };
                    settles = Some(Settle::End(arn.clone()));
                }
            }
        }
        self.executions.push(execution);
        settles.into_iter().fold(answer, Expected::then)
    }

    pub(super) fn start_sync_execution(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineArn");
        let (input, value) = match Service::check_start(members) {
            Ok(input) => input,
            Err(refused) => return refused,
        };
        let target = match self.target(arn) {
            Ok(target) => target,
            Err(refused) => return refused,
        };
        if !target.machine.is_express {
            return Expected::refusal("StateMachineTypeNotSupported", WRONG_TYPE);
        }
        let course = target.revision().kind.course(&value, |_| false);
        let Course::Ends { end, .. } = course else { panic!("an Express execution ends by itself") };
        let machine = Reference::parse(arn).expect("it was looked at").name;
        let is_hidden = text(members, "includedData") == Some("METADATA_ONLY");
        let name = match text(members, "name") {
            Some(name) => name.into(),
            None => self.slots.fresh().into(),
        };
        let mut answer = vec![
            ("executionArn", self.slots.fresh().into()),
            ("stateMachineArn", machine_arn(machine).into()),
            ("name", name),
            ("startDate", self.slots.fresh().into()),
            ("stopDate", self.slots.fresh().into()),
            ("inputDetails", json!({"included": !is_hidden}).into()),
            ("outputDetails", json!({"included": !is_hidden}).into()),
            ("billingDetails", self.slots.fresh().into()),
        ];
        let shown = |pattern: Pattern| Some(pattern).filter(|_| !is_hidden);
        answer.extend(shown(input.into()).map(|input| ("input", input)));
        match end {
            End::Output(output) => {
                answer.push(("status", "SUCCEEDED".into()));
                answer.extend(shown(Pattern::Json(output)).map(|output| ("output", output)));
            }
            End::Error { error, cause } => {
                answer.extend([("status", "FAILED".into()), ("error", error.into())]);
                answer.extend(cause.map(|cause| ("cause", cause.into())));
            }
        }
        Expected::answer(answer)
    }

    pub(super) fn stop_execution(&mut self, members: &Members) -> Expected {
        let at = match self.execution_of(members) {
            Ok(at) => at,
            Err(refused) => return refused,
        };
        if self.executions[at].is_running() {
            let stopped = self.slots.fresh();
            let reason = |name| text(members, name).map(str::to_owned);
            self.abort(at, stopped, reason("error"), reason("cause"));
        }
        let stopped = self.executions[at].stopped.expect("it has ended");
        Expected::answer(vec![("stopDate", stopped.into())])
    }

    /// Ends an execution from outside. Its task leaves the queue.
    pub(super) fn abort(&mut self, at: usize, stopped: Slot, error: Option<String>, cause: Option<String>) {
        let execution = &mut self.executions[at];
        execution.events.push("ExecutionAborted");
        (execution.status, execution.stopped) = ("ABORTED", Some(stopped));
        (execution.error, execution.cause) = (error, cause);
        for activity in self.activities.values_mut() {
            activity.queue.retain(|queued| *queued != at);
        }
    }

    /// Ends an execution as its task was answered.
    pub(super) fn finish(&mut self, at: usize, answer: End) {
        let stopped = self.slots.fresh();
        let execution = &mut self.executions[at];
        let (end, events) = execution.revision.kind.answered(answer);
        execution.end(end, &events, stopped);
    }

    pub(super) fn describe_execution(&mut self, members: &Members) -> Expected {
        let execution = match self.execution_of(members) {
            Ok(at) => &self.executions[at],
            Err(refused) => return refused,
        };
        let is_hidden = text(members, "includedData") == Some("METADATA_ONLY");
        let included = || json!({"included": !is_hidden}).into();
        let why_not = self.not_redrivable(execution);
        let redrive = if why_not.is_some() { "NOT_REDRIVABLE" } else { "REDRIVABLE" };
        let mut answer = vec![
            ("executionArn", execution.arn.pattern()),
            ("stateMachineArn", execution.machine_arn().into()),
            ("name", execution.name.clone()),
            ("status", execution.status.into()),
            ("startDate", execution.started.into()),
            ("inputDetails", included()),
            ("redriveStatus", redrive.into()),
        ];
        answer.extend(execution.redrives.shown());
        answer.extend(execution.stopped.map(|stopped| ("stopDate", stopped.into())));
        let shown = |pattern: Pattern| Some(pattern).filter(|_| !is_hidden);
        answer.extend(shown(execution.input.as_str().into()).map(|input| ("input", input)));
        if let Some(output) = &execution.output {
            answer.push(("outputDetails", included()));
            answer.extend(shown(Pattern::Json(output.clone())).map(|output| ("output", output)));
        }
        answer.extend(execution.error.clone().map(|error| ("error", error.into())));
        answer.extend(execution.cause.clone().map(|cause| ("cause", cause.into())));
        answer.extend(execution.leads());
        answer.extend(why_not.map(|reason| ("redriveStatusReason", reason.into())));
        Expected::answer(answer)
    }

    pub(super) fn describe_machine_for_execution(&mut self, members: &Members) -> Expected {
        let execution = match self.execution_of(members) {
            Ok(at) => &self.executions[at],
            Err(refused) => return refused,
        };
        let mut answer = described(&execution.machine, &execution.revision, members);
        answer.push(("stateMachineArn", execution.machine_arn().into()));
        answer.push(("updateDate", execution.revision.updated.into()));
        Expected::answer(answer)
    }

    fn map_run_of(&self, members: &Members) -> Result<(&Execution, &MapRun), Expected> {
        let arn = given(members, "mapRunArn");
        if !arn.starts_with("arn:") {
            return Err(Expected::invalid_arn(arn));
        }
        let runs =
            self.executions.iter().filter_map(|execution| Some((execution, execution.map_run.as_ref()?)));
        let mut runs = runs.filter(|(_, run)| self.slots.known_text(run.arn) == Some(arn));
        runs.next()
            .ok_or_else(|| Expected::refusal("ResourceNotFound", format!("Resource not found: '{arn}'")))
    }

    pub(super) fn describe_map_run(&mut self, members: &Members) -> Expected {
        let (execution, run) = match self.map_run_of(members) {
            Ok(found) => found,
            Err(refused) => return refused,
        };
        let counts = json!({
            "pending": 0, "running": 0, "succeeded": run.items, "failed": 0, "timedOut": 0, "aborted": 0,
            "total": run.items, "resultsWritten": run.items,
        });
        Expected::answer(vec![
            ("mapRunArn", run.arn.into()),
            ("executionArn", execution.arn.pattern()),
            ("status", "SUCCEEDED".into()),
            ("startDate", run.started.into()),
            ("stopDate", run.stopped.into()),
            ("maxConcurrency", json!(0).into()),
            ("toleratedFailurePercentage", json!(0.0).into()),
            ("toleratedFailureCount", json!(0).into()),
            ("itemCounts", counts.clone().into()),
            ("executionCounts", counts.into()),
        ])
    }

    pub(super) fn update_map_run(&mut self, members: &Members) -> Expected {
        match self.map_run_of(members) {
            Ok(_) => Expected::refused(
                "ValidationException",
                "Map Run has already completed and cannot be updated.".into(),
                vec![("reason", "CANNOT_UPDATE_COMPLETED_MAP_RUN".into())],
            ),
            Err(refused) => refused,
        }
    }
}
