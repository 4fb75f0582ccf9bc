//! Lists and histories, held as a whole against the model however they were cut into pages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::executions::Execution;
use super::machines::word;
use super::names::{Reference, activity_arn, machine_arn};
use super::pattern::{Expected, Pattern};
use super::published::no_resource;
use super::service::Service;

const WRONG_TYPE: &str = "This operation is not supported by this type of state machine";

/// What a client lists. The texts are ARNs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum List {
    Machines,
    Activities,
    Versions(String),
    Aliases(String),
    Executions {
        of: String,
        status: Option<&'static str>,
    },
    /// Executions of a machine by whether they were redriven, which is refused.
    Redriven(String),
    Children(String),
    MapRuns(String),
    History {
        of: String,
        is_reversed: bool,
    },
}

/// How a list is asked for: the operation, the member with the items, and the members of the request.
pub(super) struct Asked {
    pub(super) operation: &'static str,
    pub(super) member: &'static str,
    pub(super) members: Value,
}

impl List {
    pub(super) fn asked(&self) -> Asked {
        let asked = |operation, member, members| Asked { operation, member, members };
        match self {
            List::Machines => asked("ListStateMachines", "stateMachines", json!({})),
            List::Activities => asked("ListActivities", "activities", json!({})),
            List::Versions(of) => {
                asked("ListStateMachineVersions", "stateMachineVersions", json!({"stateMachineArn": of}))
            }
            List::Aliases(of) => {
                asked("ListStateMachineAliases", "stateMachineAliases", json!({"stateMachineArn": of}))
            }
            List::Executions { of, status } => {
                let mut members = json!({"stateMachineArn": of});
                if let Some(status) = status {
                    members["statusFilter"] = json!(status);
                }
                asked("ListExecutions", "executions", members)
            }
            List::Redriven(of) => {
                let members = json!({"stateMachineArn": of, "redriveFilter": "REDRIVEN"});
                asked("ListExecutions", "executions", members)
            }
            List::Children(of) => asked("ListExecutions", "executions", json!({"mapRunArn": of})),
            List::MapRuns(of) => asked("ListMapRuns", "mapRuns", json!({"executionArn": of})),
            List::History { of, is_reversed } => asked(
                "GetExecutionHistory",
                "events",
                json!({"executionArn": of, "reverseOrder": is_reversed}),
            ),
        }
    }
}

