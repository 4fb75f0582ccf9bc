//! State machines: CreateStateMachine, UpdateStateMachine, DescribeStateMachine, DeleteStateMachine, tags, and
//! ValidateStateMachineDefinition.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kind::{BAD_SAID, EXPRESS_KINDS, Kind};
use super::names::{NOWHERE, ROLES, Reference, activity_name, given, is_bad_name, machine_arn};
use super::pattern::{Expected, Pattern, Settle, Slot, text};
use super::published::{Alias, Version};
use super::service::Service;

pub(super) type Members = Map<String, Value>;

/// AWS quota.
const TAGS_MAX: usize = 50;

#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) number: u64,
    pub(super) is_express: bool,
    pub(super) created: Slot,
    pub(super) revision: Revision,
    pub(super) versions: BTreeMap<u32, Version>,
    pub(super) next_version: u32,
    pub(super) aliases: BTreeMap<String, Alias>,
    pub(super) tags: Tags,
    /// The version that was made with it, and its description.
    first_version: Option<(u32, Option<String>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revision {
    pub(super) definition: String,
    pub(super) kind: Kind,
    pub(super) role: String,
    pub(super) is_traced: bool,
    /// None of the first.
    pub(super) id: Option<Slot>,
    pub(super) updated: Slot,
}

/// In the order in which they were added.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tags(Vec<(String, String)>);

pub(super) fn no_machine(arn: &str) -> Expected {
    Expected::refusal("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
}

impl Service {
    /// The machine that an ARN names, without a version or an alias; or what is said of the ARN.
    pub(super) fn machine_of<'a>(&self, arn: &'a str) -> Result<&'a str, Expected> {
        let Some(reference) = Reference::parse(arn) else { return Err(Expected::invalid_arn(arn)) };
        if reference.qualifier.is_none() && self.machines.contains_key(reference.name) {
            Ok(reference.name)
        } else {
            Err(no_machine(arn))
        }
    }

    pub(super) fn create_machine(&mut self, members: &Members) -> Expected {
        let (name, definition, role) =
            (given(members, "name"), given(members, "definition"), given(members, "roleArn"));
        let publish = members.get("publish") == Some(&json!(true));
        let description = text(members, "versionDescription").map(str::to_owned);
        let tags = Tags::read(members);
        if description.is_some() && !publish {
            return Expected::refusal(
                "ValidationException",
                "Version description can only be set when publish is true",
            );
        }
        if tags.0.len() > TAGS_MAX {
            return Expected::refusal("TooManyTags", "A resource has at most 50 tags.");
        }
        if is_bad_name(name) {
            return Expected::refusal("InvalidName", format!("Invalid Name: '{name}'"));
        }
        if let Err(refused) = check_role(role) {
            return refused;
        }
        let is_express = text(members, "type") == Some("EXPRESS");
        let kind = match check_definition(definition, is_express) {
            Ok(kind) => kind,
            Err(refused) => return refused,
        };
        let is_traced = is_traced(members).unwrap_or(false);
        let arn = machine_arn(name);
        let first = publish.then_some(description);
        if let Some(machine) = self.machines.get(name) {
            let known = machine.first_version.as_ref().map(|(_, description)| description.clone());
            let same = machine.revision.definition == definition
                && machine.is_express == is_express
                && machine.revision.is_traced == is_traced
                && known == first;
            if !same {
                return Expected::refusal(
                    "StateMachineAlreadyExists",
                    format!("State Machine Already Exists: '{arn}'"),
                );
            }
            return created(&arn, machine);
        }
        let date = self.slots.fresh();
        let revision = Revision {
            definition: definition.to_owned(),
            kind,
            role: role.to_owned(),
            is_traced,
            id: None,
            updated: date,
        };
        self.machines_made += 1;
        let mut machine = Machine {
            number: self.machines_made,
            is_express,
            created: date,
            revision,
            versions: BTreeMap::new(),
            next_version: 1,
            aliases: BTreeMap::new(),
            tags,
            first_version: None,
        };
        if let Some(description) = first {
            let number = machine.publish(description.clone(), date);
            machine.first_version = Some((number, description));
        }
        let answer = created(&arn, &machine);
        self.machines.insert(name.to_owned(), machine);
        answer
    }

    pub(super) fn update_machine(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineArn");
        let (definition, role, traced) =
            (text(members, "definition"), text(members, "roleArn"), is_traced(members));
        let publish = members.get("publish") == Some(&json!(true));
        if definition.is_none() && role.is_none() && traced.is_none() {
            return Expected::refusal(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be \
                 specified",
            );
        }
        let parsed = Reference::parse(arn);
        let Some(reference) = parsed else { return Expected::invalid_arn(arn) };
        if reference.qualifier.is_some() {
            return no_machine(arn);
        }
        if let Some(Err(refused)) = role.map(check_role) {
            return refused;
        }
        let Some(machine) = self.machines.get_mut(reference.name) else { return no_machine(arn) };
        let old = &machine.revision;
        let kind = match definition.map(|definition| check_definition(definition, machine.is_express)) {
            None => old.kind.clone(),
            Some(Ok(kind)) => kind,
            Some(Err(refused)) => return refused,
        };
        let new = Revision {
            definition: definition.unwrap_or(&old.definition).to_owned(),
            kind,
            role: role.unwrap_or(&old.role).to_owned(),
            is_traced: traced.unwrap_or(old.is_traced),
            ..old.clone()
        };
        if new != *old {
            machine.revision = Revision { id: Some(self.slots.fresh()), updated: self.slots.fresh(), ..new };
        }
        let mut answer = vec![("updateDate", machine.revision.updated.into())];
        answer.extend(machine.revision.id.map(|id| ("revisionId", id.into())));
        if publish {
            let date = self.slots.fresh();
            let number = machine.publish(text(members, "versionDescription").map(str::to_owned), date);
            answer.push(("stateMachineVersionArn", format!("{arn}:{number}").into()));
        }
        Expected::answer(answer)
    }

    pub(super) fn describe_machine(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineArn");
        let Some(reference) = Reference::parse(arn) else { return Expected::invalid_arn(arn) };
        let Some(machine) = self.machines.get(reference.name) else { return no_machine(arn) };
        let version = reference.version().and_then(|number| machine.versions.get(&number));
        if reference.qualifier.is_some() && version.is_none() {
            return no_machine(arn);
        }
        let revision = version.map_or(&machine.revision, |version| &version.revision);
        let mut answer = described(reference.name, revision, members);
        answer.extend([
            ("stateMachineArn", Pattern::from(arn)),
            ("status", "ACTIVE".into()),
            ("type", word(machine.is_express).into()),
            ("creationDate", version.map_or(machine.created, |version| version.created).into()),
        ]);
        let description = version.and_then(|version| version.description.clone());
        answer.extend(description.map(|description| ("description", description.into())));
        Expected::answer(answer)
    }

    pub(super) fn delete_machine(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineArn");
        let Some(reference) = Reference::parse(arn) else { return Expected::invalid_arn(arn) };
        if reference.qualifier.is_some() {
            return no_machine(arn);
        }
        let answer = Expected::answer(Vec::new());
        let Some(machine) = self.machines.remove(reference.name) else { return answer };
        let mut has_running = false;
        for at in 0..self.executions.len() {
            if self.executions[at].of == machine.number && self.executions[at].is_running() {
                has_running = true;
                let stopped = self.slots.fresh();
                self.abort(at, stopped, None, None);
            }
        }
        if has_running { answer.then(Settle::Deletion(arn.to_owned())) } else { answer }
    }

    pub(super) fn validate(members: &Members) -> Expected {
        let is_express = text(members, "type") == Some("EXPRESS");
        let (result, diagnostics) = match check_definition(given(members, "definition"), is_express) {
            Ok(_) => ("OK", json!([])),
            Err(_) => (
                "FAIL",
                json!([{
                    "severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED",
                    "message": "These fields are required: [States]", "location": "/",
                }]),
            ),
        };
        Expected::answer(vec![
            ("result", result.into()),
            ("diagnostics", diagnostics.into()),
            ("truncated", json!(false).into()),
        ])
    }

    /// The tags of a machine or an activity; or what is said of the ARN.
    fn tags_of(&mut self, arn: &str) -> Result<&mut Tags, Expected> {
        if arn == NOWHERE {
            return Err(Expected::invalid_arn(arn));
        }
        let missing = || {
            let message = format!("Resource not found: '{arn}'");
            Expected::refused("ResourceNotFound", message.into(), vec![("resourceName", arn.into())])
        };
        if let Some(name) = activity_name(arn) {
            return self.activities.get_mut(name).map(|activity| &mut activity.tags).ok_or_else(missing);
        }
        let machine = Reference::parse(arn).filter(|reference| reference.qualifier.is_none());
        let machine = machine.and_then(|reference| self.machines.get_mut(reference.name));
        machine.map(|machine| &mut machine.tags).ok_or_else(missing)
    }

    pub(super) fn tag(&mut self, members: &Members) -> Expected {
        let (arn, added) = (given(members, "resourceArn"), Tags::read(members));
        let tags = match self.tags_of(arn) {
            Ok(tags) => tags,
            Err(refused) => return refused,
        };
        let mut new = tags.clone();
        for (key, value) in added.0 {
            match new.0.iter_mut().find(|(known, _)| *known == key) {
                Some((_, old)) => *old = value,
                None => new.0.push((key, value)),
            }
        }
        if new.0.len() > TAGS_MAX {
            let message = "A resource has at most 50 tags.";
            return Expected::refused("TooManyTags", message.into(), vec![("resourceName", arn.into())]);
        }
        *tags = new;
        Expected::answer(Vec::new())
    }

    pub(super) fn untag(&mut self, members: &Members) -> Expected {
        let keys = members.get("tagKeys").and_then(Value::as_array).cloned().unwrap_or_default();
        match self.tags_of(given(members, "resourceArn")) {
            Ok(tags) => tags.0.retain(|(key, _)| !keys.contains(&json!(key))),
            Err(refused) => return refused,
        }
        Expected::answer(Vec::new())
    }

    pub(super) fn list_tags(&mut self, members: &Members) -> Expected {
        match self.tags_of(given(members, "resourceArn")) {
            Ok(tags) => Expected::answer(vec![("tags", tags.shown().into())]),
            Err(refused) => refused,
        }
    }
}

