//! Versions and aliases.

use serde_json::{Value, json};

use super::machines::{Machine, Members, Revision, no_machine};
use super::names::{Reference, given, machine_arn};
use super::pattern::{Expected, Pattern, Slot, text};
use super::service::Service;

const NO_RESOURCE: &str = "Request references a resource that does not exist.";
const ROUTING: &str = "INVALID_ROUTING_CONFIGURATION";
const WEIGHTS: u64 = 100;

/// Versions and weights.
type Routes = Vec<(u32, u64)>;

#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) revision: Revision,
    pub(super) created: Slot,
    pub(super) description: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Alias {
    pub(super) routes: Routes,
    pub(super) description: Option<String>,
    pub(super) created: Slot,
    pub(super) updated: Slot,
}

impl Alias {
    /// The version that every start gets, unless chance decides.
    pub(super) fn certain(&self) -> Option<u32> {
        self.routes.iter().find(|(_, weight)| *weight == WEIGHTS).map(|(version, _)| *version)
    }
}

impl Machine {
    /// The version of the current revision, made unless it is there; `date` is that of a new one.
    pub(super) fn publish(&mut self, description: Option<String>, date: Slot) -> u32 {
        let found = self.versions.iter().find(|(_, version)| version.revision == self.revision);
        if let Some((number, _)) = found {
            return *number;
        }
        let number = self.next_version;
        self.next_version += 1;
        let version = Version { revision: self.revision.clone(), created: date, description };
        self.versions.insert(number, version);
        number
    }
}

pub(super) fn no_resource(arn: &str) -> Expected {
    Expected::refused("ResourceNotFound", NO_RESOURCE.into(), vec![("resourceName", arn.into())])
}

fn misrouted(message: String) -> Expected {
    Expected::refused("ValidationException", message.into(), vec![("reason", ROUTING.into())])
}

impl Service {
    pub(super) fn publish_version(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineArn");
        let name = match self.machine_of(arn) {
            Ok(name) => name,
            Err(refused) => return refused,
        };
        let machine = self.machines.get_mut(name).expect("it was found");
        // One that is not known was never told, since the answer with it was lost; so nobody can have asked for it.
        let current = machine.revision.id.map(|id| self.slots.known_text(id));
        let is_current = |wanted: &&str| current.unwrap_or(Some("INITIAL")) == Some(*wanted);
        if let Some(wanted) = text(members, "revisionId").filter(|wanted| !is_current(wanted)) {
            let message = format!(
                "Failed to publish the State Machine version for revision {wanted}. The current State Machine \
                 revision is "
            );
            let message = match machine.revision.id {
                Some(id) => Pattern::Around(message, id, "."),
                None => format!("{message}INITIAL.").into(),
            };
            return Expected::refused("ConflictException", message, Vec::new());
        }
        let date = self.slots.fresh();
        let number = machine.publish(text(members, "description").map(str::to_owned), date);
        Expected::answer(vec![
            ("creationDate", machine.versions[&number].created.into()),
            ("stateMachineVersionArn", format!("{arn}:{number}").into()),
        ])
    }

    pub(super) fn delete_version(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineVersionArn");
        let Some(reference) = Reference::parse(arn) else { return Expected::invalid_arn(arn) };
        let Some(number) = reference.version() else {
            return Expected::refusal("InvalidArn", format!("Invalid Arn: 'Invalid resource name: {arn}'"));
        };
        let answer = Expected::answer(Vec::new());
        let Some(machine) = self.machines.get_mut(reference.name) else { return answer };
        let leads_here = |alias: &Alias| alias.routes.iter().any(|(version, _)| *version == number);
        let aliases: Vec<&str> = machine
            .aliases
            .iter()
            .filter(|(_, alias)| leads_here(alias))
            .map(|(name, _)| name.as_str())
            .collect();
        if machine.versions.contains_key(&number) && !aliases.is_empty() {
            return Expected::refusal(
                "ConflictException",
                format!(
                    "Version to be deleted must not be referenced by an alias. Current list of aliases referencing \
                     this version: [{}]",
                    aliases.join(", ")
                ),
            );
        }
        machine.versions.remove(&number);
        answer
    }

    /// The routes of a request and the machine to which they lead; or what is wrong with them.
    fn routes(&self, members: &Members) -> Result<Option<(String, Routes)>, Expected> {
        let Some(list) = members.get("routingConfiguration").and_then(Value::as_array) else {
            return Ok(None);
        };
        let arns: Vec<&str> =
            list.iter().filter_map(|route| route["stateMachineVersionArn"].as_str()).collect();
        let said = |rule: &str| misrouted(format!("{rule} Received: [{}]", arns.join(", ")));
        let mut routes = Vec::new();
        let mut names = Vec::new();
        for (route, arn) in list.iter().zip(&arns) {
            let Some(reference) = Reference::parse(arn) else { return Err(Expected::invalid_arn(arn)) };
            let Some(version) = reference.version() else {
                return Err(said("Routing configuration must contain state machine version ARNs."));
            };
            names.push(reference.name);
            routes.push((version, route["weight"].as_u64().unwrap_or(0)));
        }
        if arns.len() > 1 && arns[0] == arns[1] {
            return Err(said("Routing configuration must contain distinct state machine version ARNs."));
        }
        let weights: Vec<String> = routes.iter().map(|(_, weight)| weight.to_string()).collect();
        if routes.iter().map(|(_, weight)| weight).sum::<u64>() != WEIGHTS {
            return Err(misrouted(format!(
                "Sum of routing configuration weights must equal 100. Received: [{}]",
                weights.join(", ")
            )));
        }
        if names.iter().any(|name| *name != names[0]) {
            return Err(said("Routing configuration must contain versions of one state machine."));
        }
        Ok(Some((names[0].to_owned(), routes)))
    }

