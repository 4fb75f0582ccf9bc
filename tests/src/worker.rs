//! Who answers the tasks of a run.

use asl::Data;
use asl::interpreter::{ErrorOutput, TaskRequest};

/// Answers task attempts, in the order in which they are scheduled.
pub trait Workers {
    fn attempt(&mut self, request: &TaskRequest) -> Attempt;
}

/// What becomes of one attempt. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// An activity task waits this long for a worker.
    pub taken_after: i64,
    pub worker_name: Option<String>,
    /// What a service returns that then waits for the token.
    pub submitted: Result<Data, ErrorOutput>,
    /// When heartbeats come, counted from the start.
    pub heartbeats: Vec<i64>,
    /// When the outcome comes, counted from the start.
    pub after: i64,
    /// None if there is never an answer.
    pub outcome: Option<Result<Data, ErrorOutput>>,
}

impl Attempt {
    /// An attempt that is answered at once.
    pub fn new(outcome: Option<Result<Data, ErrorOutput>>) -> Attempt {
        Attempt {
            taken_after: 0,
            worker_name: None,
            submitted: Ok(Data::empty_object()),
            heartbeats: Vec::new(),
            after: 0,
            outcome,
        }
    }
}
