//! The words that stand for varying values in the recorded cases.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Values that stand for anything, in every case.
const ANYTHING: [&str; 8] = [
    "timestamp",
    "datetime",
    "date",
    "RequestId",
    "X-Amzn-Trace-Id",
    "x-amz-crc32",
    "x-amzn-RequestId",
    "x-amzn-requestid",
];
/// Parts of a text that may differ at each place.
const FREE: [&str; 2] = ["<request_id>", "<extended_request_id>"];

/// What the placeholders of one case stand for.
#[derive(Debug, Default)]
pub struct Placeholders {
    /// Values that the run gives to a word before it starts.
    given: Vec<(String, String)>,
    anything: BTreeSet<String>,
    /// Values that the run was seen to have.
    bound: BTreeMap<String, String>,
}

impl Placeholders {
    /// `words` is the case's own `placeholders`.
    pub fn new(words: &Value) -> Placeholders {
        let words = words.as_object().into_iter().flatten();
        let whole = words.filter(|(_, kind)| *kind == "whole").map(|(word, _)| word.clone());
        Placeholders {
            anything: whole.chain(ANYTHING.map(str::to_owned)).collect(),
            ..Placeholders::default()
        }
    }

    pub fn give(&mut self, word: &str, value: &str) {
        self.given.push((word.to_owned(), value.to_owned()));
    }

    /// A text with the given words in it replaced.
    pub fn fill(&self, text: &str) -> String {
        self.given.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    }

    /// Where an answer differs from the recording; one line each.
    pub fn differences(&mut self, expected: &Value, got: &Value, path: &str) -> Vec<String> {
        match (expected, got) {
            (Value::String(pattern), _) => {
                if self.is_anything(pattern, got) {
                    return Vec::new();
                }
                vec![format!("{path}: expected {expected}, got {got}")]
            }
            (Value::Object(wanted), Value::Object(found)) => {
                let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
                let differ = |name: &String| match (wanted.get(name), found.get(name)) {
                    (Some(wanted), Some(found)) => self.differences(wanted, found, &format!("{path}.{name}")),
                    (wanted, found) => vec![format!("{path}.{name}: expected {wanted:?}, got {found:?}")],
                };
                names.into_iter().flat_map(differ).collect()
            }
            (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
                let pairs = wanted.iter().zip(found).enumerate();
                pairs
                    .flat_map(|(index, (wanted, found))| {
                        self.differences(wanted, found, &format!("{path}[{index}]"))
                    })
                    .collect()
            }
            // The recording parsed this text further.
            (_, Value::String(text))
                if serde_json::from_str::<Value>(text).is_ok_and(|value| !value.is_string()) =>
            {
                let parsed = serde_json::from_str(text).unwrap_or(Value::Null);
                self.differences(expected, &parsed, path)
            }
            (expected, got) if expected == got => Vec::new(),
            (expected, got) => vec![format!("{path}: expected {expected}, got {got}")],
        }
    }

    fn is_anything(&mut self, pattern: &str, got: &Value) -> bool {
        self.anything.contains(pattern) || got.as_str().is_some_and(|text| self.matches(pattern, text))
    }

    fn matches(&mut self, pattern: &str, text: &str) -> bool {
        let pattern = self.fill(pattern);
        let mut bound = self.bound.clone();
        let matches = matches(&parts(&pattern), text, &mut bound);
        if matches {
            self.bound = bound;
        }
        matches
    }

    /// Compares without keeping what was bound if anything differs.
    pub fn agrees(&mut self, expected: &Value, got: &Value) -> bool {
        let before = self.bound.clone();
        let agrees = self.differences(expected, got, "").is_empty();
        if !agrees {
            self.bound = before;
        }
        agrees
    }
}

#[derive(Debug, PartialEq)]
enum Part<'a> {
    Literal(&'a str),
    Word(&'a str),
}

/// Splits a recorded text at its words: `<name:1>`, and `date` where it stands alone.
fn parts(pattern: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((at, length)) = next_word(rest) {
        parts.push(Part::Literal(&rest[..at]));
        parts.push(Part::Word(&rest[at..at + length]));
        rest = &rest[at + length..];
    }
    parts.push(Part::Literal(rest));
    parts
}

fn next_word(text: &str) -> Option<(usize, usize)> {
    let bracket = text.match_indices('<').find_map(|(at, _)| {
        let length = text[at..].find('>')? + 1;
        let name = &text[at + 1..at + length - 1];
        let fits = |c: char| c.is_ascii_alphanumeric() || "_ .:-".contains(c);
        (name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(fits))
            .then_some((at, length))
    });
    let joins = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let date = text.match_indices("date").find_map(|(at, word)| {
        let alone = !text[..at].ends_with(joins) && !text[at + word.len()..].starts_with(joins);
        alone.then_some((at, word.len()))
    });
    bracket.into_iter().chain(date).min()
}

fn matches(parts: &[Part<'_>], text: &str, bound: &mut BTreeMap<String, String>) -> bool {
    let Some((first, rest)) = parts.split_first() else { return text.is_empty() };
    match first {
        Part::Literal(literal) => text.strip_prefix(literal).is_some_and(|text| matches(rest, text, bound)),
        Part::Word(word) => {
            let is_free = FREE.contains(word) || *word == "date";
            if let Some(value) = bound.get(*word).cloned() {
                return text.strip_prefix(value.as_str()).is_some_and(|text| matches(rest, text, bound));
            }
            let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
            ends.into_iter().any(|end| {
                let mut with_word = bound.clone();
                if !is_free {
                    if is_value_of_sibling(word, &text[..end], bound) {
                        return false;
                    }
                    with_word.insert((*word).to_owned(), text[..end].to_owned());
                }
                let matches = matches(rest, &text[end..], &mut with_word);
                if matches {
                    *bound = with_word;
                }
                matches
            })
        }
    }
}

/// `<uuid:1>` and `<uuid:2>` are different values.
fn is_value_of_sibling(word: &str, value: &str, bound: &BTreeMap<String, String>) -> bool {
    let Some((family, _)) = word.split_once(':') else { return false };
    bound
        .iter()
        .any(|(other, text)| text == value && other.split_once(':').is_some_and(|(name, _)| name == family))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(pattern: &str, text: &str, expected: bool) {
        let mut placeholders = Placeholders::new(&Value::Null);
        placeholders.give("<region>", "us-east-1");
        let found = placeholders.differences(&json!(pattern), &json!(text), "");
        assert_eq!(found.is_empty(), expected, "{pattern} {text}");
    }

    #[test]
    fn words_stand_for_values() {
        check("same", "same", true);
        check("same", "other", false);
        check("in <region>", "in us-east-1", true);
        check("in <region>", "in us-west-2", false);
        check("<uuid:1>-<uuid:1>", "ab-ab", true);
        check("<uuid:1>-<uuid:1>", "ab-cd", false);
        check("<uuid:1>-<uuid:2>", "ab-ab", false);
        check("at date, 1 < 2", "at 2026-01-01T00:00:00Z, 1 < 2", true);
        check("a date-time", "a time", false);
        check("RequestId", "anything", true);
    }
}