impl Tags {
    pub(super) fn read(members: &Members) -> Tags {
        let list = members.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |tag: &Value, name: &str| tag[name].as_str().unwrap_or_default().to_owned();
        Tags(list.iter().map(|tag| (text(tag, "key"), text(tag, "value"))).collect())
    }

    fn shown(&self) -> Value {
        self.0.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

fn created(arn: &str, machine: &Machine) -> Expected {
    let mut answer = vec![("stateMachineArn", Pattern::from(arn)), ("creationDate", machine.created.into())];
    if let Some((number, _)) = &machine.first_version {
        answer.push(("stateMachineVersionArn", format!("{arn}:{number}").into()));
    }
    Expected::answer(answer)
}

/// What the two descriptions of a machine have in common.
pub(super) fn described(name: &str, revision: &Revision, members: &Members) -> Vec<(&'static str, Pattern)> {
    let is_hidden = text(members, "includedData") == Some("METADATA_ONLY");
    let definition = if is_hidden { "{}" } else { &revision.definition };
    let mut answer = vec![
        ("name", name.into()),
        ("definition", definition.into()),
        ("roleArn", revision.role.as_str().into()),
        ("loggingConfiguration", json!({"level": "OFF", "includeExecutionData": false}).into()),
        ("tracingConfiguration", json!({"enabled": revision.is_traced}).into()),
        ("encryptionConfiguration", json!({"type": "AWS_OWNED_KEY"}).into()),
    ];
    answer.extend(revision.id.map(|id| ("revisionId", id.into())));
    answer
}

pub(super) fn word(is_express: bool) -> &'static str {
    if is_express { "EXPRESS" } else { "STANDARD" }
}

fn is_traced(members: &Members) -> Option<bool> {
    members.get("tracingConfiguration").and_then(|tracing| tracing["enabled"].as_bool())
}

fn check_role(role: &str) -> Result<(), Expected> {
    if ROLES.contains(&role) {
        Ok(())
    } else {
        Err(Expected::refusal("InvalidArn", format!("Invalid Role Arn: '{role}'")))
    }
}

fn check_definition(definition: &str, is_express: bool) -> Result<Kind, Expected> {
    match Kind::of(definition) {
        Some(kind) => {
            assert!(!is_express || EXPRESS_KINDS.contains(&kind), "the clients give what Express can run");
            Ok(kind)
        }
        None => Err(Expected::refusal("InvalidDefinition", BAD_SAID)),
    }
}
