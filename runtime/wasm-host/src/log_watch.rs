//! A look at the log of a call that still runs.

use std::sync::{Arc, OnceLock};

use crate::log::LogLine;
use crate::stdio::SharedCaptured;

/// Shows what a call has logged so far; a clone shows the same. It is given to one call.
#[derive(Debug, Clone, Default)]
pub struct LogWatch(Arc<OnceLock<SharedCaptured>>);

impl LogWatch {
    pub(crate) fn attach(&self, captured: &SharedCaptured) {
        // Of two calls the first is shown.
        let _given_to_another = self.0.set(captured.clone());
    }

    /// The whole lines after the first so many: none before the guest runs, and none after its end, when the outcome has
    /// them all.
    pub fn lines_after(&self, seen: usize) -> Vec<LogLine> {
        self.0.get().map_or_else(Vec::new, |captured| captured.lock().log().lines_after(seen))
    }
}
