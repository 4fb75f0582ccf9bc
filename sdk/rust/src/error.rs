//! A task's failure: a name that the workflow matches in `Retry` and `Catch`, and a cause for a person.

use std::fmt;

/// AWS limit: an error name has at most 256 characters.
const ERROR_CHARS_MAX: usize = 256;

/// AWS limit: a cause has at most 32,768 characters.
const CAUSE_CHARS_MAX: usize = 32_768;

/// A failure that the workflow can match by name.
///
/// It isn't a `std::error::Error` itself, so that an error enum can be both one and, through
/// `#[derive(TaskError)]`, convertible into this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError {
    error: String,
    cause: String,
}

impl TaskError {
    /// The name of the error of an input that doesn't fit the task's type.
    pub const INVALID_INPUT: &'static str = "InvalidInput";

    /// The name of the error of a result that can't be written as JSON.
    pub const INVALID_OUTPUT: &'static str = "InvalidOutput";

    /// A failure called `error`, explained by `cause`. Both are cut at the lengths that a history can hold.
    ///
    /// Names that start with `States.` are reserved: the host refuses them.
    #[must_use]
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: cut(error.into(), ERROR_CHARS_MAX), cause: cut(cause.into(), CAUSE_CHARS_MAX) }
    }

    /// The name that `ErrorEquals` matches.
    #[must_use]
    pub fn error(&self) -> &str {
        &self.error
    }

    /// What happened, for a person.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.cause
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn into_parts(self) -> (String, String) {
        (self.error, self.cause)
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error, self.cause)
    }
}

/// Gives any printable error a name the workflow can match: `read().or_task_error("LedgerUnreadable")?`.
pub trait OrTaskError<T> {
    /// The value, or a [`TaskError`] called `error` with this failure's text as its cause.
    ///
    /// # Errors
    /// When `self` is an error.
    fn or_task_error(self, error: &str) -> Result<T, TaskError>;
}

impl<T, E: fmt::Display> OrTaskError<T> for Result<T, E> {
    fn or_task_error(self, error: &str) -> Result<T, TaskError> {
        self.map_err(|failure| TaskError::new(error, failure.to_string()))
    }
}

fn cut(mut text: String, chars_max: usize) -> String {
    // A text this short in bytes can't be too long in characters: the usual case needs no counting.
    if text.len() > chars_max
        && let Some((end, _)) = text.char_indices().nth(chars_max)
    {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_name_and_cause() {
        let error = TaskError::new("PriceUnavailable", "no price for tea");
        assert_eq!((error.error(), error.cause()), ("PriceUnavailable", "no price for tea"));
        assert_eq!(error.to_string(), "PriceUnavailable: no price for tea");
    }

    #[test]
    fn overlong_texts_are_cut_between_characters() {
        let error = TaskError::new("é".repeat(300), "ü".repeat(40_000));
        assert_eq!(error.error(), "é".repeat(256));
        assert_eq!(error.cause().chars().count(), 32_768);
        assert_eq!(TaskError::new("é".repeat(256), "").error().chars().count(), 256);
    }

    #[test]
    fn any_printable_error_can_be_named() {
        let parsed = "seven".parse::<u32>().or_task_error("NotANumber");
        assert_eq!(parsed, Err(TaskError::new("NotANumber", "invalid digit found in string")));
        assert_eq!("7".parse::<u32>().or_task_error("NotANumber"), Ok(7));
    }
}
