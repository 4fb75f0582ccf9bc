//! A line of a task's log for a person.

use serde_json::Value;

use super::terminal::printable;

const RESET: &str = "\x1b[0m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
/// Where the time of day begins in `2026-11-29T17:02:11.123Z`.
const TIME_BEGIN: usize = 11;

/// The line with its time, state, attempt, source and text.
pub(super) fn text(line: &Value, has_colours: bool) -> String {
    let field = |name: &str| printable(line[name].as_str().unwrap_or_default()).replace('\n', " ");
    let at = field("at");
    let time = at.get(TIME_BEGIN..).unwrap_or(&at);
    let place = match line["state"].as_str() {
        Some(_) => format!("{}#{}", field("state"), line["attempt"]),
        None => field("requestId"),
    };
    let source = field("source");
    let message = printable(line["message"].as_str().unwrap_or_default());
    // What follows the first line of a message stands below it.
    let message = message.replace('\n', "\n    ");
    if !has_colours {
        return format!("{time}  {place}  {source:6}  {message}");
    }
    let colour = colour(&source);
    format!("{DIM}{time}{RESET}  {place}  {colour}{source:6}{RESET}  {message}")
}

fn colour(source: &str) -> &'static str {
    match source {
        "error" | "stderr" => RED,
        "warn" | "host" => YELLOW,
        "trace" | "debug" => DIM,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_tells_when_where_and_what() {
        let line = |source: &str, message: &str| {
            json!({"at": "2026-11-29T17:02:11.123Z", "state": "Charge", "attempt": 1, "attemptId": 7, "module": "charge",
                "version": "3", "source": source, "message": message})
        };
        assert_eq!(text(&line("info", "charged 12"), false), "17:02:11.123Z  Charge#1  info    charged 12");
        assert_eq!(
            text(&line("stderr", "a\u{1b}[2J\nb"), false),
            "17:02:11.123Z  Charge#1  stderr  a\u{fffd}[2J\n    b"
        );
        let coloured = text(&line("error", "no"), true);
        assert_eq!(coloured, "\x1b[2m17:02:11.123Z\x1b[0m  Charge#1  \x1b[31merror \x1b[0m  no");
        let call =
            json!({"at": "2026-11-29T17:02:11.123Z", "requestId": "id", "source": "info", "message": "m"});
        assert_eq!(text(&call, false), "17:02:11.123Z  id  info    m");
    }
}
