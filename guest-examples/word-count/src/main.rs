//! `word-count`: a plain program as a task, with no SDK: JSON on standard input, JSON on standard output.
//!
//! Anything that compiles to `wasi:cli/run` is a task in this way. A failure is an exit code other than 0, with
//! standard error as its cause.
//!
//! Input `{"text": "…", "top": 3}` (`top` is optional), output
//! `{"characters": 9, "lines": 1, "words": 2, "distinctWords": 2, "top": [{"word": "…", "count": 1}]}`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

/// How many of the most frequent words are returned if the input doesn't say.
const TOP_DEFAULT: usize = 10;

#[derive(Debug, Deserialize)]
struct Input {
    text: String,
    top: Option<usize>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    characters: usize,
    lines: usize,
    words: usize,
    distinct_words: usize,
    top: Vec<Count>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Count {
    word: String,
    count: usize,
}

fn main() -> ExitCode {
    match run(&mut std::io::stdin().lock(), &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(input: &mut impl Read, output: &mut impl Write) -> Result<(), String> {
    let mut text = String::new();
    input.read_to_string(&mut text).map_err(|error| format!("can't read the input: {error}"))?;
    let input: Input = serde_json::from_str(&text).map_err(|error| format!("InvalidInput: {error}"))?;
    let result = serde_json::to_string(&count(&input)).map_err(|error| error.to_string())?;
    output.write_all(result.as_bytes()).map_err(|error| format!("can't write the output: {error}"))
}

fn count(input: &Input) -> Output {
    let mut words = 0;
    let mut counts = BTreeMap::<String, usize>::new();
    // An apostrophe or a hyphen joins two letters, as in "don't"; any other mark ends the word.
    let separators = |c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’' | '-');
    for piece in input.text.split(separators) {
        let word = piece.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() {
            words += 1;
            *counts.entry(word.to_lowercase()).or_default() += 1;
        }
    }
    let distinct_words = counts.len();
    let mut top: Vec<_> = counts.into_iter().map(|(word, count)| Count { word, count }).collect();
    // The sort is stable and the words come in their own order, so equal counts are alphabetical.
    top.sort_by_key(|entry| Reverse(entry.count));
    top.truncate(input.top.unwrap_or(TOP_DEFAULT));
    let lines = input.text.lines().count();
    Output { characters: input.text.chars().count(), lines, words, distinct_words, top }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: Result<&str, &str>) {
        let mut output = Vec::new();
        let result = run(&mut input.as_bytes(), &mut output).map(|()| String::from_utf8(output).unwrap());
        assert_eq!(result.as_deref().map_err(String::as_str), expected, "for {input}");
    }

    #[test]
    fn words_are_counted_without_case_and_marks() {
        check(
            r#"{"text":"Don't panic!\nPANIC - don't; panic…","top":1}"#,
            Ok(concat!(
                r#"{"characters":34,"lines":2,"words":5,"distinctWords":2,"#,
                r#""top":[{"word":"panic","count":3}]}"#
            )),
        );
    }

    #[test]
    fn equal_counts_are_alphabetical() {
        check(
            r#"{"text":"pear apple fig apple"}"#,
            Ok(concat!(
                r#"{"characters":20,"lines":1,"words":4,"distinctWords":3,"top":[{"word":"apple","count":2},"#,
                r#"{"word":"fig","count":1},{"word":"pear","count":1}]}"#
            )),
        );
    }

    #[test]
    fn no_text_has_no_words() {
        check(r#"{"text":""}"#, Ok(r#"{"characters":0,"lines":0,"words":0,"distinctWords":0,"top":[]}"#));
    }

    #[test]
    fn bad_input_says_why() {
        check("{}", Err("InvalidInput: missing field `text` at line 1 column 2"));
    }
}
