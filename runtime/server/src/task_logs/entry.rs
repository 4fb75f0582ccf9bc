//! The log of one call, or a part of it, as it is kept: one JSON object on one line of a segment.

use std::time::{SystemTime, UNIX_EPOCH};

use asl::Timestamp;
use asl::interpreter::ExecutionId;
use executors::{CallLog, LogCaller};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use wasm_host::LogLine;

/// Under what entries are found: an execution, or a module for calls of the Lambda API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    pub(super) fn execution(id: ExecutionId) -> Key {
        Key(id.0)
    }

    pub(super) fn module(name: &str) -> Key {
        let digest = Sha256::digest(name.as_bytes());
        let start = digest.first_chunk().expect("a digest has 32 bytes");
        Key(u128::from_be_bytes(*start))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(flatten)]
    pub(super) heading: Heading,
    pub(super) lines: Vec<EntryLine>,
}

/// What is said once for all lines of a call. Its fields are those that a line has in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Heading {
    /// Counts the entries of all modules; none in those of before there were segments for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attempt_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
    pub(super) module: String,
    pub(super) version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntryLine {
    pub(super) at: String,
    pub(super) source: String,
    pub(super) message: String,
}

/// A line as it is shown, with where it comes from.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownLine {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    module: String,
    version: String,
    source: String,
    message: String,
}

impl Entry {
    pub(super) fn of(log: CallLog) -> Entry {
        let CallLog { caller, module, version, lines } = log;
        let mut heading = Heading {
            sequence: None,
            execution_id: None,
            execution_arn: None,
            state: None,
            attempt: None,
            attempt_id: None,
            request_id: None,
            module: module.to_string(),
            version,
        };
        match caller {
            LogCaller::Attempt { execution, execution_arn, state_name, attempt, attempt_id } => {
                heading.execution_id = Some(Uuid::from_u128(execution.0).to_string());
                heading.execution_arn = Some(execution_arn.to_string());
                heading.state = Some(state_name.to_string());
                heading.attempt = Some(attempt);
                heading.attempt_id = Some(attempt_id);
            }
            LogCaller::Request(id) => heading.request_id = Some(id.to_string()),
        }
        Entry { heading, lines: lines.into_iter().map(EntryLine::of).collect() }
    }

    /// With the end of its line.
    pub(super) fn to_line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("writing to memory cannot fail");
        line.push(b'\n');
        line
    }

    pub(super) fn shown(&self, line: &EntryLine) -> ShownLine {
        let heading = self.heading.clone();
        ShownLine {
            at: line.at.clone(),
            state: heading.state,
            attempt: heading.attempt,
            attempt_id: heading.attempt_id,
            request_id: heading.request_id,
            module: heading.module,
            version: heading.version,
            source: line.source.clone(),
            message: line.message.clone(),
        }
    }
}

impl Heading {
    /// Of a line of a segment; none if it is damaged.
    pub(super) fn read(line: &[u8]) -> Option<Heading> {
        serde_json::from_slice(line).ok()
    }

    pub(super) fn key(&self) -> Key {
        let execution = self.execution_id.as_deref().and_then(|id| Uuid::parse_str(id).ok());
        execution.map_or_else(|| Key::module(&self.module), |id| Key(id.as_u128()))
    }
}

impl EntryLine {
    fn of(line: LogLine) -> EntryLine {
        let LogLine { at, source, message } = line;
        EntryLine { at: timestamp(at).to_string(), source: source.name().to_owned(), message }
    }
}

fn timestamp(at: SystemTime) -> Timestamp {
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_milliseconds(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
pub(super) mod tests {
    use wasm_host::LogSource;

    use super::*;

    /// A log of an execution's state with one line.
    pub(crate) fn attempt(execution: u128, state: &str, attempt: u32, message: &str) -> CallLog {
        let caller = LogCaller::Attempt {
            execution: ExecutionId(execution),
            execution_arn: format!("arn:{execution}").into(),
            state_name: state.into(),
            attempt,
            attempt_id: u64::from(attempt) + 1,
        };
        CallLog { caller, module: "charge".into(), version: "3".to_owned(), lines: vec![line(message)] }
    }

    pub(crate) fn line(message: &str) -> LogLine {
        LogLine { at: UNIX_EPOCH, source: LogSource::Info, message: message.to_owned() }
    }

    #[test]
    fn an_entry_is_one_line_of_json() {
        let entry = Entry::of(attempt(1, "Charge", 0, "two\nlines"));
        let line = String::from_utf8(entry.to_line()).unwrap();
        assert_eq!(
            line,
            "{\"executionId\":\"00000000-0000-0000-0000-000000000001\",\"executionArn\":\"arn:1\",\"state\":\"Charge\",\
             \"attempt\":0,\"attemptId\":1,\"module\":\"charge\",\"version\":\"3\",\"lines\":[{\"at\":\
             \"1970-01-01T00:00:00.000Z\",\"source\":\"info\",\"message\":\"two\\nlines\"}]}\n"
        );
        assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), entry);
        assert_eq!(Heading::read(line.as_bytes()).unwrap().key(), Key::execution(ExecutionId(1)));
        assert_eq!(Heading::read(&line.as_bytes()[..line.len() - 2]), None);
        assert_eq!(Heading::read(&line.as_bytes()[1..]), None);
    }

    #[test]
    fn calls_of_clients_are_found_by_their_module() {
        let request = Uuid::from_u128(7);
        let log = CallLog { caller: LogCaller::Request(request), ..attempt(1, "", 0, "hello") };
        let entry = Entry::of(log);
        assert_eq!(entry.heading.key(), Key::module("charge"));
        let shown = serde_json::to_value(entry.shown(&entry.lines[0])).unwrap();
        let expected = serde_json::json!({
            "at": "1970-01-01T00:00:00.000Z", "requestId": request.to_string(), "module": "charge", "version": "3",
            "source": "info", "message": "hello",
        });
        assert_eq!(shown, expected);
    }
}
