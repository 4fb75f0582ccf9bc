//! What a person sees: headings of steps, lines below them, and colours where there is a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    colours: bool,
}

impl Terminal {
    pub(crate) fn new() -> Terminal {
        let wanted = std::env::var_os("NO_COLOR").is_none();
        Terminal { colours: wanted && io::stdout().is_terminal() && io::stderr().is_terminal() }
    }

    pub(crate) fn has_colours(self) -> bool {
        self.colours
    }

    /// A reader that has gone away, such as `head`, is no failure.
    pub(crate) fn line(self, text: &str) {
        let _gone = writeln!(io::stdout().lock(), "{text}");
    }

    pub(crate) fn error(self, text: &str) {
        let _gone = writeln!(io::stderr().lock(), "{} {text}", self.paint(RED, "error:"));
    }

    pub(crate) fn heading(self, text: &str) {
        self.line(&format!("\n{}", self.paint(BOLD, text)));
    }

    pub(crate) fn dim(self, text: &str) {
        self.line(&self.paint(DIM, text));
    }

    pub(crate) fn alarm(self, text: &str) {
        self.line(&self.paint(YELLOW, text));
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint(GREEN, text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint(RED, text)
    }

    fn paint(self, colour: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A duration as a person says it.
pub(crate) fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!(spoken(Duration::from_millis(140)), "140 ms");
        assert_eq!(spoken(Duration::from_millis(1_140)), "1.1 s");
        assert_eq!(spoken(Duration::from_secs(150)), "2 min 30 s");
    }
}
