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
