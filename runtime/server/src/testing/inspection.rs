//! `inspectionData`: what is told of the way of the data.

use asl::Data;
use asl::interpreter::Trial;
use serde_json::{Map, Value, json};

/// At most this many arrays of a text are compared with a value when its own text is looked for.
const SOURCES_MAX: usize = 64;

/// `sources` are the texts from which a Map's items may come.
pub(crate) fn show(
    trial: &Trial<'_>,
    input: &Data,
    has_failed: bool,
    sources: &[&str],
) -> Map<String, Value> {
    let seen = trial.inspection();
    let mut shown = Map::new();
    shown.insert("input".to_owned(), input.text().into());
    let fields = [
        ("afterInputPath", &seen.after_input_path),
        ("afterParameters", &seen.after_parameters),
        ("afterArguments", &seen.after_arguments),
        ("result", &seen.result),
        ("afterResultSelector", &seen.after_result_selector),
        ("afterResultPath", &seen.after_result_path),
        ("afterItemSelector", &seen.after_item_selector),
        ("afterItemBatcher", &seen.after_item_batcher),
    ];
    for (name, data) in fields {
        if let Some(data) = data {
            shown.insert(name.to_owned(), data.text().into());
        }
    }
    if let Some(items) = &seen.after_items_path {
        shown.insert("afterItemsPath".to_owned(), as_written(items, sources).into());
    }
    let numbers = [
        ("maxConcurrency", seen.concurrency_max.map(Value::from)),
        ("toleratedFailureCount", seen.tolerated_failure_count.map(Value::from)),
        ("toleratedFailurePercentage", seen.tolerated_failure_percentage.map(Value::from)),
    ];
    let numbers = numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?)));
    shown.extend(numbers);
    if !trial.variables().is_empty() {
        let variables = trial.variables().iter();
        let variables = variables.map(|(name, value)| (name.to_string(), value.value().clone()));
        shown.insert("variables".to_owned(), Value::Object(variables.collect()).to_string().into());
    }
    if has_failed {
        error_details(trial, &mut shown);
    }
    shown
}

fn error_details(trial: &Trial<'_>, shown: &mut Map<String, Value>) {
    let details = trial.error_details();
    let mut told = Map::new();
    if let Some(index) = details.catch_index {
        told.insert("catchIndex".to_owned(), json!(index));
    }
    if let Some(index) = details.retry_index {
        told.insert("retryIndex".to_owned(), json!(index));
    }
    if let Some(milliseconds) = details.retry_delay_milliseconds {
        told.insert("retryBackoffIntervalSeconds".to_owned(), json!(milliseconds / 1000));
    }
    if !told.is_empty() {
        shown.insert("errorDetails".to_owned(), told.into());
    }
}

/// The text of an array as its author wrote it, blanks and all, which AWS keeps; or ours.
fn as_written(items: &Data, sources: &[&str]) -> String {
    let own = items.text();
    let candidates = sources.iter().flat_map(|source| arrays(source));
    let same = |text: &&str| serde_json::from_str::<Value>(text).is_ok_and(|value| value == *items.value());
    let mut candidates = candidates.filter(|text| text.len() >= own.len()).take(SOURCES_MAX);
    candidates.find(same).unwrap_or(own).to_owned()
}

/// Every array in a text of JSON, inner ones first.
fn arrays(text: &str) -> Vec<&str> {
    let (mut found, mut open, mut in_string, mut escaped) = (Vec::new(), Vec::new(), false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _any if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' if !in_string => open.push(at),
            b']' if !in_string => found.extend(open.pop().and_then(|start| text.get(start..=at))),
            _other => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(items: &str, source: &str, expected: &str) {
        let items: Value = serde_json::from_str(items).unwrap();
        assert_eq!(as_written(&items.into(), &[source]), expected, "{source}");
    }

    #[test]
    fn items_keep_the_blanks_of_their_author() {
        check("[1,2]", r#"{"a": [3], "b": [ 1, 2]}"#, "[ 1, 2]");
        check("[[1],2]", r#"[[1], 2]"#, "[[1], 2]");
        check(r#"["]\""]"#, r#"{"b": [ "]\"" ]}"#, r#"[ "]\"" ]"#);
        check("[1,2]", r#"{"a": [1, 2, 3]}"#, "[1,2]");
        check("[1,2]", "[[[", "[1,2]");
    }
}
