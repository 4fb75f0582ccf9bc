//! `loggingConfiguration` of a machine: which events of its executions are to be logged.

use asl::interpreter::{HistoryEvent, HistoryKind, StateType};
use asl::{Data, Text};

/// How much is logged, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Fatal,
    Error,
    All,
}

/// What a machine wants logged, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    pub level: LogLevel,
    /// Whether inputs, outputs and variables are logged.
    pub includes_data: bool,
    /// The ARN of the log group.
    pub group_arn: Text,
}

impl Logging {
    /// Reads a stored configuration; none if nothing is to be logged.
    pub(crate) fn read(configuration: Option<&Data>) -> Option<Logging> {
        let configuration = configuration?.value();
        let level = match configuration["level"].as_str()? {
            "ALL" => LogLevel::All,
            "ERROR" => LogLevel::Error,
            "FATAL" => LogLevel::Fatal,
            _off => return None,
        };
        let group = &configuration["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"];
        let includes_data = configuration["includeExecutionData"].as_bool().unwrap_or(false);
        Some(Logging { level, includes_data, group_arn: group.as_str().map(Text::from)? })
    }

    pub fn takes(&self, event: &HistoryEvent) -> bool {
        level_of(&event.kind) <= self.level
    }
}

/// The lowest level that logs an event. AWS lists its events by name; those that it does not list go by the words with
/// which the others end.
fn level_of(kind: &HistoryKind) -> LogLevel {
    use HistoryKind as Kind;

    match kind {
        Kind::ExecutionFailed(_) | Kind::ExecutionTimedOut(_) | Kind::ExecutionAborted(_) => LogLevel::Fatal,
        Kind::StateEntered { state_type: StateType::Fail, .. }
        | Kind::StateAborted { .. }
        | Kind::EvaluationFailed { .. }
        | Kind::TaskStartFailed(..)
        | Kind::TaskSubmitFailed(..)
        | Kind::TaskFailed(..)
        | Kind::TaskTimedOut(..)
        | Kind::LambdaFunctionScheduleFailed(_)
        | Kind::LambdaFunctionStartFailed(_)
        | Kind::LambdaFunctionFailed(..)
        | Kind::LambdaFunctionTimedOut(_)
        | Kind::ActivityScheduleFailed(_)
        | Kind::ActivityFailed(_)
        | Kind::ActivityTimedOut(_)
        | Kind::ParallelStateFailed
        | Kind::MapStateFailed
        | Kind::MapIterationFailed(_)
        | Kind::MapIterationAborted(_)
        | Kind::MapRunFailed(_)
        | Kind::MapRunAborted => LogLevel::Error,
        Kind::ExecutionStarted { .. }
        | Kind::ExecutionSucceeded { .. }
        | Kind::ExecutionRedriven { .. }
        | Kind::StateEntered { .. }
        | Kind::StateExited { .. }
        | Kind::TaskScheduled(_)
        | Kind::TaskStarted(_)
        | Kind::TaskSubmitted(..)
        | Kind::TaskSucceeded(..)
        | Kind::LambdaFunctionScheduled(_)
        | Kind::LambdaFunctionStarted
        | Kind::LambdaFunctionSucceeded(..)
        | Kind::ActivityScheduled(_)
        | Kind::ActivityStarted { .. }
        | Kind::ActivitySucceeded(_)
        | Kind::ParallelStateStarted
        | Kind::ParallelStateSucceeded
        | Kind::MapStateStarted { .. }
        | Kind::MapStateSucceeded
        | Kind::MapIterationStarted(_)
        | Kind::MapIterationSucceeded(_)
        | Kind::MapRunStarted { .. }
        | Kind::MapRunRedriven { .. }
        | Kind::MapRunSucceeded => LogLevel::All,
    }
}

#[cfg(test)]
mod tests {
    use asl::interpreter::{ErrorOutput, ServiceName};
    use serde_json::{Value, json};

    use super::*;

    fn configuration(level: &str) -> Value {
        json!({
            "level": level, "includeExecutionData": true,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:r:1:log-group:g:*"}}],
        })
    }

    #[test]
    fn a_configuration_names_level_data_and_group() {
        let read = |configuration: Value| Logging::read(Some(&configuration.into()));
        let expected = |level| Logging {
            level,
            includes_data: true,
            group_arn: "arn:aws:logs:r:1:log-group:g:*".into(),
        };
        assert_eq!(read(configuration("ALL")), Some(expected(LogLevel::All)));
        assert_eq!(read(configuration("ERROR")), Some(expected(LogLevel::Error)));
        assert_eq!(read(configuration("FATAL")), Some(expected(LogLevel::Fatal)));
        assert_eq!(read(configuration("OFF")), None);
        assert_eq!(read(json!({"level": "ALL", "includeExecutionData": false})), None);
        assert_eq!(Logging::read(None), None);
    }

    #[test]
    fn levels_take_the_events_that_aws_lists() {
        let check = |kind: HistoryKind, expected: LogLevel| {
            let event = HistoryEvent { id: 1, previous: 0, at: asl::Timestamp::EPOCH, kind };
            for level in [LogLevel::Fatal, LogLevel::Error, LogLevel::All] {
                let logging = Logging { level, includes_data: false, group_arn: "g".into() };
                assert_eq!(logging.takes(&event), expected <= level, "{:?} at {level:?}", event.kind);
            }
        };
        let error = ErrorOutput::default;
        let service = || ServiceName { resource_type: "lambda".into(), resource: "invoke".into() };
        let entered = |state_type| HistoryKind::StateEntered {
            state_type,
            name: "S".into(),
            input: Data::empty_object(),
        };
        check(HistoryKind::ExecutionFailed(error()), LogLevel::Fatal);
        check(HistoryKind::ExecutionTimedOut(error()), LogLevel::Fatal);
        check(HistoryKind::ExecutionAborted(error()), LogLevel::Fatal);
        check(entered(StateType::Fail), LogLevel::Error);
        check(HistoryKind::TaskFailed(service(), error(), None), LogLevel::Error);
        check(HistoryKind::TaskStartFailed(service(), error()), LogLevel::Error);
        check(HistoryKind::TaskSubmitFailed(service(), error()), LogLevel::Error);
        check(HistoryKind::LambdaFunctionScheduleFailed(error()), LogLevel::Error);
        check(HistoryKind::LambdaFunctionTimedOut(error()), LogLevel::Error);
        check(HistoryKind::StateAborted { state_type: StateType::Wait }, LogLevel::Error);
        check(HistoryKind::MapRunAborted, LogLevel::Error);
        check(entered(StateType::Pass), LogLevel::All);
        check(HistoryKind::ExecutionSucceeded { output: Data::empty_object() }, LogLevel::All);
        check(HistoryKind::LambdaFunctionStarted, LogLevel::All);
        check(HistoryKind::TaskSubmitted(service(), Data::empty_object()), LogLevel::All);
    }
}
