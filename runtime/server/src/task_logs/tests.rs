//! What is kept within which bounds, through rotation, restarts and torn lines.

use std::fs;

use asl::interpreter::ExecutionId;
use executors::LogCaller;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::entry::Key;
use super::entry::tests::{attempt, line};
use super::page::Wanted;
use super::shelf::Position;
use super::*;

const PATIENCE: Duration = Duration::from_secs(60);
/// Room for some 30 entries in a segment.
const BOUNDS: Bounds = Bounds { bytes: 64 << 10, entries: 1_000 };

struct Kept {
    folder: TempDir,
    logs: Arc<TaskLogs>,
}

impl Kept {
    fn new(bounds: Bounds) -> Kept {
        let folder = tempfile::tempdir().unwrap();
        let logs = Arc::new(TaskLogs::start_in(folder.path(), bounds).unwrap());
        Kept { folder, logs }
    }

    /// As after a crash: nobody says good-bye.
    async fn start_again(self, bounds: Bounds) -> Kept {
        self.logs.settle(PATIENCE).await;
        let logs = Arc::new(TaskLogs::start_in(self.folder.path(), bounds).unwrap());
        Kept { logs, ..self }
    }

    /// The messages of an execution.
    async fn messages(&self, execution: u128) -> Vec<String> {
        self.wanted(&of(execution)).await
    }

    async fn wanted(&self, wanted: &Wanted) -> Vec<String> {
        let mut messages = Vec::new();
        let mut from = Position::default();
        loop {
            let page = self.logs.page(wanted, from, 7).await.unwrap();
            assert!(page.lines.len() <= 7);
            messages.extend(page.lines.iter().map(|line| {
                let line: Value = serde_json::to_value(line).unwrap();
                line["message"].as_str().unwrap().to_owned()
            }));
            if !page.has_more {
                return messages;
            }
            assert_ne!(page.next, from, "a page gets on");
            from = page.next;
        }
    }

    fn files(&self) -> (usize, u64) {
        let files: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap()).collect();
        (files.len(), files.iter().map(|file| file.metadata().unwrap().len()).sum())
    }
}

fn of(execution: u128) -> Wanted {
    Wanted { key: Key::execution(ExecutionId(execution)), state: None, attempt: None, request_id: None }
}

#[tokio::test]
async fn lines_are_found_by_execution_state_and_attempt() {
    let kept = Kept::new(BOUNDS);
    for (execution, state, number) in [(1, "A", 0), (2, "A", 0), (1, "A", 1), (1, "B", 0)] {
        let mut log = attempt(execution, state, number, &format!("{execution} {state} {number}"));
        log.lines.push(line("more"));
        kept.logs.keep(log);
    }
    assert_eq!(kept.messages(1).await, ["1 A 0", "more", "1 A 1", "more", "1 B 0", "more"]);
    assert_eq!(kept.messages(2).await, ["2 A 0", "more"]);
    assert_eq!(kept.messages(3).await, [""; 0]);
    let state = |state: &str, attempt| Wanted { state: Some(state.to_owned()), attempt, ..of(1) };
    assert_eq!(kept.wanted(&state("A", None)).await, ["1 A 0", "more", "1 A 1", "more"]);
    assert_eq!(kept.wanted(&state("A", Some(1))).await, ["1 A 1", "more"]);
    assert_eq!(kept.wanted(&state("B", Some(1))).await, [""; 0]);
}

#[tokio::test]
async fn calls_of_clients_are_found_by_module_and_request() {
    let kept = Kept::new(BOUNDS);
    for request in [7, 8] {
        let caller = LogCaller::Request(uuid::Uuid::from_u128(request));
        kept.logs.keep(CallLog { caller, ..attempt(1, "", 0, &request.to_string()) });
    }
    let module = Wanted { key: Key::module("charge"), ..of(1) };
    assert_eq!(kept.wanted(&module).await, ["7", "8"]);
    let request = Some(uuid::Uuid::from_u128(8).to_string());
    assert_eq!(kept.wanted(&Wanted { request_id: request, ..module }).await, ["8"]);
    assert_eq!(kept.messages(1).await, [""; 0]);
}

