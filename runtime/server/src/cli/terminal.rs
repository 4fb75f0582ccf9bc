//! Where the command line writes: answers to standard output, everything about them to standard error.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use super::Failure;

/// A file name that stands for standard input.
const STANDARD_INPUT: &str = "-";

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Terminal;

impl Terminal {
    /// An answer. A reader that has gone away, such as `head`, is no failure.
    pub(crate) fn answer(self, text: &str) {
        let _gone = writeln!(io::stdout().lock(), "{text}");
    }

    /// A line about the work.
    pub(crate) fn note(self, text: &str) {
        let _gone = writeln!(io::stderr().lock(), "{text}");
    }

    /// Whether answers may have colours: on a terminal of somebody who has not declined them.
    pub(crate) fn has_colours(self) -> bool {
        let is_declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        io::stdout().is_terminal() && !is_declined
    }

    pub(crate) fn fail(self, text: &str) -> ExitCode {
        self.fail_with(1, text)
    }

    pub(crate) fn fail_with(self, code: u8, text: &str) -> ExitCode {
        self.note(&format!("error: {text}"));
        ExitCode::from(code)
    }
}

/// Reads a text file, or standard input for `-`.
pub(crate) fn read_text(file: &Path) -> Result<String, Failure> {
    if file == Path::new(STANDARD_INPUT) {
        return io::read_to_string(io::stdin()).context("standard input cannot be read as text");
    }
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read as text", file.display()))
}

/// Makes control characters visible, so that a text from elsewhere cannot steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() && character != '\n' { '\u{fffd}' } else { character })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_text_from_elsewhere_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\nc");
    }
}
