//! The context object (`$$`) and the variables as one thread sees them.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::data::json::Data;
use crate::data::scope::Variables;
use crate::data::text::Text;
use crate::definition::{Definition, MachineType, Mode, StateKind};

use super::callback_link::CallbackUrls;
use super::child::MapItem;
use super::execution::{ExecutionState, Row, RowId, Thread};
use super::item::{self, Item};

/// `$$.Task`: what only the task that awaits its answer sees.
#[derive(Debug, Clone)]
pub(super) struct OwnTask {
    pub(super) token: String,
    /// Present if the state has the field `CallbackLinks`; otherwise the object is AWS's.
    pub(super) links: Option<CallbackUrls>,
}

impl OwnTask {
    fn to_value(&self) -> Value {
        let mut task = json!({ "Token": self.token });
        if let Some(links) = &self.links {
            task["CallbackLinks"] = links.to_context();
        }
        task
    }
}

/// One thread's view of its execution.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) definition: &'a Definition,
    pub(super) execution: &'a ExecutionState,
    pub(super) thread: &'a Thread,
    /// The item that an ItemSelector is computed for: the fork's items and an index.
    pub(super) item: Option<(RowId, u32)>,
    /// The attempt that is being scheduled.
    pub(super) task: Option<OwnTask>,
    /// The context object that a test of one state gives; it lacks what only the state itself knows.
    pub(super) context: Option<&'a Value>,
    /// Every variable that the thread sees, once there are so many that each is looked for here.
    pub(super) index: OnceCell<BTreeMap<&'a str, &'a Data>>,
}

/// Ours: variables that are looked through one by one.
const VARIABLES_FEW: usize = 16;

impl<'a> View<'a> {
    /// The variables of the thread's own scope and of those around it, the innermost first.
    fn scopes(&self) -> impl Iterator<Item = &'a [(Text, Data)]> {
        let execution = self.execution;
        let owner = move |thread: &&'a Thread| execution.thread(execution.fork(thread.fork?).owner);
        std::iter::successors(Some(self.thread), owner).map(|thread| thread.variables.as_slice())
    }

    fn index(&self) -> BTreeMap<&'a str, &'a Data> {
        let mut index = BTreeMap::new();
        for (name, value) in self.scopes().flatten() {
            index.entry(&**name).or_insert(value);
        }
        index
    }
}

