//! History events, as they are stored. The API gives them AWS's names; here equal shapes share a variant.
//!
//! The numbers are part of the stored format: they are never reused or changed, only added.

use crate::data::text::Text;

use minicbor::{Decode, Encode};

use crate::data::json::Data;
use crate::data::timestamp::Timestamp;

/// One event of an execution's history.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct HistoryEvent {
    /// From 1, without gaps.
    #[n(0)]
    pub id: u32,
    /// The event that led to this one; 0 for the first.
    #[n(1)]
    pub previous: u32,
    #[n(2)]
    pub at: Timestamp,
    #[n(3)]
    pub kind: HistoryKind,
}

/// An error name and its explanation. A Fail state may give neither; a timeout has no cause.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct ErrorOutput {
    #[n(0)]
    pub error: Option<String>,
    #[n(1)]
    pub cause: Option<String>,
}

impl ErrorOutput {
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> ErrorOutput {
        ErrorOutput { error: Some(error.into()), cause: Some(cause.into()) }
    }

    /// An error without an explanation, as AWS writes timeouts.
    pub fn bare(error: impl Into<String>) -> ErrorOutput {
        ErrorOutput { error: Some(error.into()), cause: None }
    }
}

/// What one task attempt used, as far as its executor measures it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct TaskUsage {
    /// Units of fuel of the WebAssembly engine.
    #[n(0)]
    pub fuel: u64,
    #[n(1)]
    pub memory_bytes_peak: u64,
    #[n(2)]
    pub wall_microseconds: u64,
    /// Whether compiled code had to be loaded first.
    #[n(3)]
    pub cold: bool,
    /// CPU time of the attempt; none of an attempt of before it was measured.
    #[n(4)]
    pub cpu_microseconds: Option<u64>,
    /// Lines in the attempt's log; none of an attempt of before they were counted.
    #[n(5)]
    pub log_lines: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum StateType {
    #[n(0)]
    Pass,
    #[n(1)]
    Task,
    #[n(2)]
    Choice,
    #[n(3)]
    Wait,
    #[n(4)]
    Succeed,
    #[n(5)]
    Fail,
    #[n(6)]
    Parallel,
    #[n(7)]
    Map,
}

impl StateType {
    pub fn name(self) -> &'static str {
        match self {
            StateType::Pass => "Pass",
            StateType::Task => "Task",
            StateType::Choice => "Choice",
            StateType::Wait => "Wait",
            StateType::Succeed => "Succeed",
            StateType::Fail => "Fail",
            StateType::Parallel => "Parallel",
            StateType::Map => "Map",
        }
    }
}

/// `resourceType` and `resource` of a service task: `lambda` and `invoke.waitForTaskToken`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ServiceName {
    #[n(0)]
    pub resource_type: Text,
    #[n(1)]
    pub resource: Text,
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct TaskScheduled {
    #[n(0)]
    pub service: ServiceName,
    #[n(1)]
    pub region: Text,
    #[n(2)]
    pub parameters: Data,
    #[n(3)]
    pub timeout_seconds: Option<u32>,
    #[n(4)]
    pub heartbeat_seconds: Option<u32>,
    #[n(5)]
    pub role_arn: Option<String>,
}

