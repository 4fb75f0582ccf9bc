//! What the clients do next: calls by chance, most of them on what is there, some on what is not.

use serde_json::{Value, json};

use super::client::Options;
use super::executions::Execution;
use super::kind::{BAD, EXPRESS_KINDS, Kind};
use super::lists::List;
use super::names::{BAD_NAMES, NOWHERE, ROLES, activity_arn, execution_arn, machine_arn};
use super::service::Service;
use crate::sim::random::Random;

const MACHINES: usize = 6;
const ACTIVITIES: usize = 3;
/// Names of executions are used again after so many.
const EXECUTIONS: usize = 400;
/// Of the executions that are there, the last so many are looked at.
const RECENT: usize = 40;
const ALIASES: [&str; 3] = ["live", "test", "old.1"];
const STATUSES: [&str; 5] = ["RUNNING", "SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"];
const TAG_KEYS: usize = 60;

/// One thing that a client does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Call(&'static str, Value),
    /// All pages of a list, each with at most so many items.
    List(List, usize),
}

/// Chooses steps for one client.
pub(super) struct Chooser<'a> {
    pub(super) random: &'a mut Random,
    pub(super) service: &'a Service,
    pub(super) options: &'a Options,
}

type Choose = fn(&mut Chooser<'_>) -> Step;

/// Kinds of steps and how often they are chosen.
const STEPS: &[(u32, Choose)] = &[
    (50, |chooser| chooser.create_machine()),
    (50, |chooser| chooser.update_machine()),
    (40, |chooser| chooser.describe_machine()),
    (12, |chooser| chooser.delete_machine()),
    (10, |chooser| chooser.validate()),
    (30, |chooser| chooser.publish_version()),
    (12, |chooser| chooser.delete_version()),
    (40, |chooser| chooser.create_alias()),
    (20, |chooser| chooser.update_alias()),
    (20, |chooser| chooser.describe_alias()),
    (8, |chooser| chooser.delete_alias()),
    (30, |chooser| chooser.tag()),
    (15, |chooser| chooser.untag()),
    (15, |chooser| chooser.list_tags()),
    (180, |chooser| chooser.start_execution()),
    (40, |chooser| chooser.start_sync_execution()),
    (40, |chooser| chooser.stop_execution()),
    (60, |chooser| chooser.redrive_execution()),
    (90, |chooser| chooser.describe_execution()),
    (30, |chooser| chooser.describe_machine_for_execution()),
    (15, |chooser| chooser.map_run()),
    (30, |chooser| chooser.create_activity()),
    (15, |chooser| chooser.describe_activity()),
    (6, |chooser| chooser.delete_activity()),
    (80, |chooser| chooser.poll()),
    (90, |chooser| chooser.send_task()),
    (70, |chooser| chooser.list()),
];

impl Chooser<'_> {
    pub(super) fn step(&mut self) -> Step {
        let whole: u32 = STEPS.iter().map(|(weight, _)| weight).sum();
        let mut drawn = u32::try_from(self.random.below(whole as usize)).expect("it is small");
        for (weight, choose) in STEPS {
            if drawn < *weight {
                return choose(self);
            }
            drawn -= weight;
        }
        unreachable!("a number below the sum of the weights")
    }

    fn own(&self, letter: char, number: usize) -> String {
        format!("{}{letter}{number}", self.options.own)
    }

    fn machine_name(&mut self) -> String {
        let number = self.random.below(MACHINES);
        self.own('m', number)
    }

    fn activity_name(&mut self) -> String {
        let number = self.random.below(ACTIVITIES);
        self.own('a', number)
    }

    /// A machine, one of its versions or of its aliases, or nothing.
    fn machine(&mut self) -> String {
        if self.random.chance(15) {
            return NOWHERE.to_owned();
        }
        machine_arn(&self.machine_name())
    }

    fn version(&mut self) -> String {
        let arn = self.machine();
        if arn == NOWHERE {
            return arn;
        }
        let name = arn.rsplit(':').next().unwrap_or_default();
        let last = self.service.machines.get(name).map_or(1, |machine| machine.next_version) as usize;
        // Mostly one of the last, and once in a while one that is not there yet.
        let back = self.random.below(4).min(last);
        format!("{arn}:{}", last - back)
    }

    fn alias(&mut self) -> String {
        let arn = self.machine();
        if arn == NOWHERE { arn } else { format!("{arn}:{}", self.random.pick(&ALIASES)) }
    }

    fn execution(&mut self) -> String {
        if self.random.chance(15) {
            return NOWHERE.to_owned();
        }
        if self.random.chance(50) {
            return execution_arn(&self.machine_name(), "nobody");
        }
        self.known_execution(|_| true).unwrap_or_else(|| execution_arn(&self.machine_name(), "nobody"))
    }

    /// One of the last executions of which something holds.
    fn known_execution(&mut self, holds: impl Fn(&Execution) -> bool) -> Option<String> {
        let recent = self.service.executions.iter().rev().filter(|execution| holds(execution)).take(RECENT);
        let arns: Vec<&str> = recent.filter_map(|execution| self.service.arn_text(&execution.arn)).collect();
        if arns.is_empty() { None } else { Some((*self.random.pick(&arns)).to_owned()) }
    }

    fn role(&mut self) -> &'static str {
        if self.random.chance(20) { "role" } else { self.random.pick::<&str>(&ROLES) }
    }

    fn definition(&mut self, is_express: bool) -> String {
        if self.random.chance(30) {
            return BAD.to_owned();
        }
        let mut kinds = EXPRESS_KINDS.to_vec();
        if !is_express {
            for number in 0..ACTIVITIES {
                let activity = self.own('a', number);
                kinds.extend([Kind::Work(activity.clone()), Kind::Careful(activity)]);
            }
            kinds.extend([Kind::Wait, Kind::Wait, Kind::Distributed]);
            if self.options.has_broken_function {
                kinds.push(Kind::Broken);
            }
        }
        self.random.pick(&kinds).text()
    }

    fn input(&mut self) -> String {
        let items: Vec<usize> = (0..self.random.below(4)).collect();
        json!({"n": self.random.below(10), "items": items}).to_string()
    }

    fn create_machine(&mut self) -> Step {
        let name = if self.random.chance(30) {
            (*self.random.pick(&BAD_NAMES)).to_owned()
        } else {
            self.machine_name()
        };
        // A request that was made before, as after a lost answer.
        if let Some(machine) = self.service.machines.get(&name)
            && self.random.chance(300)
        {
            let kind = super::machines::word(machine.is_express);
            let revision = &machine.revision;
            return Step::Call(
                "CreateStateMachine",
                json!({
                    "name": name, "definition": revision.definition, "roleArn": self.role(), "type": kind,
                    "tracingConfiguration": {"enabled": revision.is_traced}, "publish": self.random.chance(200),
                }),
            );
        }
        let is_express = self.random.chance(250);
        let mut members = json!({
            "name": name, "definition": self.definition(is_express), "roleArn": self.role(),
            "type": super::machines::word(is_express),
        });
        if self.random.chance(200) {
            members["tracingConfiguration"] = json!({"enabled": self.random.chance(500)});
        }
        if self.random.chance(200) {
            members["tags"] = self.tags();
        }
        if self.random.chance(250) {
            members["publish"] = json!(true);
        }
        if self.random.chance(100) {
            members["versionDescription"] = json!("first");
        }
        Step::Call("CreateStateMachine", members)
    }

    fn update_machine(&mut self) -> Step {
        let arn = if self.random.chance(30) { self.version() } else { self.machine() };
        let name = arn.rsplit(':').next().unwrap_or_default();
        let is_express = self.service.machines.get(name).is_some_and(|machine| machine.is_express);
        let mut members = json!({"stateMachineArn": arn});
        if self.random.chance(600) {
            members["definition"] = json!(self.definition(is_express));
        }
        if self.random.chance(200) {
            members["roleArn"] = json!(self.role());
        }
        if self.random.chance(200) {
            members["tracingConfiguration"] = json!({"enabled": self.random.chance(500)});
        }
        if self.random.chance(300) {
            members["publish"] = json!(true);
        }
        Step::Call("UpdateStateMachine", members)
    }

    fn describe_machine(&mut self) -> Step {
        let arn = if self.random.chance(300) { self.version() } else { self.machine() };
        Step::Call("DescribeStateMachine", self.maybe_hidden(json!({"stateMachineArn": arn})))
    }

    fn maybe_hidden(&mut self, mut members: Value) -> Value {
        if self.random.chance(200) {
            let data = if self.random.chance(500) { "METADATA_ONLY" } else { "ALL_DATA" };
            members["includedData"] = json!(data);
        }
        members
    }

    fn delete_machine(&mut self) -> Step {
        Step::Call("DeleteStateMachine", json!({"stateMachineArn": self.machine()}))
    }

    fn validate(&mut self) -> Step {
        let is_express = self.random.chance(500);
        let kind = super::machines::word(is_express);
        Step::Call(
            "ValidateStateMachineDefinition",
            json!({"definition": self.definition(is_express), "type": kind}),
        )
    }

    fn publish_version(&mut self) -> Step {
        let arn = self.machine();
        let mut members = json!({"stateMachineArn": arn});
        if self.random.chance(200) {
            let name = arn.rsplit(':').next().unwrap_or_default();
            let current = self.service.machines.get(name).and_then(|machine| machine.revision.id);
            let current = current.and_then(|id| self.service.slots.known_text(id));
            members["revisionId"] =
                json!(if self.random.chance(700) { current.unwrap_or("INITIAL") } else { "another" });
        }
        if self.random.chance(200) {
            members["description"] = json!("published");
        }
        Step::Call("PublishStateMachineVersion", members)
    }

    fn delete_version(&mut self) -> Step {
        let arn = if self.random.chance(30) { self.machine() } else { self.version() };
        Step::Call("DeleteStateMachineVersion", json!({"stateMachineVersionArn": arn}))
    }

    fn routes(&mut self) -> Value {
        let first = if self.random.chance(30) { self.machine() } else { self.version() };
        let route = |arn: &str, weight: u32| json!({"stateMachineVersionArn": arn, "weight": weight});
        if self.random.chance(500) {
            let weight = if self.random.chance(50) { 99 } else { 100 };
            return json!([route(&first, weight)]);
        }
        let second = match first.rsplit_once(':') {
            Some((machine, _)) if self.random.chance(900) => {
                format!("{machine}:{}", 1 + self.random.below(4))
            }
            _other => self.version(),
        };
        let weights = *self.random.pick(&[(100, 0), (0, 100), (50, 50), (70, 31)]);
        json!([route(&first, weights.0), route(&second, weights.1)])
    }

    fn create_alias(&mut self) -> Step {
        let mut members = json!({"name": self.random.pick(&ALIASES), "routingConfiguration": self.routes()});
        if self.random.chance(100) {
            members["description"] = json!("made");
        }
        Step::Call("CreateStateMachineAlias", members)
    }

    fn update_alias(&mut self) -> Step {
        let mut members = json!({"stateMachineAliasArn": self.alias()});
        if self.random.chance(700) {
            members["routingConfiguration"] = self.routes();
        }
        if self.random.chance(400) {
            members["description"] = json!("changed");
        }
        Step::Call("UpdateStateMachineAlias", members)
    }

    fn describe_alias(&mut self) -> Step {
        let arn = if self.random.chance(30) { self.version() } else { self.alias() };
        Step::Call("DescribeStateMachineAlias", json!({"stateMachineAliasArn": arn}))
    }

    fn delete_alias(&mut self) -> Step {
        Step::Call("DeleteStateMachineAlias", json!({"stateMachineAliasArn": self.alias()}))
    }

    /// Of different keys, since none may be there twice.
    fn tags(&mut self) -> Value {
        let count = if self.random.chance(30) { 51 } else { self.random.below(4) };
        let first = self.random.below(TAG_KEYS);
        let tag =
            |at: usize| json!({"key": format!("k{}", (first + at) % TAG_KEYS), "value": format!("v{first}")});
        (0..count).map(tag).collect()
    }

    fn tagged(&mut self) -> String {
        match self.random.below(10) {
            0 => self.version(),
            1..4 => activity_arn(&self.activity_name()),
            _machine => self.machine(),
        }
    }

    fn tag(&mut self) -> Step {
        Step::Call("TagResource", json!({"resourceArn": self.tagged(), "tags": self.tags()}))
    }

    fn untag(&mut self) -> Step {
        let arn = self.tagged();
        let name = arn.rsplit(':').next().unwrap_or_default();
        let machine = self.service.machines.get(name);
        let mut keys: Vec<String> =
            machine.map(|machine| machine.tags.keys().map(str::to_owned).collect()).unwrap_or_default();
        keys.truncate(self.random.below(30));
        keys.push(format!("k{}", self.random.below(TAG_KEYS)));
        Step::Call("UntagResource", json!({"resourceArn": arn, "tagKeys": keys}))
    }

    fn list_tags(&mut self) -> Step {
        Step::Call("ListTagsForResource", json!({"resourceArn": self.tagged()}))
    }

    /// A machine, a version, or an alias that leaves nothing to chance.
    fn startable(&mut self) -> String {
        match self.random.below(10) {
            0 | 1 => self.version(),
            2 | 3 => {
                let arn = self.alias();
                let Some((machine, alias)) = arn.rsplit_once(':') else { return arn };
                let name = machine.rsplit(':').next().unwrap_or_default();
                let known = self.service.machines.get(name).and_then(|machine| machine.aliases.get(alias));
                let is_chancy = known.is_some_and(|alias| alias.certain().is_none());
                if is_chancy { machine.to_owned() } else { arn }
            }
            _machine => self.machine(),
        }
    }

    fn start_execution(&mut self) -> Step {
        // The same start again, as after a lost answer.
        if self.random.chance(80)
            && let Some(arn) = self.known_execution(|execution| execution.is_running())
            && let Some(at) = self.service.position(&arn)
        {
            let (known, name) = (&self.service.executions[at], arn.rsplit(':').next().unwrap_or_default());
            let input = if self.random.chance(700) { known.input.clone() } else { self.input() };
            let members = json!({"stateMachineArn": known.machine_arn(), "name": name, "input": input});
            return Step::Call("StartExecution", members);
        }
        let arn = self.startable();
        let mut members = json!({"stateMachineArn": arn});
        if self.options.always_named || self.random.chance(700) || self.is_slow(&arn) {
            members["name"] = json!(format!("e{}", self.random.below(EXECUTIONS)));
        }
        if self.random.chance(15) {
            members["name"] = json!(self.random.pick(&BAD_NAMES));
        }
        members["input"] = json!(if self.random.chance(20) { "not json".to_owned() } else { self.input() });
        Step::Call("StartExecution", members)
    }

    /// Whether an execution may go on after its start was answered, so that it must have a name to be asked for.
    fn is_slow(&self, arn: &str) -> bool {
        let rest = arn.split(":stateMachine:").nth(1).unwrap_or_default();
        let machine = self.service.machines.get(rest.split(':').next().unwrap_or_default());
        machine.is_some_and(|machine| {
            let versions = machine.versions.values().map(|version| &version.revision);
            versions.chain([&machine.revision]).any(|revision| revision.kind.is_slow())
        })
    }

    fn start_sync_execution(&mut self) -> Step {
        let arn = self.startable();
        let mut members = json!({"stateMachineArn": arn, "input": self.input()});
        if self.random.chance(500) {
            members["name"] = json!(format!("e{}", self.random.below(EXECUTIONS)));
        }
        Step::Call("StartSyncExecution", self.maybe_hidden(members))
    }

    fn stop_execution(&mut self) -> Step {
        let running = self.known_execution(Execution::is_running).filter(|_| self.random.chance(700));
        let arn = running.unwrap_or_else(|| self.execution());
        let mut members = json!({"executionArn": arn});
        if self.random.chance(500) {
            members["error"] = json!("Stopped");
            members["cause"] = json!("by the client");
        }
        Step::Call("StopExecution", members)
    }

    fn redrive_execution(&mut self) -> Step {
        // The same redrive again, as after a lost answer.
        if self.random.chance(250)
            && let Some(arn) = self.known_execution(|execution| !execution.redrives.tokens.is_empty())
            && let Some(at) = self.service.position(&arn)
        {
            let tokens: Vec<&str> =
                self.service.executions[at].redrives.tokens.iter().map(|(token, _)| token.as_str()).collect();
            let members = json!({"executionArn": arn, "clientToken": self.random.pick(&tokens)});
            return Step::Call("RedriveExecution", members);
        }
        let is_unsuccessful =
            |execution: &Execution| execution.stopped.is_some() && execution.output.is_none();
        let failed = self.known_execution(is_unsuccessful).filter(|_| self.random.chance(850));
        let mut members = json!({"executionArn": failed.unwrap_or_else(|| self.execution())});
        if self.random.chance(600) {
            members["clientToken"] = json!(format!("t{}", self.random.below(20)));
        }
        Step::Call("RedriveExecution", members)
    }

    fn describe_execution(&mut self) -> Step {
        let members = json!({"executionArn": self.execution()});
        Step::Call("DescribeExecution", self.maybe_hidden(members))
    }

    fn describe_machine_for_execution(&mut self) -> Step {
        let members = json!({"executionArn": self.execution()});
        Step::Call("DescribeStateMachineForExecution", self.maybe_hidden(members))
    }

    fn map_run(&mut self) -> Step {
        let run = self.known_map_run().unwrap_or_else(|| NOWHERE.to_owned());
        if self.random.chance(500) {
            return Step::Call("DescribeMapRun", json!({"mapRunArn": run}));
        }
        Step::Call("UpdateMapRun", json!({"mapRunArn": run, "maxConcurrency": 3}))
    }

    fn known_map_run(&mut self) -> Option<String> {
        let runs = self.service.executions.iter().rev().filter_map(|execution| execution.map_run.as_ref());
        let arns: Vec<&str> =
            runs.filter_map(|run| self.service.slots.known_text(run.arn)).take(RECENT).collect();
        if arns.is_empty() { None } else { Some((*self.random.pick(&arns)).to_owned()) }
    }

    fn create_activity(&mut self) -> Step {
        let bad = self.random.chance(50);
        let name = if bad { (*self.random.pick(&BAD_NAMES)).to_owned() } else { self.activity_name() };
        Step::Call("CreateActivity", json!({"name": name}))
    }

    fn activity(&mut self) -> String {
        if self.random.chance(20) { NOWHERE.to_owned() } else { activity_arn(&self.activity_name()) }
    }

    fn describe_activity(&mut self) -> Step {
        Step::Call("DescribeActivity", json!({"activityArn": self.activity()}))
    }

    fn delete_activity(&mut self) -> Step {
        Step::Call("DeleteActivity", json!({"activityArn": self.activity()}))
    }

    fn poll(&mut self) -> Step {
        let busy = self.service.activities.iter().filter(|(_, activity)| !activity.queue.is_empty());
        let busy: Vec<&String> = busy.map(|(name, _)| name).collect();
        if !busy.is_empty() && self.random.chance(800) {
            let arn = activity_arn(self.random.pick::<&String>(&busy));
            return Step::Call("GetActivityTask", json!({"activityArn": arn, "workerName": "w"}));
        }
        let name = self.activity_name();
        let is_idle = self.service.activities.get(&name).is_some_and(|activity| activity.queue.is_empty());
        if is_idle && !self.options.polls_when_idle {
            return self.describe_activity();
        }
        Step::Call("GetActivityTask", json!({"activityArn": activity_arn(&name)}))
    }

    fn send_task(&mut self) -> Step {
        let tasks = self.service.tasks.iter().rev().take(RECENT);
        let open = self.random.chance(700);
        let is_wanted = |execution: usize| !open || self.service.executions[execution].is_running();
        let tasks = tasks.filter(|task| is_wanted(task.execution));
        let tokens: Vec<&str> = tasks.filter_map(|task| self.service.slots.known_text(task.token)).collect();
        let token =
            if tokens.is_empty() || self.random.chance(30) { "forged" } else { self.random.pick(&tokens) };
        match self.random.below(10) {
            0..2 => Step::Call("SendTaskHeartbeat", json!({"taskToken": token})),
            2..5 => Step::Call(
                "SendTaskFailure",
                json!({"taskToken": token, "error": "Broken", "cause": "a screw"}),
            ),
            _success => {
                let output = if self.random.chance(30) { "not json".to_owned() } else { self.input() };
                Step::Call("SendTaskSuccess", json!({"taskToken": token, "output": output}))
            }
        }
    }

    fn list(&mut self) -> Step {
        let size = *self.random.pick(&[1, 2, 3, 7, 100, 1_000]);
        let list = match self.random.below(20) {
            0 => List::Machines,
            1 => List::Activities,
            2..5 => List::Versions(self.machine()),
            5..8 => List::Aliases(if self.random.chance(300) { self.version() } else { self.machine() }),
            8..13 => {
                let of = match self.random.below(4) {
                    0 => self.version(),
                    1 => self.alias(),
                    _machine => self.machine(),
                };
                if self.random.chance(50) {
                    return Step::List(List::Redriven(of), size);
                }
                let status = if self.random.chance(500) { Some(*self.random.pick(&STATUSES)) } else { None };
                List::Executions { of, status }
            }
            13 => self.known_map_run().map_or(List::Activities, List::Children),
            14 | 15 => {
                let distributed = self.known_execution(|execution| execution.map_run.is_some());
                distributed.map_or(List::Machines, List::MapRuns)
            }
            _history => {
                let of = self.known_execution(|_| true);
                let is_reversed = self.random.chance(500);
                of.map_or(List::Machines, |of| List::History { of, is_reversed })
            }
        };
        Step::List(list, size)
    }
}
