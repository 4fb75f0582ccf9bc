//! What observers are told of a batch.

use asl::interpreter::{ExecutionId, HistoryEvent};

use crate::observer::{Observed, Written};

use super::resident::Resident;

impl Observed {
    /// What is told of events that an execution writes in this batch and that are needed elsewhere too.
    pub(super) fn tell(
        self,
        id: ExecutionId,
        resident: &Resident,
        events: &[HistoryEvent],
    ) -> Option<Box<Written>> {
        let events = match (self, &resident.revision.logging) {
            (Observed::Nothing, _) | (Observed::Logged, None) => return None,
            (Observed::Logged, Some(logging)) => {
                events.iter().filter(|event| logging.takes(event)).cloned().collect()
            }
            (Observed::All, _) => events.to_vec(),
        };
        self.told(id, resident, events)
    }

    /// The same of events that nobody else needs.
    pub(super) fn tell_away(self, id: ExecutionId, resident: &mut Resident) -> Option<Box<Written>> {
        let mut events = std::mem::take(&mut resident.events);
        match (self, &resident.revision.logging) {
            (Observed::Nothing, _) | (Observed::Logged, None) => return None,
            (Observed::Logged, Some(logging)) => events.retain(|event| logging.takes(event)),
            (Observed::All, _) => {}
        }
        self.told(id, resident, events)
    }

    fn told(self, id: ExecutionId, resident: &Resident, events: Vec<HistoryEvent>) -> Option<Box<Written>> {
        let has_ended = self == Observed::All && resident.ending.is_some();
        let ended = has_ended.then(|| Box::new(resident.record.clone()));
        if events.is_empty() && ended.is_none() {
            return None;
        }
        let record = &resident.record;
        Some(Box::new(Written {
            id,
            arn: record.arn.clone(),
            started_at: record.started_at,
            redrive_count: record.redrive_count,
            events,
            ended,
            logging: resident.revision.logging.clone(),
        }))
    }
}
