//! What an Express state machine cannot do.

use crate::definition::{Pattern, Target};

use super::report::Place;

pub(crate) fn check_resource(place: &Place<'_>, target: &Target) {
    match target {
        Target::Function | Target::Service { pattern: Pattern::RequestResponse, .. } => {}
        Target::Activity => place.error("Express state machine does not support Activity ARN"),
        // AWS's text has a blank too many at its end.
        Target::Service { pattern: Pattern::WaitForTaskToken, .. } => {
            place.error("Express state machine does not support '.waitForTaskToken' service integration ");
        }
        Target::Service { pattern: pattern @ (Pattern::Sync | Pattern::Sync2), .. } => {
            let suffix = pattern.suffix();
            place.error(format!("Express state machine does not support '{suffix}' service integration"));
        }
    }
}

pub(crate) fn report_distributed_map(place: &Place<'_>) {
    place.error("Express state machine does not support a Map state with 'Mode' DISTRIBUTED; use INLINE");
}
