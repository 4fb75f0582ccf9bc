//! Error names in `Retry`, `Catch` and Fail states.

use super::code;
use super::report::Place;

const ALL: &str = "States.ALL";

/// The names that services raise under the reserved prefix `States.`.
const PREDEFINED: [&str; 17] = [
    ALL,
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
];

/// Checks one `ErrorEquals`.
pub(crate) fn check_names(place: &Place<'_>, names: &[String]) {
    if names.len() > 1 && names.iter().any(|name| name == ALL) {
        place.error("The error name 'States.ALL' must appear alone in 'ErrorEquals'");
    }
    for (at, name) in names.iter().enumerate() {
        check_raised(&place.item(at), name);
    }
}

//= https://states-language.net/spec.html#errors
//# The reserved Error Name "States.ALL" … MUST appear alone in the "ErrorEquals" array and MUST appear in the
//# last Retrier in the "Retry" array.
pub(crate) fn check_order<'n>(place: &Place<'_>, entries: impl ExactSizeIterator<Item = &'n [String]>) {
    let last = entries.len().saturating_sub(1);
    for (at, names) in entries.enumerate() {
        if at < last && names.iter().any(|name| name == ALL) {
            place
                .item(at)
                .error("'States.ALL' must be in the last entry; entries after it are never reached");
        }
    }
}

/// Warns of a reserved name that nothing raises. AWS accepts these, and real definitions use them as their own.
pub(crate) fn check_raised(place: &Place<'_>, name: &str) {
    let is_known = PREDEFINED.contains(&name) || name.starts_with("States.Http.StatusCode.");
    if name.starts_with("States.") && !is_known {
        place.warning(
            code::UNKNOWN_ERROR_NAME,
            format!("The prefix 'States.' is reserved and '{name}' is no predefined error name; use another prefix"),
        );
    }
}