impl View<'_> {
    fn owner(&self, thread: &Thread) -> Option<&Thread> {
        let fork = self.execution.fork(thread.fork?);
        self.execution.thread(fork.owner)
    }

    /// The innermost item around the thread.
    fn item(&self) -> Option<(RowId, u32)> {
        if self.item.is_some() {
            return self.item;
        }
        let mut thread = Some(self.thread);
        while let Some(current) = thread {
            if let Some(items) = current.fork.and_then(|fork| self.execution.fork(fork).items) {
                return Some((items, current.index));
            }
            thread = self.owner(current);
        }
        None
    }

    fn own_context(&self, whole: bool) -> Map<String, Value> {
        let info = &self.execution.info;
        let mut context = Map::new();
        context.insert("Execution".to_owned(), self.execution(whole));
        context.insert(
            "StateMachine".to_owned(),
            json!({ "Id": &*info.state_machine_arn, "Name": &*info.state_machine_name }),
        );
        context.insert("State".to_owned(), self.state());
        context
    }

    fn state(&self) -> Value {
        let definition = self.definition.state(self.thread.state);
        let mut state = Map::new();
        state.insert("Name".to_owned(), json!(&*definition.name));
        state.insert("EnteredTime".to_owned(), json!(self.thread.entered_at.to_string()));
        // AWS tells it only where there can be a retry.
        match &definition.kind {
            StateKind::Task(_) | StateKind::Parallel(_) | StateKind::Map(_) => {
                state.insert("RetryCount".to_owned(), json!(self.thread.retry_count()));
            }
            StateKind::Pass(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed(_)
            | StateKind::Fail(_) => {}
        }
        Value::Object(state)
    }

    fn is_of_distributed_map(&self) -> bool {
        match &self.definition.state(self.thread.state).kind {
            StateKind::Map(map) => matches!(map.mode, Mode::Distributed(_)),
            StateKind::Pass(_)
            | StateKind::Task(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed(_)
            | StateKind::Fail(_)
            | StateKind::Parallel(_) => false,
        }
    }

    fn is_express(&self) -> bool {
        let child = self.execution.info.map_item();
        self.definition.machine_type == MachineType::Express || child.is_some_and(|item| item.express)
    }

    fn execution(&self, whole: bool) -> Value {
        let info = &self.execution.info;
        let mut execution = Map::new();
        execution.insert("Id".to_owned(), json!(&*info.arn));
        if whole {
            execution.insert("Input".to_owned(), info.input.value().clone());
        }
        execution.insert("Name".to_owned(), json!(&*info.name));
        execution.insert("RoleArn".to_owned(), json!(&*info.role_arn));
        execution.insert("StartTime".to_owned(), json!(info.started_at.to_string()));
        // Recorded: an Express execution does not tell it. Nobody can redrive it, and a child of a Map Run begins anew.
        if !self.is_express() {
            execution.insert("RedriveCount".to_owned(), json!(info.redrive_count));
            if let Some(at) = info.redriven_at {
                execution.insert("RedriveTime".to_owned(), json!(at.to_string()));
            }
        }
        Value::Object(execution)
    }
}

impl Variables for View<'_> {
    fn variable(&self, name: &str) -> Option<&Data> {
        if self.scopes().map(<[_]>::len).sum::<usize>() > VARIABLES_FEW {
            return self.index.get_or_init(|| self.index()).get(name).copied();
        }
        let mut all = self.scopes().flatten();
        all.find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    fn build_context(&self, whole: bool) -> Value {
        let mut context = match self.context {
            Some(Value::Object(given)) => given.clone(),
            Some(_) | None => self.own_context(whole),
        };
        if let Some(task) = &self.task {
            context.entry("Task").or_insert_with(|| task.to_value());
        }
        if let Some((items, index)) = self.item()
            && let Some(Row::Items(items)) = self.execution.row(items)
        {
            let item = item::at(items.value(), index).unwrap_or(Item { key: None, value: &Value::Null });
            let item = item.context(index, self.item.is_some() && self.is_of_distributed_map());
            context.insert("Map".to_owned(), json!({ "Item": item }));
        } else if let Some(MapItem { index: Some(index), value, key, .. }) = self.execution.info.map_item() {
            let value = value.as_ref().unwrap_or(&self.execution.info.input).value();
            let item = Item { key: key.as_deref(), value }.context(*index, true);
            context.insert("Map".to_owned(), json!({ "Item": item }));
        }
        Value::Object(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::data::timestamp::Timestamp;
    use crate::definition::parse;

    use super::super::event::{Command, Ending, Event};
    use super::super::stepper::step;
    use super::super::table::{AnyActivity, info};
    use super::*;

    fn fields(machine_type: MachineType) -> String {
        let text = r#"{"StartAt": "S", "States": {
            "S": {"Type": "Pass", "Parameters": {"e.$": "$$.Execution"}, "OutputPath": "$.e", "End": true}}}"#;
        let definition = parse(text, machine_type).definition.unwrap();
        let mut state = ExecutionState::new(Arc::new(info()));
        let transition = step(&definition, &mut state, Event::Start, Timestamp::EPOCH, &AnyActivity);
        let Some(Command::End(Ending::Succeeded { output })) = transition.commands.last() else {
            panic!("{transition:?}")
        };
        let fields = output.value().as_object().unwrap();
        fields.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_express_execution_knows_of_no_redrive() {
        assert_eq!(fields(MachineType::Standard), "Id Input Name RoleArn StartTime RedriveCount");
        assert_eq!(fields(MachineType::Express), "Id Input Name RoleArn StartTime");
    }
}
