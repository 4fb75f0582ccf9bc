//! `Retry` and `Catch`.

use super::{Assign, ResultPath, StateId, Template};

#[derive(Debug, Clone)]
pub struct Retrier {
    pub error_equals: Vec<String>,
    /// Default 1.
    pub interval_seconds: u32,
    /// Default 3; 0 never retries.
    pub attempts_max: u32,
    /// Default 2.0, at least 1.0.
    pub backoff_rate: f64,
    pub delay_seconds_max: Option<u32>,
    pub jitter: Jitter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    None,
    /// A uniformly random part of the delay.
    Full,
}

#[derive(Debug, Clone)]
pub struct Catcher {
    pub error_equals: Vec<String>,
    pub next: StateId,
    /// JSONPath only; `Replace` in JSONata.
    pub result_path: ResultPath,
    /// JSONata only.
    pub output: Option<Template>,
    pub assign: Assign,
}