impl Service {
    /// What a list is refused with, if it is.
    pub(super) fn list_refusal(&self, list: &List) -> Option<Expected> {
        match list {
            List::Machines | List::Activities => None,
            List::Versions(of) => self.machine_of(of).err(),
            List::Aliases(of) => match self.machine_listed(of) {
                Err(refused) => Some(refused),
                Ok(machine) => {
                    let reference = Reference::parse(of)?;
                    reference.qualifier?;
                    let version = reference.version().and_then(|number| machine.versions.get(&number));
                    version.is_none().then(|| no_resource(of))
                }
            },
            List::Executions { of, .. } => match self.machine_listed(of) {
                Err(refused) => Some(refused),
                Ok(machine) => {
                    let reference = Reference::parse(of)?;
                    let is_there = match (reference.qualifier, reference.version()) {
                        (None, _) => true,
                        (Some(_), Some(version)) => machine.versions.contains_key(&version),
                        (Some(alias), None) => machine.aliases.contains_key(alias),
                    };
                    if !is_there {
                        return Some(no_resource(of));
                    }
                    machine.is_express.then(|| Expected::refusal("StateMachineTypeNotSupported", WRONG_TYPE))
                }
            },
            List::Redriven(_) => Some(Expected::refused(
                "ValidationException",
                "The redriveFilter can only be specified with a mapRunArn.".into(),
                Vec::new(),
            )),
            List::Children(of) => {
                let runs = self.executions.iter().filter_map(|execution| execution.map_run.as_ref());
                let is_there = runs.into_iter().any(|run| self.slots.known_text(run.arn) == Some(of));
                (!is_there)
                    .then(|| Expected::refusal("ResourceNotFound", format!("Resource not found: '{of}'")))
            }
            List::MapRuns(of) | List::History { of, .. } => self.position(of).is_none().then(|| {
                Expected::refusal("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{of}'"))
            }),
        }
    }

    /// Compares the items of all pages of a list, and learns. `own` begins the names of this client.
    pub(super) fn check_list(&mut self, list: &List, items: &[Value], own: &str) -> Result<(), String> {
        match list {
            List::Machines => self.check_machines(items, own),
            List::Activities => self.check_activities(items, own),
            List::Versions(of) => {
                let versions =
                    self.machine_listed(of).map_err(|_| "the list is there".to_owned())?.versions.clone();
                let item = |(number, version): (&u32, &super::published::Version)| {
                    Pattern::Object(vec![
                        ("stateMachineVersionArn", format!("{of}:{number}").into()),
                        ("creationDate", version.created.into()),
                    ])
                };
                self.check_items(versions.iter().rev().map(item).collect(), items)
            }
            List::Aliases(of) => self.check_aliases(of, items),
            List::Executions { of, status } => self.check_executions(of, *status, items),
            List::Redriven(_) => Err("it is refused".to_owned()),
            List::Children(of) => self.check_children(of, items),
            List::MapRuns(of) => {
                let execution = self.executions[self.position(of).expect("it was found")].clone();
                let item = execution.map_run.as_ref().map(|run| {
                    Pattern::Object(vec![
                        ("executionArn", execution.arn.pattern()),
                        ("mapRunArn", run.arn.into()),
                        ("stateMachineArn", format!("{}/run", execution.machine_arn()).into()),
                        ("startDate", run.started.into()),
                        ("stopDate", run.stopped.into()),
                    ])
                });
                self.check_items(item.into_iter().collect(), items)
            }
            List::History { of, is_reversed } => {
                let execution = &self.executions[self.position(of).expect("it was found")];
                check_history(execution, items, *is_reversed)
            }
        }
    }

    fn check_items(&mut self, expected: Vec<Pattern>, items: &[Value]) -> Result<(), String> {
        Pattern::List(expected).check(&json!(items), &mut self.slots, "the list")
    }

    /// The machines of all clients by their names, among them exactly ours.
    fn check_machines(&mut self, items: &[Value], own: &str) -> Result<(), String> {
        let names: Vec<&str> = items.iter().filter_map(|item| item["name"].as_str()).collect();
        if !names.is_sorted() {
            return Err(format!("the names are not in order: {names:?}"));
        }
        let machines = self.machines.clone();
        let item = |(name, machine): (&String, &super::machines::Machine)| {
            Pattern::Object(vec![
                ("stateMachineArn", machine_arn(name).into()),
                ("name", name.as_str().into()),
                ("type", word(machine.is_express).into()),
                ("creationDate", machine.created.into()),
            ])
        };
        self.check_items(machines.iter().map(item).collect(), &ours(items, own))
    }

    /// The activities of all clients, the oldest first, among them exactly ours.
    fn check_activities(&mut self, items: &[Value], own: &str) -> Result<(), String> {
        let order = |item: &Value| (item["creationDate"].as_f64().unwrap_or(-1.0), item["name"].to_string());
        let orders: Vec<_> = items.iter().map(order).collect();
        if !orders.is_sorted_by(|left, right| left <= right) {
            return Err(format!("the activities are not in order: {orders:?}"));
        }
        let ours = ours(items, own);
        let activities = self.activities.clone();
        let item = |item: &Value| {
            let name = item["name"].as_str()?;
            let activity = activities.get(name)?;
            Some(Pattern::Object(vec![
                ("activityArn", activity_arn(name).into()),
                ("name", name.into()),
                ("creationDate", activity.created.into()),
            ]))
        };
        let expected: Vec<Pattern> = ours.iter().filter_map(item).collect();
        if expected.len() != activities.len() {
            return Err(format!("{} of {} activities are listed", expected.len(), activities.len()));
        }
        self.check_items(expected, &ours)
    }

    fn check_aliases(&mut self, of: &str, items: &[Value]) -> Result<(), String> {
        let machine = self.machine_listed(of).map_err(|_| "the list is there".to_owned())?.clone();
        let reference = Reference::parse(of).ok_or("an ARN")?;
        let leads_there = |alias: &super::published::Alias| match reference.version() {
            Some(version) => alias.routes.iter().any(|(to, _)| *to == version),
            None => true,
        };
        let item = |(name, alias): (&String, &super::published::Alias)| {
            Pattern::Object(vec![
                ("stateMachineAliasArn", format!("{}:{name}", machine_arn(reference.name)).into()),
                ("creationDate", alias.created.into()),
            ])
        };
        let aliases = machine.aliases.iter().filter(|(_, alias)| leads_there(alias));
        self.check_items(aliases.map(item).collect(), items)
    }

    fn check_executions(
        &mut self,
        of: &str,
        status: Option<&'static str>,
        items: &[Value],
    ) -> Result<(), String> {
        let reference = Reference::parse(of).ok_or("an ARN")?;
        let machine = self.machine_listed(of).map_err(|_| "the list is there".to_owned())?;
        let number = machine.number;
        let alias = reference.qualifier.and_then(|name| machine.aliases.get(name)).map(|alias| alias.created);
        let is_listed = |execution: &&Execution| {
            let is_led = match (reference.qualifier, reference.version()) {
                (None, _) => true,
                (Some(_), Some(version)) => execution.version == Some(version),
                (Some(_), None) => execution.alias.as_ref().map(|(_, created)| *created) == alias,
            };
            execution.of == number && is_led && status.is_none_or(|status| execution.status == status)
        };
        let listed = self.executions.iter().filter(is_listed);
        let mut expected: BTreeMap<String, Pattern> = listed
            .map(|execution| (self.arn_text(&execution.arn).unwrap_or("unknown").to_owned(), item(execution)))
            .collect();
        check_newest_first(items)?;
        // Of the same millisecond the order is not known, so each is looked up by its ARN.
        let in_order = |item: &Value| {
            let arn = item["executionArn"].as_str().unwrap_or_default();
            expected.remove(arn).ok_or_else(|| format!("{arn} is listed, or is listed twice"))
        };
        let patterns = items.iter().map(in_order).collect::<Result<Vec<_>, _>>()?;
        if let Some(missing) = expected.keys().next() {
            return Err(format!("{missing} is not listed"));
        }
        self.check_items(patterns, items)
    }

    fn check_children(&mut self, of: &str, items: &[Value]) -> Result<(), String> {
        let runs =
            self.executions.iter().filter_map(|execution| Some((execution, execution.map_run.as_ref()?)));
        let mut runs = runs.filter(|(_, run)| self.slots.known_text(run.arn) == Some(of));
        let (execution, run) = runs.next().ok_or("the Map Run is there")?;
        check_newest_first(items)?;
        let mut arns: Vec<&str> = items.iter().filter_map(|item| item["executionArn"].as_str()).collect();
        arns.sort_unstable();
        arns.dedup();
        if arns.len() != run.items || items.len() != run.items {
            return Err(format!(
                "{} children are listed, {} different ones, of {}",
                items.len(),
                arns.len(),
                run.items
            ));
        }
        let machine = format!("{}/run", execution.machine_arn());
        let differs = items.iter().find(|item| {
            item["status"] != "SUCCEEDED"
                || item["mapRunArn"] != of
                || item["stateMachineArn"] != machine.as_str()
        });
        differs.map_or(Ok(()), |item| Err(format!("a child is {item}")))
    }
}