    /// What is said of routes to versions that are not there.
    fn missing_route(&self, name: &str, routes: &[(u32, u64)]) -> Option<Expected> {
        let machine = self.machines.get(name);
        let is_missing =
            |version: &u32| machine.is_none_or(|machine| !machine.versions.contains_key(version));
        let (version, _) = routes.iter().find(|(version, _)| is_missing(version))?;
        Some(no_resource(&format!("{}:{version}", machine_arn(name))))
    }

    pub(super) fn create_alias(&mut self, members: &Members) -> Expected {
        let (name, description) = (given(members, "name"), text(members, "description").map(str::to_owned));
        let (of, routes) = match self.routes(members) {
            Ok(found) => found.expect("the clients give routes"),
            Err(refused) => return refused,
        };
        if let Some(refused) = self.missing_route(&of, &routes) {
            return refused;
        }
        let machine = self.machines.get_mut(&of).expect("its versions are there");
        if let Some(known) = machine.aliases.get(name) {
            if known.routes != routes || known.description != description {
                return Expected::refusal(
                    "ConflictException",
                    "Failed to create alias because an alias with the same name and a different routing configuration \
                     already exists.",
                );
            }
        } else {
            let date = self.slots.fresh();
            let alias = Alias { routes, description, created: date, updated: date };
            machine.aliases.insert(name.to_owned(), alias);
        }
        Expected::answer(vec![
            ("stateMachineAliasArn", format!("{}:{name}", machine_arn(&of)).into()),
            ("creationDate", machine.aliases[name].created.into()),
        ])
    }

    /// The machine and the name of an alias, if the ARN can be that of one.
    fn alias_of(arn: &str) -> Result<(&str, &str), Expected> {
        let Some(reference) = Reference::parse(arn) else { return Err(Expected::invalid_arn(arn)) };
        match reference.qualifier.filter(|_| reference.version().is_none()) {
            Some(alias) => Ok((reference.name, alias)),
            None => {
                Err(Expected::refusal("InvalidArn", format!("Invalid Arn: 'Invalid resource name: {arn}'")))
            }
        }
    }

    pub(super) fn update_alias(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineAliasArn");
        let description = text(members, "description").map(str::to_owned);
        if description.is_none() && !members.contains_key("routingConfiguration") {
            return Expected::refused(
                "ValidationException",
                "Either the description or the routingConfiguration must be specified".into(),
                vec![("reason", "MISSING_REQUIRED_PARAMETER".into())],
            );
        }
        let (of, name) = match Service::alias_of(arn) {
            Ok(found) => found,
            Err(refused) => return refused,
        };
        let routes = match self.routes(members) {
            Ok(routes) => routes,
            Err(refused) => return refused,
        };
        if let Some((to, _)) = routes.as_ref().filter(|(to, _)| to != of) {
            assert_ne!(to, of);
            return misrouted(format!(
                "Routing configuration must contain versions of the alias's state machine, {}.",
                machine_arn(of)
            ));
        }
        let routes = routes.map(|(_, routes)| routes);
        if self.machines.get(of).is_none_or(|machine| !machine.aliases.contains_key(name)) {
            return no_resource(arn);
        }
        if let Some(refused) = self.missing_route(of, routes.as_deref().unwrap_or_default()) {
            return refused;
        }
        let updated = self.slots.fresh();
        let machine = self.machines.get_mut(of).expect("its alias is there");
        let alias = machine.aliases.get_mut(name).expect("it was found");
        alias.updated = updated;
        alias.description = description.or_else(|| alias.description.take());
        if let Some(routes) = routes {
            alias.routes = routes;
        }
        Expected::answer(vec![("updateDate", updated.into())])
    }

    pub(super) fn describe_alias(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineAliasArn");
        let (of, name) = match Service::alias_of(arn) {
            Ok(found) => found,
            Err(refused) => return refused,
        };
        let alias = self.machines.get(of).and_then(|machine| machine.aliases.get(name));
        let Some(alias) = alias else { return no_resource(arn) };
        let route = |(version, weight): &(u32, u64)| json!({"stateMachineVersionArn": format!("{}:{version}", machine_arn(of)), "weight": weight});
        let routes: Value = alias.routes.iter().map(route).collect();
        let mut answer = vec![
            ("stateMachineAliasArn", Pattern::from(arn)),
            ("name", name.into()),
            ("routingConfiguration", routes.into()),
            ("creationDate", alias.created.into()),
            ("updateDate", alias.updated.into()),
        ];
        answer.extend(alias.description.clone().map(|description| ("description", description.into())));
        Expected::answer(answer)
    }

    pub(super) fn delete_alias(&mut self, members: &Members) -> Expected {
        let arn = given(members, "stateMachineAliasArn");
        let (of, name) = match Service::alias_of(arn) {
            Ok(found) => found,
            Err(refused) => return refused,
        };
        let Some(machine) = self.machines.get_mut(of) else { return no_resource(arn) };
        machine.aliases.remove(name);
        Expected::answer(Vec::new())
    }

    /// Lists of versions and aliases ask for the machine first.
    pub(super) fn machine_listed(&self, arn: &str) -> Result<&Machine, Expected> {
        let Some(reference) = Reference::parse(arn) else { return Err(Expected::invalid_arn(arn)) };
        self.machines.get(reference.name).ok_or_else(|| no_machine(arn))
    }
}