/// A function or an activity was scheduled.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Scheduled {
    #[n(0)]
    pub resource: Text,
    #[n(1)]
    pub input: Data,
    #[n(2)]
    pub timeout_seconds: Option<u32>,
    #[n(3)]
    pub heartbeat_seconds: Option<u32>,
    #[n(4)]
    pub role_arn: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Iteration {
    /// Name of the Map state.
    #[n(0)]
    pub name: Text,
    #[n(1)]
    pub index: u32,
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum HistoryKind {
    #[n(0)]
    ExecutionStarted {
        #[n(0)]
        input: Data,
        #[n(1)]
        role_arn: Text,
        #[n(2)]
        version_arn: Option<Text>,
        #[n(3)]
        alias_arn: Option<Text>,
    },
    #[n(1)]
    ExecutionSucceeded {
        #[n(0)]
        output: Data,
    },
    #[n(2)]
    ExecutionFailed(#[n(0)] ErrorOutput),
    #[n(3)]
    ExecutionTimedOut(#[n(0)] ErrorOutput),
    #[n(4)]
    ExecutionAborted(#[n(0)] ErrorOutput),
    #[n(5)]
    ExecutionRedriven {
        #[n(0)]
        redrive_count: u32,
    },
    #[n(6)]
    StateEntered {
        #[n(0)]
        state_type: StateType,
        #[n(1)]
        name: Text,
        #[n(2)]
        input: Data,
    },
    #[n(7)]
    StateExited {
        #[n(0)]
        state_type: StateType,
        #[n(1)]
        name: Text,
        #[n(2)]
        output: Data,
        /// In the order of the definition.
        #[n(3)]
        assigned: Vec<(Text, Data)>,
    },
    #[n(8)]
    StateAborted {
        #[n(0)]
        state_type: StateType,
    },
    #[n(9)]
    TaskScheduled(#[n(0)] Box<TaskScheduled>),
    #[n(10)]
    TaskStarted(#[n(0)] ServiceName),
    #[n(11)]
    TaskStartFailed(#[n(0)] ServiceName, #[n(1)] ErrorOutput),
    #[n(12)]
    TaskSubmitted(#[n(0)] ServiceName, #[n(1)] Data),
    #[n(13)]
    TaskSubmitFailed(#[n(0)] ServiceName, #[n(1)] ErrorOutput),
    #[n(14)]
    TaskSucceeded(#[n(0)] ServiceName, #[n(1)] Data, #[n(2)] Option<TaskUsage>),
    #[n(15)]
    TaskFailed(#[n(0)] ServiceName, #[n(1)] ErrorOutput, #[n(2)] Option<TaskUsage>),
    #[n(16)]
    TaskTimedOut(#[n(0)] ServiceName, #[n(1)] ErrorOutput),
    #[n(17)]
    LambdaFunctionScheduled(#[n(0)] Box<Scheduled>),
    #[n(18)]
    LambdaFunctionScheduleFailed(#[n(0)] ErrorOutput),
    #[n(19)]
    LambdaFunctionStarted,
    #[n(20)]
    LambdaFunctionStartFailed(#[n(0)] ErrorOutput),
    #[n(21)]
    LambdaFunctionSucceeded(#[n(0)] Data, #[n(1)] Option<TaskUsage>),
    #[n(22)]
    LambdaFunctionFailed(#[n(0)] ErrorOutput, #[n(1)] Option<TaskUsage>),
    #[n(23)]
    LambdaFunctionTimedOut(#[n(0)] ErrorOutput),
    #[n(24)]
    ActivityScheduled(#[n(0)] Box<Scheduled>),
    #[n(25)]
    ActivityScheduleFailed(#[n(0)] ErrorOutput),
    #[n(26)]
    ActivityStarted {
        #[n(0)]
        worker_name: Option<String>,
    },
    #[n(27)]
    ActivitySucceeded(#[n(0)] Data),
    #[n(28)]
    ActivityFailed(#[n(0)] ErrorOutput),
    #[n(29)]
    ActivityTimedOut(#[n(0)] ErrorOutput),
    #[n(30)]
    ParallelStateStarted,
    #[n(31)]
    ParallelStateSucceeded,
    #[n(32)]
    ParallelStateFailed,
    #[n(33)]
    MapStateStarted {
        #[n(0)]
        length: u32,
    },
    #[n(34)]
    MapStateSucceeded,
    #[n(35)]
    MapStateFailed,
    #[n(36)]
    MapIterationStarted(#[n(0)] Iteration),
    #[n(37)]
    MapIterationSucceeded(#[n(0)] Iteration),
    #[n(38)]
    MapIterationFailed(#[n(0)] Iteration),
    #[n(39)]
    MapIterationAborted(#[n(0)] Iteration),
    #[n(40)]
    EvaluationFailed {
        #[n(0)]
        error: ErrorOutput,
        #[n(1)]
        location: Option<String>,
        #[n(2)]
        state: Text,
    },
    #[n(41)]
    MapRunStarted {
        #[n(0)]
        map_run_arn: Text,
    },
    #[n(42)]
    MapRunSucceeded,
    #[n(43)]
    MapRunFailed(#[n(0)] ErrorOutput),
    #[n(44)]
    MapRunAborted,
    #[n(45)]
    MapRunRedriven {
        #[n(0)]
        map_run_arn: Text,
        #[n(1)]
        redrive_count: u32,
    },
}

impl HistoryEvent {
    /// About how many bytes of memory it takes: at least those of its texts.
    pub fn weight(&self) -> usize {
        size_of::<HistoryEvent>() + self.kind.text_bytes()
    }
}

impl HistoryKind {
    fn text_bytes(&self) -> usize {
        let error = |error: &ErrorOutput| {
            let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            length(&error.error) + length(&error.cause)
        };
        match self {
            HistoryKind::ExecutionStarted { input: data, .. }
            | HistoryKind::ExecutionSucceeded { output: data }
            | HistoryKind::StateEntered { input: data, .. }
            | HistoryKind::TaskSubmitted(_, data)
            | HistoryKind::TaskSucceeded(_, data, _)
            | HistoryKind::LambdaFunctionSucceeded(data, _)
            | HistoryKind::ActivitySucceeded(data) => data.size(),
            HistoryKind::StateExited { output, assigned, .. } => {
                let variables = assigned.iter().map(|(name, value)| name.len() + value.size());
                output.size() + variables.sum::<usize>()
            }
            HistoryKind::TaskScheduled(task) => size_of::<TaskScheduled>() + task.parameters.size(),
            HistoryKind::LambdaFunctionScheduled(task) | HistoryKind::ActivityScheduled(task) => {
                size_of::<Scheduled>() + task.input.size()
            }
            HistoryKind::ExecutionFailed(found)
            | HistoryKind::ExecutionTimedOut(found)
            | HistoryKind::ExecutionAborted(found)
            | HistoryKind::TaskStartFailed(_, found)
            | HistoryKind::TaskSubmitFailed(_, found)
            | HistoryKind::TaskFailed(_, found, _)
            | HistoryKind::TaskTimedOut(_, found)
            | HistoryKind::LambdaFunctionScheduleFailed(found)
            | HistoryKind::LambdaFunctionStartFailed(found)
            | HistoryKind::LambdaFunctionFailed(found, _)
            | HistoryKind::LambdaFunctionTimedOut(found)
            | HistoryKind::ActivityScheduleFailed(found)
            | HistoryKind::ActivityFailed(found)
            | HistoryKind::ActivityTimedOut(found)
            | HistoryKind::MapRunFailed(found)
            | HistoryKind::EvaluationFailed { error: found, .. } => error(found),
            HistoryKind::ExecutionRedriven { .. }
            | HistoryKind::StateAborted { .. }
            | HistoryKind::TaskStarted(_)
            | HistoryKind::LambdaFunctionStarted
            | HistoryKind::ActivityStarted { .. }
            | HistoryKind::ParallelStateStarted
            | HistoryKind::ParallelStateSucceeded
            | HistoryKind::ParallelStateFailed
            | HistoryKind::MapStateStarted { .. }
            | HistoryKind::MapStateSucceeded
            | HistoryKind::MapStateFailed
            | HistoryKind::MapIterationStarted(_)
            | HistoryKind::MapIterationSucceeded(_)
            | HistoryKind::MapIterationFailed(_)
            | HistoryKind::MapIterationAborted(_)
            | HistoryKind::MapRunStarted { .. }
            | HistoryKind::MapRunRedriven { .. }
            | HistoryKind::MapRunSucceeded
            | HistoryKind::MapRunAborted => 0,
        }
    }
}
