//! The distributed Map: a Map Run whose items, or batches of them, are executions of their own.
//!
//! The Map Run is one small row that counts. Children are started as far as there is room, some in each step; each
//! has a row that is written when it starts and when it ends. The end of the last one joins the outputs. The rows of a
//! Map Run that fails stay as long as the state may be redriven, see [`super::map_run_redrive`].

use serde_json::{Map as Object, Value};

use crate::data::evaluate::{self, Failure};
use crate::data::flow;
use crate::data::json::{self, Data};
use crate::data::scope::keyed_digest;
use crate::data::text::Text;
use crate::definition::{Definition, Distributed, ItemBatcher, Map, Mode, State, StateKind};
use crate::limits::{MAP_RUN_CONCURRENCY_MAX, PAYLOAD_BYTES_MAX};

use super::child::{ChildEnd, MapItem, Parent, StartChild, child_identity, uuid};
use super::event::{Command, Ending};
use super::execution::{AttemptId, ExecutionId, ExecutionInfo, Phase, Row, RowId};
use super::failure::StateError;
use super::history::HistoryKind;
use super::item;
use super::map_run_row::{
    Batches, ChildFailure, ChildWanted, MapRun, MapRunChild, MapRunCounts, MapRunStatus, MapRunUpdate,
    Tolerance,
};
use super::stepper::Stepper;

/// The items of one child, ready to start.
struct Portion {
    input: Data,
    count: u32,
    index: Option<u32>,
    /// The item, where it is not the input.
    value: Option<Data>,
    /// Of an entry of an object.
    key: Option<Text>,
}