/// The items of this client.
fn ours(items: &[Value], own: &str) -> Vec<Value> {
    items
        .iter()
        .filter(|item| item["name"].as_str().is_some_and(|name| name.starts_with(own)))
        .cloned()
        .collect()
}

fn item(execution: &Execution) -> Pattern {
    let mut members = vec![
        ("executionArn", execution.arn.pattern()),
        ("stateMachineArn", execution.machine_arn().into()),
        ("name", execution.name.clone()),
        ("status", execution.status.into()),
        ("startDate", execution.started.into()),
    ];
    members.extend(execution.redrives.shown());
    members.extend(execution.stopped.map(|stopped| ("stopDate", stopped.into())));
    members.extend(execution.leads());
    Pattern::Object(members)
}

/// Running executions by their start or their last redrive, others by their end.
fn check_newest_first(items: &[Value]) -> Result<(), String> {
    let date = |item: &Value| {
        let dates = ["stopDate", "redriveDate", "startDate"];
        dates.iter().find_map(|date| item[*date].as_f64()).unwrap_or(-1.0)
    };
    let dates: Vec<f64> = items.iter().map(date).collect();
    if dates.is_sorted_by(|left, right| left >= right) {
        Ok(())
    } else {
        Err(format!("the newest is not first: {dates:?}"))
    }
}

fn check_history(execution: &Execution, items: &[Value], is_reversed: bool) -> Result<(), String> {
    let mut events: Vec<&Value> = items.iter().collect();
    if is_reversed {
        events.reverse();
    }
    let mut types: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    let mut expected = execution.events.clone();
    if execution.revision.kind.is_forked() {
        // In which order branches and iterations take turns is left open.
        types.sort_unstable();
        expected.sort_unstable();
    }
    if types != expected {
        return Err(format!("the events are {types:?} and not {expected:?}"));
    }
    let is_numbered = (1_u64..).zip(&events).all(|(id, event)| event["id"] == id);
    let follows = events.iter().all(|event| event["previousEventId"].as_u64() < event["id"].as_u64());
    let times: Vec<f64> = events.iter().filter_map(|event| event["timestamp"].as_f64()).collect();
    if is_numbered && follows && times.len() == events.len() && times.is_sorted() {
        Ok(())
    } else {
        Err(format!("ids, predecessors or times are out of order: {items:?}"))
    }
}
