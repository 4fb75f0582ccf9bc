//! The Map state.

use crate::data::path::Path;

use super::{Assign, Catcher, Flow, NumberField, Retrier, ScopeId, Template, Transition};

#[derive(Debug, Clone)]
pub struct Map {
    /// Without `parameters`/`arguments`: these are the item selector here.
    pub flow: Flow,
    pub items: Items,
    /// `ItemSelector`, or the legacy `Parameters`.
    pub item_selector: Option<Template>,
    /// `ItemProcessor`, or the legacy `Iterator`.
    pub processor: ScopeId,
    pub mode: Mode,
    /// 0 and absent: as many as the engine allows.
    pub concurrency_max: Option<NumberField>,
    pub tolerated_failure_count: Option<NumberField>,
    pub tolerated_failure_percentage: Option<NumberField>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub assign: Assign,
    pub transition: Transition,
}

/// Where the items come from.
#[derive(Debug, Clone)]
pub enum Items {
    /// The effective input itself.
    Input,
    /// `ItemsPath`.
    Path(Path),
    /// JSONata's `Items`.
    Template(Template),
}

#[derive(Debug, Clone)]
pub enum Mode {
    Inline,
    Distributed(Box<Distributed>),
}

/// The fields that only a distributed Map has.
#[derive(Debug, Clone)]
pub struct Distributed {
    pub express: bool,
    pub label: Option<String>,
    pub item_reader: Option<serde_json::Value>,
    pub item_batcher: Option<ItemBatcher>,
    pub result_writer: Option<serde_json::Value>,
}

/// How the items of a distributed Map are put together: a child execution for each batch.
#[derive(Debug, Clone)]
pub struct ItemBatcher {
    pub items_max: Option<NumberField>,
    pub bytes_max: Option<NumberField>,
    /// `BatchInput`, the same for every batch.
    pub input: Option<Template>,
}
