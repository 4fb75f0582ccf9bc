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

/// `States.ALL` matches everything, so it belongs into the last retrier or catcher.
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

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::{check_state, check_task};

    #[test]
    fn states_all_is_alone_and_last() {
        check_task(
            r#""Retry": [{"ErrorEquals": ["States.ALL", "X"]}, {"ErrorEquals": ["Y"]}]"#,
            &[
                "The error name 'States.ALL' must appear alone in 'ErrorEquals' at /States/A/Retry[0]/ErrorEquals",
                "'States.ALL' must be in the last entry; entries after it are never reached at /States/A/Retry[0]",
            ],
        );
        check_task(r#""Retry": [{"ErrorEquals": ["Y"]}, {"ErrorEquals": ["States.ALL"]}]"#, &[]);
    }

    #[test]
    fn error_names_are_a_filled_array_of_texts() {
        check_task(
            r#""Retry": [{"ErrorEquals": []}, {"ErrorEquals": "X"}, {"ErrorEquals": [1]}, {}, 5]"#,
            &[
                "Value cannot be empty at /States/A/Retry[0]/ErrorEquals",
                "The field 'ErrorEquals' should be an array at /States/A/Retry[1]/ErrorEquals",
                "Each entry of 'ErrorEquals' should be a string at /States/A/Retry[2]/ErrorEquals[0]",
                "These fields are required: [ErrorEquals] at /States/A/Retry[3]",
                "Each entry of 'Retry' should be an object at /States/A/Retry[4]",
            ],
        );
    }

    #[test]
    fn invented_reserved_names_are_warned_of() {
        check_state(
            r#""Type": "Fail", "Error": "States.RanOutOfTime""#,
            &[
                "warning UNKNOWN_ERROR_NAME: The prefix 'States.' is reserved and 'States.RanOutOfTime' is no predefined \
             error name; use another prefix at /States/A/Error",
            ],
        );
        check_state(r#""Type": "Fail", "Error": "States.Http.StatusCode.404""#, &[]);
    }

    #[test]
    fn retriers_have_ranges() {
        check_task(
            r#""Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 0, "MaxAttempts": -1, "BackoffRate": 0.9,
                "MaxDelaySeconds": 31622401, "JitterStrategy": "HALF", "Delay": 1}]"#,
            &[
                "The field 'Delay' is not supported in a retrier at /States/A/Retry[0]/Delay",
                "The field 'IntervalSeconds' should be an integer between 1 and 99999999 at \
                 /States/A/Retry[0]/IntervalSeconds",
                "The field 'MaxAttempts' should be an integer between 0 and 99999999 at \
                 /States/A/Retry[0]/MaxAttempts",
                "The field 'BackoffRate' should be a number of at least 1.0 at /States/A/Retry[0]/BackoffRate",
                "The field 'MaxDelaySeconds' should be an integer between 1 and 31622400 at \
                 /States/A/Retry[0]/MaxDelaySeconds",
                "The field 'JitterStrategy' should have one of these values: [FULL, NONE] at \
                 /States/A/Retry[0]/JitterStrategy",
            ],
        );
    }

    #[test]
    fn catchers_need_a_target() {
        check_task(
            r#""Catch": [{"ErrorEquals": ["X"]}, {"ErrorEquals": ["X"], "Next": "B", "ResultPath": 1}]"#,
            &[
                "These fields are required: [Next] at /States/A/Catch[0]",
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Catch[1]/Next",
                "The field 'ResultPath' should be a Reference Path or null at /States/A/Catch[1]/ResultPath",
            ],
        );
    }
}
