//! How the timeouts of a task bound each other.

use crate::definition::NumberField;

use super::report::Place;

pub(crate) fn check(place: &Place<'_>, timeout: Option<&NumberField>, heartbeat: Option<&NumberField>) {
    let (Some(NumberField::Literal(timeout)), Some(NumberField::Literal(heartbeat))) = (timeout, heartbeat)
    else {
        return;
    };
    if heartbeat >= timeout {
        place.field("HeartbeatSeconds").error(format!(
            "The field 'HeartbeatSeconds' should be smaller than 'TimeoutSeconds' ({timeout})"
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::check_task;

    #[test]
    fn a_heartbeat_is_shorter_than_its_timeout() {
        check_task(r#""TimeoutSeconds": 10, "HeartbeatSeconds": 9"#, &[]);
        check_task(r#""TimeoutSecondsPath": "$.t", "HeartbeatSeconds": 900"#, &[]);
        check_task(
            r#""TimeoutSeconds": 10, "HeartbeatSeconds": 10"#,
            &["The field 'HeartbeatSeconds' should be smaller than 'TimeoutSeconds' (10) at \
             /States/A/HeartbeatSeconds"],
        );
        check_task(
            r#""TimeoutSeconds": 0, "HeartbeatSeconds": "5""#,
            &[
                "The field 'TimeoutSeconds' should be an integer between 1 and 99999999 at /States/A/TimeoutSeconds",
                "The field 'HeartbeatSeconds' should be an integer between 1 and 99999999 at /States/A/HeartbeatSeconds",
            ],
        );
    }
}
