//! What one call came to: a result, what it used, and its log.

use std::time::Duration;

use crate::digest::Digest;
use crate::log::LogLine;

/// AWS quota: the error name of a task has at most 256 characters.
pub const ERROR_CHARS_MAX: usize = 256;
/// AWS quota: the cause of a failed task has at most 32,768 characters.
pub const CAUSE_CHARS_MAX: usize = 32_768;

/// The end of a call, whatever happened.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// JSON text, or why there is none.
    pub result: Result<String, Failure>,
    pub usage: Usage,
    /// What the guest wrote to its log, standard output and standard error, in order, within `Limits::log_bytes`.
    pub log: Vec<LogLine>,
    /// What the guest was refused for want of a grant, each with the grant that it needs.
    pub denied: Vec<String>,
}

impl Outcome {
    /// The end of a call that never reached its guest.
    pub(crate) fn not_started(failure: Failure) -> Self {
        Self { result: Err(failure), usage: Usage::default(), log: Vec::new(), denied: Vec::new() }
    }
}

/// What a call used; counted for failed calls too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub fuel: u64,
    /// The most linear memory the guest had at one time.
    pub memory_bytes_peak: usize,
    /// From the moment the call had its slot.
    pub wall: Duration,
    /// CPU time of the guest and of what the host did for it on its thread.
    pub cpu: Duration,
    /// Whether the module had to be loaded for this call.
    pub cold: bool,
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The guest's own error: its name and its cause, cut to what AWS allows.
    #[error("{error}: {cause}")]
    Task { error: String, cause: String },
    /// The guest did what WebAssembly forbids, panicked, or ran out of stack.
    #[error("the module trapped: {message}")]
    Trap {
        message: String,
        /// Functions of the guest, innermost first.
        trace: Vec<String>,
    },
    #[error("the module used all of its {fuel} units of fuel")]
    OutOfFuel { fuel: u64 },
    #[error("the module asked for {requested} bytes of memory; its limit is {limit}")]
    OutOfMemory { limit: usize, requested: usize },
    /// `size` is what there was when the guest was stopped, or at least that.
    #[error("the module's output has {size} bytes or more; its limit is {limit}")]
    OutputTooLarge { size: usize, limit: usize },
    #[error("the module did not end within {} ms", after.as_millis())]
    TimedOut { after: Duration },
    #[error("the call was cancelled")]
    Cancelled,
    /// No such module.
    #[error("there is no module {0}")]
    NotFound(Digest),
    /// Every slot is taken and the queue is full. A later try may succeed.
    #[error("the host has no free slot for this call")]
    Overloaded,
    /// The program ended with an exit code other than 0; `stderr` is the end of what it wrote there.
    #[error("the program ended with exit code {code}: {stderr}")]
    Exited { code: i32, stderr: String },
    #[error("the module's output is not JSON: {0}")]
    InvalidOutput(String),
    /// Trouble on our side. A later try may succeed.
    #[error("the host failed: {0}")]
    Host(String),
}

/// The first `chars_max` characters of `text`.
pub(crate) fn first_chars(text: &str, chars_max: usize) -> &str {
    text.char_indices().nth(chars_max).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::first_chars;

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, chars_max, cut) in [("", 2, ""), ("ab", 2, "ab"), ("abc", 2, "ab"), ("äöü", 2, "äö")]
        {
            assert_eq!(first_chars(text, chars_max), cut);
        }
    }
}