impl Stepper<'_> {
    #[allow(clippy::too_many_arguments, reason = "what the Map has computed, each of another kind")]
    pub(super) fn start_map_run(
        &mut self,
        owner: RowId,
        map: &Map,
        distributed: &Distributed,
        items: Data,
        item_count: u32,
        concurrency_max: u32,
        tolerance: Tolerance,
    ) -> Result<(), Failure> {
        let batches = match &distributed.item_batcher {
            None => None,
            Some(batcher) => Some(self.batches(owner, map, batcher)?),
        };
        let attempt = AttemptId(self.state.header.next_attempt);
        self.state.header.next_attempt += 1;
        let first_child = self.state.reserve_rows(u64::from(item_count));
        let items_row = self.state.reserve_rows(1);
        self.state.put(items_row, Row::Items(items));
        let row = self.state.reserve_rows(1);
        let (id, _) = child_identity(&self.state.info, row, attempt, self.now);
        let arn = map_run_arn(&self.state.info, self.state_of(owner), distributed, id);
        let run = MapRun {
            owner,
            id,
            arn: arn.clone(),
            started_at: self.now,
            attempt,
            items: items_row,
            item_count,
            next_item: 0,
            first_child,
            started: 0,
            concurrency_max,
            tolerance,
            items_by_status: MapRunCounts::default(),
            children_by_status: MapRunCounts::default(),
            output_bytes: 0,
            batches,
            ended: None,
            redriven: None,
        };
        self.command(Command::MapRun { row, run: Box::new(run.clone()) });
        self.state.put(row, Row::MapRun(Box::new(run)));
        self.state.thread_mut(owner).phase = Phase::Forked(row);
        self.write_next(owner, HistoryKind::MapRunStarted { map_run_arn: arn });
        if item_count == 0 {
            self.finish_map_run(row)
        } else {
            self.make_ready(row)
        }
        Ok(())
    }

    /// The fields of an ItemBatcher, computed once for the whole Map Run.
    fn batches(&mut self, owner: RowId, map: &Map, batcher: &ItemBatcher) -> Result<Batches, Failure> {
        let (items_max, bytes_max, input) = self.compute(owner, None, |scope, thread| {
            let input = flow::selected_value(&map.flow, scope, &thread.input)?;
            let positive = |name: &str, field: Option<&_>| match field {
                None => Ok(None),
                Some(field) => match u32::try_from(evaluate::whole_number(field, scope, &input)?) {
                    Ok(number @ 1..) => Ok(Some(number)),
                    Ok(0) | Err(_) => Err(Failure::value(field, format!("field {name} must be positive"))),
                },
            };
            let items_max = positive("MaxItemsPerBatch", batcher.items_max.as_ref())?;
            let bytes_max = positive("MaxInputBytesPerBatch", batcher.bytes_max.as_ref())?;
            let template = batcher.input.as_ref();
            let batch_input =
                template.map(|template| evaluate::template(template, scope, &input)).transpose()?;
            Ok((items_max, bytes_max, batch_input))
        })?;
        let input = input.map(|input| {
            let row = self.state.reserve_rows(1);
            self.state.put(row, Row::Items(input.into()));
            row
        });
        Ok(Batches { items_max, bytes_max, input })
    }

    /// Redrives and starts children as far as there is room, or until the step has done enough. Of those that must
    /// wait for their redrive each is told so.
    pub(super) fn start_children(&mut self, row: RowId) {
        while let Some(run) = self.state.map_run(row).filter(|run| run.ended.is_none()) {
            let has_room = run.has_room(MAP_RUN_CONCURRENCY_MAX);
            let can_start = has_room && run.next_item < run.item_count;
            let waiting = if has_room { self.next_to_redrive(row) } else { self.next_to_tell(row) };
            if waiting.is_none() && !can_start {
                return;
            }
            if self.is_full() {
                return self.make_ready(row);
            }
            match waiting {
                Some(index) if has_room => self.redrive_child(row, index),
                Some(index) => self.tell_to_wait(row, index),
                None => {
                    if let Err(failure) = self.start_child(row) {
                        let owner = self.state.map_run_mut(row).owner;
                        let error = self.evaluation_error(owner, &failure);
                        return self.fail_map_run(row, error);
                    }
                }
            }
        }
    }

    fn start_child(&mut self, row: RowId) -> Result<(), Failure> {
        let portion = self.next_portion(row)?;
        self.count_bytes(&portion.input);
        self.children_started += 1;
        let run = self.state.map_run_mut(row);
        let child_row = RowId(run.first_child.0 + u64::from(run.started));
        run.started += 1;
        run.next_item += portion.count;
        run.items_by_status.start(portion.count);
        run.children_by_status.start(1);
        let (owner, attempt, map_run, run_arn) = (run.owner, run.attempt, run.id, run.arn.clone());
        let StateKind::Map(map) = &self.state_of(owner).kind else { panic!("a Map Run belongs to a Map") };
        let info = &self.state.info;
        let (id, seed) = child_identity(info, child_row, attempt, self.now);
        let name = uuid(id);
        let labeled = run_arn.rsplit_once(':').map_or(&*run_arn, |(labeled, _)| labeled);
        let item = MapItem {
            map_run_arn: run_arn.clone(),
            processor: map.processor,
            express: matches!(&map.mode, Mode::Distributed(distributed) if distributed.express),
            count: portion.count,
            index: portion.index,
            value: portion.value,
            key: portion.key,
        };
        let child = StartChild {
            id,
            seed,
            arn: format!("{}:{name}", labeled.replacen(":mapRun:", ":execution:", 1)).into(),
            name: name.into(),
            state_machine_arn: labeled.replacen(":mapRun:", ":stateMachine:", 1).into(),
            input: portion.input,
            map_run,
            parent: Parent { execution: info.id, row: child_row, attempt, item: Some(item) },
        };
        let waiting = MapRunChild { run: row, id, item_count: portion.count, output: None, failure: None };
        self.state.put(child_row, Row::MapRunChild(waiting));
        self.command(Command::StartChild(Box::new(child)));
        Ok(())
    }

    /// The next item, or the next batch of them.
    fn next_portion(&self, row: RowId) -> Result<Portion, Failure> {
        let run = self.state.map_run(row).expect("the Map Run was seen to have room");
        let StateKind::Map(map) = &self.state_of(run.owner).kind else {
            panic!("a Map Run belongs to a Map")
        };
        let portion = match run.batches {
            None => {
                let index = run.next_item;
                let input = self.item_input(map, run.owner, run.items, index)?;
                let item = item::at(self.row_data(run.items).value(), index);
                let item = item.expect("a Map Run has counted its items");
                let is_input = map.item_selector.is_none() && item.key.is_none();
                let value = (!is_input).then(|| item.value.clone().into());
                let key = item.key();
                Portion { input, count: 1, index: Some(index), value, key }
            }
            Some(batches) => self.next_batch(run, map, batches)?,
        };
        if portion.input.size() > PAYLOAD_BYTES_MAX {
            return Err(Failure::data_limit());
        }
        if !json::is_readable(portion.input.text()) {
            return Err(evaluate::too_deep());
        }
        Ok(portion)
    }

    fn next_batch(&self, run: &MapRun, map: &Map, batches: Batches) -> Result<Portion, Failure> {
        let mut input = Object::new();
        if let Some(row) = batches.input {
            input.insert("BatchInput".to_owned(), self.row_data(row).value().clone());
        }
        let bytes_max = batches.bytes_max.map_or(PAYLOAD_BYTES_MAX, |bytes| bytes as usize);
        let items_max = batches.items_max.map_or(usize::MAX, |items| items as usize);
        let mut items = Vec::new();
        // What the batch has beside its items: the object, the list and its name.
        let mut bytes = Value::Object(input.clone()).to_string().len() + r#","Items":[]"#.len();
        for index in run.next_item..run.item_count {
            let item = self.item_input(map, run.owner, run.items, index)?;
            bytes += item.size() + usize::from(!items.is_empty());
            // A batch has one item at least; if that is too large, its child cannot start.
            if items.len() == items_max || (bytes > bytes_max && !items.is_empty()) {
                break;
            }
            items.push(item.value().clone());
        }
        let count = u32::try_from(items.len()).expect("a Map has fewer than 4 billion items");
        input.insert("Items".to_owned(), Value::Array(items));
        Ok(Portion { input: Value::Object(input).into(), count, index: None, value: None, key: None })
    }

    /// The items of a Map Run, or its `BatchInput`.
    fn row_data(&self, row: RowId) -> &Data {
        match self.state.row(row) {
            Some(Row::Items(data)) => data,
            Some(Row::Thread(_) | Row::Fork(_) | Row::MapRun(_) | Row::MapRunChild(_)) | None => {
                panic!("the rows of a Map Run stay while it runs")
            }
        }
    }

    /// A child has ended; says whether that was awaited.
    pub(super) fn map_run_child_ended(&mut self, row: RowId, attempt: AttemptId, end: &ChildEnd) -> bool {
        if self.state.wanted(row, end.id) != ChildWanted::Running(attempt) {
            return false;
        }
        let Some(Row::MapRunChild(child)) = self.state.row(row) else { return false };
        let mut child = child.clone();
        let (run_row, item_count) = (child.run, child.item_count);
        let run = self.state.map_run_mut(run_row);
        match &end.ending {
            Ending::Succeeded { output } => {
                run.items_by_status.succeed(item_count);
                run.children_by_status.succeed(1);
                run.output_bytes += output.size() as u64;
                // Outputs that are too large together are not needed: the state fails when the last child has ended.
                child.output = (run.output_bytes <= PAYLOAD_BYTES_MAX as u64).then(|| output.clone());
            }
            Ending::Failed(_) => child.failure = Some(ChildFailure::Failed),
            Ending::TimedOut(_) => child.failure = Some(ChildFailure::TimedOut),
            Ending::Aborted(_) => child.failure = Some(ChildFailure::Aborted),
        }
        if let Some(failure) = child.failure {
            run.items_by_status.fail(item_count, failure, end.is_final);
            run.children_by_status.fail(1, failure, end.is_final);
        }
        let (is_failed, is_done) = (run.exceeds_tolerance(), run.is_done());
        let is_needed = child.output.is_some() || (child.failure.is_some() && !end.is_final);
        if is_needed {
            self.state.put(row, Row::MapRunChild(child));
        } else {
            self.state.remove(row);
        }
        if is_failed {
            self.fail_map_run(run_row, StateError::threshold_exceeded());
        } else if is_done {
            self.finish_map_run(run_row);
        } else {
            self.make_ready(run_row);
        }
        true
    }

    /// UpdateMapRun; says whether the Map Run still runs.
    pub(super) fn map_run_updated(&mut self, row: RowId, update: MapRunUpdate) -> bool {
        if self.state.map_run(row).is_none_or(|run| run.ended.is_some()) {
            return false;
        }
        let run = self.state.map_run_mut(row);
        run.concurrency_max = update.concurrency_max.unwrap_or(run.concurrency_max);
        run.tolerance.count = update.tolerated_failure_count.or(run.tolerance.count);
        run.tolerance.percentage = update.tolerated_failure_percentage.or(run.tolerance.percentage);
        if run.exceeds_tolerance() {
            self.fail_map_run(row, StateError::threshold_exceeded())
        } else {
            self.make_ready(row)
        }
        true
    }

    /// Puts the children's outputs into one array, in order, and leaves the state.
    pub(super) fn finish_map_run(&mut self, row: RowId) {
        let run = self.state.map_run_mut(row);
        let (owner, children, output_bytes) = (run.owner, run.children(), run.output_bytes);
        let mut text = String::from("[");
        for child in children {
            let Some(Row::MapRunChild(MapRunChild { output: Some(output), .. })) = self.state.row(child)
            else {
                continue;
            };
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(output.text());
        }
        text.push(']');
        if output_bytes.max(text.len() as u64) > PAYLOAD_BYTES_MAX as u64 {
            let error = StateError::data_limit(&self.state_of(owner).name);
            // A redrive would come to the same end: it begins anew.
            self.stop_map_run(row, MapRunStatus::Failed);
            self.remove_map_run(row);
            self.state.thread_mut(owner).phase = Phase::Working;
            self.write_next(owner, HistoryKind::MapRunFailed(error.output.clone()));
            return self.fail_state(owner, error.of_inner());
        }
        self.stop_map_run(row, MapRunStatus::Succeeded);
        self.remove_map_run(row);
        self.state.thread_mut(owner).phase = Phase::Working;
        self.write_next(owner, HistoryKind::MapRunSucceeded);
        if !json::is_readable(&text) {
            return self.fail_evaluation(owner, &evaluate::too_deep());
        }
        self.leave_fork(owner, Data::from_valid_text(text));
    }

    /// Its rows stay: if no Retry and no Catch of the state goes on, a redrive may.
    pub(super) fn fail_map_run(&mut self, row: RowId, error: StateError) {
        let owner = self.state.map_run_mut(row).owner;
        self.stop_map_run(row, MapRunStatus::Failed);
        self.write_next(owner, HistoryKind::MapRunFailed(error.output.clone()));
        self.fail_state(owner, error.of_inner());
    }

    /// The state is given up because one beside it failed.
    pub(super) fn abort_map_run(&mut self, row: RowId) {
        let run = self.state.map_run_mut(row);
        let owner = run.owner;
        // One that a redrive has yet to take up stays as it ended.
        if run.ended.is_none() {
            self.stop_map_run(row, MapRunStatus::Aborted);
            self.write_next(owner, HistoryKind::MapRunAborted);
        }
    }

    /// The execution ends: so do its Map Runs, without a word in the history.
    pub(super) fn abort_map_runs(&mut self, is_kept: bool) {
        let runs: Vec<RowId> =
            self.state.rows().filter(|(_, row)| matches!(row, Row::MapRun(_))).map(|(id, _)| id).collect();
        for row in runs {
            if self.state.map_run(row).is_some_and(|run| run.ended.is_none()) {
                self.stop_map_run(row, MapRunStatus::Aborted);
            }
            if !is_kept {
                self.remove_map_run(row);
            }
        }
    }

    /// Removes every row of a Map Run that has ended.
    pub(super) fn remove_map_run(&mut self, row: RowId) {
        let Some(Row::MapRun(run)) = self.state.remove(row) else { return };
        assert!(run.ended.is_some(), "a Map Run is removed when it has ended");
        for child in run.children() {
            self.state.remove(child);
        }
        self.state.remove(run.items);
        if let Some(input) = run.batches.and_then(|batches| batches.input) {
            self.state.remove(input);
        }
        self.command(Command::MapRun { row, run });
    }
}