#[tokio::test]
async fn a_long_entry_is_read_in_pages() {
    let kept = Kept::new(BOUNDS);
    let mut log = attempt(1, "A", 0, "0");
    log.lines.extend((1..20).map(|number| line(&number.to_string())));
    kept.logs.keep(log);
    let expected: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(kept.messages(1).await, expected);
}

#[tokio::test]
async fn the_oldest_segments_go_and_a_restart_knows_the_rest() {
    let kept = Kept::new(BOUNDS);
    for number in 0..1_000 {
        kept.logs.keep(attempt(1, "A", 0, &number.to_string()));
    }
    let messages = kept.messages(1).await;
    let (files, bytes) = kept.files();
    assert!(bytes <= BOUNDS.bytes && bytes > BOUNDS.bytes / 2, "{bytes}");
    assert!((7..=9).contains(&files), "{files}");
    let expected: Vec<_> = (1_000 - messages.len()..1_000).map(|number| number.to_string()).collect();
    assert_eq!(messages, expected);
    assert_eq!(kept.logs.lost(), 0);

    let kept = kept.start_again(BOUNDS).await;
    assert_eq!(kept.messages(1).await, expected);
    kept.logs.keep(attempt(1, "A", 0, "next"));
    let after = kept.messages(1).await;
    assert_eq!(after.last().unwrap(), "next");
    assert!(kept.files().0 <= 9);
    // With less room less stays, of entries as well.
    let kept = kept.start_again(Bounds { entries: 40, ..BOUNDS }).await;
    let after = kept.messages(1).await;
    assert!((1..=40).contains(&after.len()), "{}", after.len());
    assert_eq!(after.last().unwrap(), "next");
}

/// A log of another module than most are.
fn log_of(module: &str, execution: u128, message: &str) -> CallLog {
    CallLog { module: module.into(), ..attempt(execution, "A", 0, message) }
}

#[tokio::test]
async fn a_module_that_logs_most_loses_its_own_lines() {
    let kept = Kept::new(BOUNDS);
    let mut expected = Vec::new();
    for number in 0..5_000 {
        kept.logs.keep(log_of("loud", 1, &number.to_string()));
        if number % 100 == 0 {
            let message = format!("quiet {number}");
            kept.logs.keep(log_of("quiet", 2, &message));
            expected.push(message);
        }
        if number % 1_000 == 0 {
            kept.logs.settle(PATIENCE).await;
        }
    }
    assert_eq!(kept.messages(2).await, expected);
    let loud = kept.messages(1).await;
    assert!(loud.len() > 100 && loud.last().unwrap() == "4999", "{}", loud.len());
    let (_, bytes) = kept.files();
    assert!(bytes <= BOUNDS.bytes && bytes > BOUNDS.bytes / 2, "{bytes}");
    assert_eq!(kept.logs.lost(), 0);
    let kept = kept.start_again(BOUNDS).await;
    assert_eq!(kept.messages(2).await, expected);
    assert_eq!(kept.messages(1).await, loud);
    // Of several that log a lot each has its part.
    for number in 0..3_000 {
        for module in ["loud", "other", "third"] {
            kept.logs.keep(log_of(module, 3, &format!("{module} {number}")));
        }
        if number % 300 == 0 {
            kept.logs.settle(PATIENCE).await;
        }
    }
    assert_eq!(kept.messages(2).await, expected);
    let all = kept.messages(3).await;
    for module in ["loud", "other", "third"] {
        let own = all.iter().filter(|message| message.starts_with(module)).count();
        assert!(own > 30, "{module} has {own} of {}", all.len());
    }
}

