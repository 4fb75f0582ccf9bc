//! The Map state: one thread for each item, a bounded number at once.

use std::cell::OnceCell;

use serde_json::Value;

use crate::data::evaluate::{self, Failure};
use crate::data::flow;
use crate::data::json::Data;
use crate::data::scope::Scope;
use crate::definition::{Flow, Items, Map, Mode, StateKind, Template};
use crate::limits::{INLINE_MAP_CONCURRENCY_MAX, PAYLOAD_BYTES_MAX};

use super::context::View;
use super::execution::{Row, RowId, Thread};
use super::history::HistoryKind;
use super::item;
use super::map_run_row::Tolerance;
use super::stepper::Stepper;

impl Stepper<'_> {
    pub(super) fn map(&mut self, row: RowId, map: &Map) -> Result<(), Failure> {
        let items = self.compute(row, None, |scope, thread| items(map, scope, &thread.input))?;
        let length = u32::try_from(item::count(items.value()))
            .map_err(|_| Failure::runtime("The Map state has too many items."))?;
        let concurrency = self.compute(row, None, |scope, thread| concurrency(map, scope, &thread.input))?;
        let started = self.write_next(row, HistoryKind::MapStateStarted { length });
        let tolerance = self.compute(row, None, |scope, thread| tolerance(map, scope, &thread.input))?;
        if let Mode::Distributed(distributed) = &map.mode {
            return self.start_map_run(row, map, distributed, items, length, concurrency, tolerance);
        }
        let tolerated = tolerated_failures(tolerance, length);
        let concurrency = match concurrency {
            0 => INLINE_MAP_CONCURRENCY_MAX,
            wanted => wanted.min(INLINE_MAP_CONCURRENCY_MAX),
        };
        if length == 0 {
            self.leave_fork(row, Value::Array(Vec::new()).into());
            return Ok(());
        }
        let fork = self.fork(row, length, tolerated, Some(items), Some(concurrency));
        self.fill_fork(fork, started)
    }

    /// Starts the thread of one item; `previous` is the event that made room for it.
    pub(super) fn start_item(&mut self, fork: RowId, index: u32, previous: u32) -> Result<(), Failure> {
        let counts = self.state.fork(fork);
        let (owner, row) = (counts.owner, counts.child(index));
        let items = counts.items.expect("only a Map starts items");
        let StateKind::Map(map) = &self.state_of(owner).kind else { panic!("only a Map has items") };
        let input = self.item_input(map, owner, items, index)?;
        if input.size() > PAYLOAD_BYTES_MAX {
            return Err(Failure::data_limit());
        }
        self.count_bytes(&input);
        let counts = self.state.fork_mut(fork);
        counts.started = index + 1;
        counts.live += 1;
        let mut last = previous;
        if let Some(iteration) = self.iteration(fork, index) {
            last = self.write(previous, HistoryKind::MapIterationStarted(iteration));
        }
        let first = self.definition.scope(map.processor).start_at;
        self.spawn(row, Thread::child(fork, index, first, input, last));
        Ok(())
    }

    /// What one item's thread gets: the item, or what the ItemSelector makes of it.
    pub(super) fn item_input(
        &self,
        map: &Map,
        owner: RowId,
        items: RowId,
        index: u32,
    ) -> Result<Data, Failure> {
        match &map.item_selector {
            None => match self.state.row(items) {
                Some(Row::Items(items)) => {
                    Ok(item::at(items.value(), index).expect("a Map has counted its items").input())
                }
                Some(Row::Thread(_) | Row::Fork(_) | Row::MapRun(_) | Row::MapRunChild(_)) | None => {
                    panic!("a Map's items are there while it runs")
                }
            },
            Some(selector) => {
                let thread = self.state.thread(owner).expect("the Map's own thread is there");
                let (context, _) = self.observer();
                let view = View {
                    definition: self.definition,
                    execution: self.state,
                    thread,
                    item: Some((items, index)),
                    task: None,
                    context,
                    index: OnceCell::new(),
                };
                let scope = Scope::new(&view, &self.entropy, &self.allowance, self.now, &thread.input);
                let input = flow::selected_value(&map.flow, &scope, &thread.input)?;
                Ok(evaluate::template(selector, &scope, &input)?.into())
            }
        }
    }
}

