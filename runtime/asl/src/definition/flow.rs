//! How data passes through a state, in either query language.

use crate::data::path::{Path, ReferencePath};

use super::Template;

/// The fields through which a state's input becomes its output.
#[derive(Debug, Clone)]
pub enum Flow {
    JsonPath(Box<JsonPathFlow>),
    Jsonata(Box<JsonataFlow>),
}

#[derive(Debug, Clone, Default)]
pub struct JsonPathFlow {
    pub input_path: Selection,
    /// `Parameters`; of a Map it is the legacy name of ItemSelector and kept there.
    pub parameters: Option<Template>,
    pub result_selector: Option<Template>,
    pub result_path: ResultPath,
    pub output_path: Selection,
}

#[derive(Debug, Clone, Default)]
pub struct JsonataFlow {
    pub arguments: Option<Template>,
    pub output: Option<Template>,
}

/// `InputPath` and `OutputPath`.
#[derive(Debug, Clone, Default)]
pub enum Selection {
    /// Absent, or `$`.
    #[default]
    Whole,
    /// `null`: an empty object.
    Nothing,
    Path(Path),
}

/// `ResultPath`.
#[derive(Debug, Clone, Default)]
pub enum ResultPath {
    /// Absent, or `$`: the result replaces the input.
    #[default]
    Replace,
    /// `null`: the result is dropped and the input kept.
    Discard,
    At(ReferencePath),
}

/// `Assign`: variables and how each is computed, in the author's order.
pub type Assign = Vec<(String, Template)>;