/// `arn:…:mapRun:MACHINE/LABEL:UUID`. A Map within a child execution is labeled for itself.
fn map_run_arn(info: &ExecutionInfo, state: &State, distributed: &Distributed, id: ExecutionId) -> Text {
    let machine = info.state_machine_arn.split('/').next().unwrap_or_default();
    let label = label_of(machine, state, distributed);
    format!("{}/{label}:{}", machine.replacen(":stateMachine:", ":mapRun:", 1), uuid(id)).into()
}

/// The labels of a machine's distributed Maps, with which its ARN names each of them.
pub fn map_labels(definition: &Definition, machine_arn: &str) -> Vec<String> {
    let label = |(_, state): (_, &State)| match &state.kind {
        StateKind::Map(map) => match &map.mode {
            Mode::Distributed(distributed) => Some(label_of(machine_arn, state, distributed)),
            Mode::Inline => None,
        },
        StateKind::Pass(_)
        | StateKind::Task(_)
        | StateKind::Choice(_)
        | StateKind::Wait(_)
        | StateKind::Succeed(_)
        | StateKind::Fail(_)
        | StateKind::Parallel(_) => None,
    };
    definition.states().filter_map(label).collect()
}

fn label_of(machine_arn: &str, state: &State, distributed: &Distributed) -> String {
    distributed.label.clone().unwrap_or_else(|| made_up_label(machine_arn, &state.name))
}

/// The label of a state without one: the same whenever the state runs.
fn made_up_label(machine: &str, state: &str) -> String {
    let digest = keyed_digest(&[0; 32], b"map run label", format!("{machine}/{state}").as_bytes());
    uuid(ExecutionId(u128::from_be_bytes(digest[..16].try_into().expect("a digest has 32 bytes"))))
}
