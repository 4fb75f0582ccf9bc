//! What a test of one state gets to see of the way of its data.

use super::json::Data;

/// The data between the fields of a state, as far as the state came; see TestState's `inspectionData`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inspection {
    pub after_input_path: Option<Data>,
    /// The effective input of JSONPath.
    pub after_parameters: Option<Data>,
    /// The effective input of JSONata.
    pub after_arguments: Option<Data>,
    /// What the work of the state gave.
    pub result: Option<Data>,
    pub after_result_selector: Option<Data>,
    pub after_result_path: Option<Data>,
    /// The items of a Map.
    pub after_items_path: Option<Data>,
    /// What each item's thread would get.
    pub after_item_selector: Option<Data>,
    /// What each batch's execution would get.
    pub after_item_batcher: Option<Data>,
    /// As the definition has them, before they are brought within the engine's limits.
    pub concurrency_max: Option<i64>,
    pub tolerated_failure_count: Option<i64>,
    pub tolerated_failure_percentage: Option<f64>,
}