/// What the Map goes over: an array, or for a distributed Map also an object. AWS was recorded to refuse an object for an
/// inline one.
pub(super) fn items(map: &Map, scope: &Scope<'_>, raw: &Data) -> Result<Data, Failure> {
    let takes_objects = matches!(map.mode, Mode::Distributed(_));
    let is_right = |items: &Value| items.is_array() || (takes_objects && items.is_object());
    let items_of_input =
        |items: Data| if is_right(items.value()) { Ok(items) } else { Err(not_an_array(&items)) };
    let (items, source) = match &map.items {
        Items::Input if matches!(map.flow, Flow::Jsonata(_)) => return items_of_input(raw.clone()),
        Items::Input => (flow::selected_input(&map.flow, scope, raw)?, "$"),
        Items::Path(path) => {
            let input = flow::selected_value(&map.flow, scope, raw)?;
            (evaluate::found(path, scope, &input)?.into_owned().into(), path.source())
        }
        Items::Template(template) => {
            let items = evaluate::template(template, scope, raw.value())?;
            return match template {
                Template::Computed(field) if !is_right(&items) => Err(field.unexpected("array", &items)),
                Template::Computed(_) | Template::Literal(_) | Template::Array(_) | Template::Object(_) => {
                    items_of_input(items.into())
                }
            };
        }
    };
    if is_right(items.value()) {
        return Ok(items);
    }
    // Of a path into the context object AWS shows the part within it.
    let source = source.strip_prefix('$').filter(|rest| rest.starts_with('$')).unwrap_or(source);
    Err(Failure::runtime(format!("Reference path \"{source}\" must point to array.")))
}

/// What AWS says where no expression of a JSONata Map names the items.
fn not_an_array(items: &Data) -> Failure {
    Failure::query(None, format!("Map state input must be an array but was: {}", items.value()))
}

/// How many items run at once, 0 for as many as may. AWS computes it before it writes that the Map has started.
pub(super) fn concurrency(map: &Map, scope: &Scope<'_>, raw: &Data) -> Result<u32, Failure> {
    let Some(field) = &map.concurrency_max else {
        scope.note(|seen| seen.concurrency_max = Some(0));
        return Ok(0);
    };
    let input = flow::selected_value(&map.flow, scope, raw)?;
    let wanted = evaluate::whole_number(field, scope, &input)?;
    scope.note(|seen| seen.concurrency_max = Some(wanted));
    match u32::try_from(wanted) {
        Ok(wanted) => Ok(wanted),
        Err(_) if wanted > 0 => Ok(u32::MAX),
        Err(_) => Err(Failure::value(field, "MaxConcurrency cannot be negative.")),
    }
}

/// How many items may fail. AWS computes it after it has written that the Map has started.
pub(super) fn tolerance(map: &Map, scope: &Scope<'_>, raw: &Data) -> Result<Tolerance, Failure> {
    let input = &*flow::selected_value(&map.flow, scope, raw)?;
    let count = match &map.tolerated_failure_count {
        None => None,
        Some(field) => {
            let count = evaluate::whole_number(field, scope, input)?;
            scope.note(|seen| seen.tolerated_failure_count = Some(count));
            if count < 0 {
                return Err(Failure::value(field, "ToleratedFailureCount cannot be negative."));
            }
            Some(u32::try_from(count).unwrap_or(u32::MAX))
        }
    };
    let percentage = match &map.tolerated_failure_percentage {
        None => None,
        Some(field) => {
            let percentage = evaluate::number(field, scope, input)?;
            scope.note(|seen| seen.tolerated_failure_percentage = Some(percentage));
            if !(0.0..=100.0).contains(&percentage) {
                let cause = "ToleratedFailurePercentage must be between 0 and 100.";
                return Err(Failure::value(field, cause));
            }
            Some(percentage)
        }
    };
    Ok(Tolerance { count, percentage })
}

/// The number of items that may fail, the stricter of count and percentage; none if neither is given.
pub(super) fn tolerated_failures(tolerance: Tolerance, length: u32) -> Option<u32> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the number of items, rounded down"
    )]
    let of_percentage = |percentage: f64| (f64::from(length) * percentage / 100.0) as u32;
    tolerance.count.into_iter().chain(tolerance.percentage.map(of_percentage)).min()
}