#[tokio::test]
async fn lines_of_an_execution_have_one_order_whichever_modules_write_them() {
    let kept = Kept::new(BOUNDS);
    let expected: Vec<_> = (0..150).map(|number| number.to_string()).collect();
    for (number, message) in expected.iter().enumerate() {
        kept.logs.keep(log_of(["a", "b", "c"][number / 2 % 3], 1, message));
    }
    assert_eq!(kept.messages(1).await, expected);
    let kept = kept.start_again(BOUNDS).await;
    assert_eq!(kept.messages(1).await, expected);
}

#[tokio::test]
async fn segments_of_before_are_read_and_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let line = |module: &str, message: &str| entry::Entry::of(log_of(module, 1, message)).to_line();
    for (number, messages) in [(7, ["1", "2"]), (8, ["3", "4"])] {
        let lines: Vec<u8> = messages.iter().flat_map(|message| line(message, message)).collect();
        fs::write(segment::path(folder.path(), number), lines).unwrap();
    }
    let logs = Arc::new(TaskLogs::start_in(folder.path(), BOUNDS).unwrap());
    let kept = Kept { folder, logs };
    kept.logs.keep(log_of("1", 1, "5"));
    assert_eq!(kept.messages(1).await, ["1", "2", "3", "4", "5"]);
    let kept = kept.start_again(BOUNDS).await;
    assert_eq!(kept.messages(1).await, ["1", "2", "3", "4", "5"]);
    assert_eq!(kept.files().0, 3);
}

#[tokio::test]
async fn a_torn_line_is_skipped_and_written_over() {
    let kept = Kept::new(BOUNDS);
    kept.logs.keep(attempt(1, "A", 0, "first"));
    assert_eq!(kept.messages(1).await, ["first"]);
    let file = segment::path(kept.folder.path(), 1);
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend(&bytes.clone()[..50]);
    fs::write(&file, bytes).unwrap();
    let kept = kept.start_again(BOUNDS).await;
    assert_eq!(kept.messages(1).await, ["first"]);
    kept.logs.keep(attempt(1, "A", 1, "second"));
    let kept = kept.start_again(BOUNDS).await;
    assert_eq!(kept.messages(1).await, ["first", "second"]);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn what_is_too_large_or_comes_too_fast_is_lost_and_counted() {
    let kept = Kept::new(Bounds { bytes: 1 << 10, ..BOUNDS });
    kept.logs.keep(attempt(1, "A", 0, &"x".repeat(2 << 10)));
    kept.logs.keep(attempt(1, "A", 0, "small"));
    assert_eq!(kept.messages(1).await, ["small"]);
    assert_eq!(kept.logs.lost(), 1);
    // The queue takes no more than its bytes, however long the writer takes.
    let mut flood = attempt(1, "A", 0, "");
    flood.lines = vec![line(&"x".repeat(TASK_LOG_QUEUE_BYTES_MAX)), line("y"), line("z")];
    kept.logs.keep(flood);
    kept.logs.keep(attempt(1, "A", 0, "last"));
    assert_eq!(kept.messages(1).await.last().unwrap(), "last");
    assert_eq!(kept.logs.lost(), 4);
    assert!(kept.files().1 <= 1 << 10);
}

#[tokio::test]
async fn places_of_a_reader_outlive_the_segments() {
    let kept = Kept::new(BOUNDS);
    kept.logs.keep(attempt(1, "A", 0, "old"));
    let page = kept.logs.page(&of(1), Position::default(), 10).await.unwrap();
    assert!(!page.has_more);
    for number in 0..1_000 {
        kept.logs.keep(attempt(2, "A", 0, &number.to_string()));
    }
    kept.logs.keep(attempt(1, "A", 0, "new"));
    let page = kept.logs.page(&of(1), page.next, 10).await.unwrap();
    let lines = json!(page.lines);
    assert_eq!((lines.as_array().unwrap().len(), &lines[0]["message"]), (1, &json!("new")));
}
