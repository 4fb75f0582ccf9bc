//! Finished Express executions, kept in memory to look at: the newest ones, as many as fit. Ours; AWS shows none.
//!
//! They are kept as bytes, so that what they take is known exactly. Those that run count too, and may take half.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use asl::interpreter::{ExecutionId, HistoryEvent};
use engine::Written;
use store::{ExecutionRecord, ExecutionStatus};

use super::queue::{Outlet, Queue, queue};
use crate::limits::{EXPRESS_KEPT_QUEUE_BYTES_MAX, EXPRESS_KEPT_QUEUE_ITEMS_MAX, EXPRESS_OPEN_TRACES_MAX};

/// What one execution may take of all the bytes: the rest of a longer history is cut off.
const SHARE_OF_ONE: usize = 8;
/// What all that run may take of all the bytes, so that they don't drive out those that have ended.
const SHARE_OF_OPEN: usize = 2;
/// What the tables need for an entry beside the entry itself: keys, hashes, and room to grow.
const TABLE_BYTES: usize = 128;
/// What an execution takes that keeps nothing: its own struct and its place in the tables.
const OPEN_BYTES: usize = size_of::<Open>() + TABLE_BYTES;
const ENDED_BYTES: usize = size_of::<Ended>() + TABLE_BYTES;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptLimits {
    pub executions: usize,
    pub bytes: usize,
}

/// The executions, shared by the thread that keeps and by those who look.
#[derive(Debug)]
pub struct Kept(Mutex<Shelf>);

#[derive(Debug, Clone)]
pub(super) struct Keeper(Queue<Box<Written>>);

/// Which executions a listing shows, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) machine_arn: Option<String>,
    pub(crate) status: Option<ExecutionStatus>,
    /// Those before this number.
    pub(crate) before: Option<u64>,
    pub(crate) max: usize,
}

/// A page of a listing.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) executions: Vec<ExecutionRecord>,
    pub(crate) next: Option<u64>,
}

/// A part of a history.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) events: Vec<HistoryEvent>,
    pub(crate) next: Option<u32>,
    /// Whether events are missing.
    pub(crate) is_cut: bool,
}

pub(super) fn start(limits: KeptLimits) -> io::Result<(Keeper, Arc<Kept>, JoinHandle<()>)> {
    let (queue, outlet) = queue(EXPRESS_KEPT_QUEUE_ITEMS_MAX, EXPRESS_KEPT_QUEUE_BYTES_MAX);
    let kept = Arc::new(Kept(Mutex::new(Shelf::new(limits))));
    let shelf = Arc::clone(&kept);
    let thread =
        thread::Builder::new().name("express-kept".to_owned()).spawn(move || run(&outlet, &shelf))?;
    Ok((Keeper(queue), kept, thread))
}

fn run(outlet: &Outlet<Box<Written>>, kept: &Kept) {
    while let Some(written) = outlet.next() {
        let mut shelf = kept.lock();
        shelf.take(&written);
        shelf.lost += outlet.take_lost();
    }
}

impl Keeper {
    pub(super) fn keep(&self, written: Written) {
        let ended = written.ended.as_ref().map_or(0, |record| record_weight(record));
        let events = written.events.iter().map(HistoryEvent::weight).sum::<usize>();
        self.0.offer(size_of::<Written>() + events + ended, 1, Box::new(written));
    }
}

fn record_weight(record: &ExecutionRecord) -> usize {
    let output = record.output.as_ref().map_or(0, asl::Data::size);
    size_of::<ExecutionRecord>() + record.input.size() + output
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // A panic while the lock is held leaves whole entries behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn list(&self, wanted: &Wanted) -> Page {
        self.lock().list(wanted)
    }

    /// An execution by its ARN, if it has ended and is still kept.
    pub(crate) fn find(&self, arn: &str) -> Option<ExecutionRecord> {
        self.lock().find(arn).map(|(_, record)| record)
    }

    /// Events of an execution after the first so many.
    pub(crate) fn events(&self, arn: &str, after: u32, max: usize) -> Option<Events> {
        let shelf = self.lock();
        let (ended, _) = shelf.find(arn)?;
        let mut events: Vec<HistoryEvent> =
            decode_all(&ended.events).skip(after as usize).take(max + 1).collect();
        let next = (events.len() > max).then(|| after.saturating_add(u32::try_from(max).unwrap_or(u32::MAX)));
        events.truncate(max);
        Some(Events { events, next, is_cut: ended.is_cut })
    }

    /// How many are kept, and how many messages were lost on their way here.
    pub(crate) fn count(&self) -> (usize, u64) {
        let shelf = self.lock();
        (shelf.ended.len(), shelf.lost)
    }
}

/// An execution that runs.
#[derive(Debug, Default)]
struct Open {
    events: Vec<u8>,
    last_event: u32,
    is_cut: bool,
}

impl Open {
    fn bytes(&self) -> usize {
        OPEN_BYTES + self.events.capacity()
    }
}

/// An execution that has ended.
#[derive(Debug)]
struct Ended {
    id: ExecutionId,
    status: ExecutionStatus,
    record: Box<[u8]>,
    events: Box<[u8]>,
    is_cut: bool,
}

impl Ended {
    fn bytes(&self) -> usize {
        ENDED_BYTES + self.record.len() + self.events.len()
    }
}

#[derive(Debug)]
struct Shelf {
    limits: KeptLimits,
    /// What those that have ended take, and what those that run take.
    used: usize,
    used_by_open: usize,
    open: HashMap<ExecutionId, Open>,
    /// By their ends, oldest first.
    ended: VecDeque<Ended>,
    /// The number of the first of them; numbers count the ends.
    first: u64,
    /// The number of each.
    numbers: HashMap<ExecutionId, u64>,
    lost: u64,
}

impl Shelf {
    fn new(limits: KeptLimits) -> Shelf {
        Shelf {
            limits,
            used: 0,
            used_by_open: 0,
            open: HashMap::new(),
            ended: VecDeque::new(),
            first: 0,
            numbers: HashMap::new(),
            lost: 0,
        }
    }

    fn take(&mut self, written: &Written) {
        let mut open = match self.open.remove(&written.id) {
            Some(open) => {
                self.used_by_open -= open.bytes();
                open
            }
            None => Open::default(),
        };
        self.append(&mut open, &written.events);
        match &written.ended {
            Some(record) => self.end(written.id, record, open),
            None => self.put_back(written.id, open),
        }
    }

    /// Adds events to a history that counts as nothing meanwhile.
    fn append(&mut self, open: &mut Open, events: &[HistoryEvent]) {
        for event in events {
            // After a loss on the way here, or a cut, the rest would make no sense.
            open.is_cut |= event.id != open.last_event + 1;
            if open.is_cut {
                return;
            }
            open.last_event = event.id;
            let before = open.events.len();
            minicbor::encode(event, &mut open.events).expect("writing to memory cannot fail");
            if OPEN_BYTES + open.events.len() > self.limits.bytes / SHARE_OF_ONE {
                open.events.truncate(before);
                open.is_cut = true;
            }
        }
    }

    fn put_back(&mut self, id: ExecutionId, mut open: Open) {
        // The ends of some may have been lost, so there can be more than run.
        if self.open.len() >= EXPRESS_OPEN_TRACES_MAX {
            return;
        }
        let room = self.limits.bytes / SHARE_OF_OPEN;
        if self.used_by_open + open.bytes() > room || !self.make_room(open.bytes()) {
            open = Open { is_cut: true, ..Open::default() };
            if self.used_by_open + open.bytes() > room || !self.make_room(open.bytes()) {
                return;
            }
        }
        self.used_by_open += open.bytes();
        self.open.insert(id, open);
    }

    fn end(&mut self, id: ExecutionId, record: &ExecutionRecord, open: Open) {
        let record_bytes =
            minicbor::to_vec(record).expect("writing to memory cannot fail").into_boxed_slice();
        let mut ended = Ended {
            id,
            status: record.status,
            record: record_bytes,
            events: open.events.into_boxed_slice(),
            is_cut: open.is_cut,
        };
        if !self.make_room(ended.bytes()) {
            ended.events = Box::default();
            ended.is_cut = true;
            if !self.make_room(ended.bytes()) {
                return;
            }
        }
        while self.ended.len() >= self.limits.executions {
            self.drop_oldest();
        }
        self.used += ended.bytes();
        self.numbers.insert(id, self.first + self.ended.len() as u64);
        self.ended.push_back(ended);
    }

    /// Drops the oldest ones until so much more fits; false if it never does.
    fn make_room(&mut self, bytes: usize) -> bool {
        while self.used + self.used_by_open + bytes > self.limits.bytes {
            if !self.drop_oldest() {
                return false;
            }
        }
        true
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.ended.pop_front() else { return false };
        self.used -= oldest.bytes();
        self.first += 1;
        self.numbers.remove(&oldest.id);
        true
    }

    fn find(&self, arn: &str) -> Option<(&Ended, ExecutionRecord)> {
        // The last part of an Express execution's ARN is its id.
        let id = uuid::Uuid::parse_str(arn.rsplit(':').next()?).ok()?;
        let number = self.numbers.get(&ExecutionId(id.as_u128()))?;
        let ended = self.ended.get(usize::try_from(number - self.first).ok()?)?;
        let record = decode(&ended.record);
        (*record.arn == *arn).then_some((ended, record))
    }

    fn list(&self, wanted: &Wanted) -> Page {
        let mut page = Page { executions: Vec::new(), next: None };
        let last = self.first + self.ended.len() as u64;
        let numbered = (self.first..last).rev().zip(self.ended.iter().rev());
        for (number, ended) in
            numbered.filter(|(number, _)| wanted.before.is_none_or(|before| *number < before))
        {
            if wanted.status.is_some_and(|status| status != ended.status) {
                continue;
            }
            let record: ExecutionRecord = decode(&ended.record);
            if wanted.machine_arn.as_ref().is_some_and(|arn| !is_of(&record, arn)) {
                continue;
            }
            if page.executions.len() == wanted.max {
                page.next = Some(number + 1);
                break;
            }
            page.executions.push(record);
        }
        page
    }
}

/// Whether an execution is of a machine, of a version or of an alias.
fn is_of(record: &ExecutionRecord, arn: &str) -> bool {
    let qualified = [record.version_arn.as_deref(), record.alias_arn.as_deref()];
    &*record.state_machine_arn == arn || qualified.contains(&Some(arn))
}

fn decode(bytes: &[u8]) -> ExecutionRecord {
    minicbor::decode(bytes).expect("it was encoded here")
}

fn decode_all(bytes: &[u8]) -> impl Iterator<Item = HistoryEvent> {
    let mut decoder = minicbor::Decoder::new(bytes);
    std::iter::from_fn(move || {
        let has_more = decoder.position() < decoder.input().len();
        has_more.then(|| decoder.decode().expect("it was encoded here"))
    })
}

#[cfg(test)]
mod tests {
    use asl::interpreter::HistoryKind;
    use asl::{Data, Timestamp};
    use store::NewExecution;

    use super::*;

    const LIMITS: KeptLimits = KeptLimits { executions: 10, bytes: 64 << 10 };

    fn arn(id: u128) -> String {
        format!("arn:aws:states:r:1:express:m:e:{}", uuid::Uuid::from_u128(id))
    }

    fn record(id: u128, status: ExecutionStatus) -> Box<ExecutionRecord> {
        let new = NewExecution {
            arn: arn(id).into(),
            name: "e".into(),
            state_machine_arn: if id.is_multiple_of(2) { "even".into() } else { "odd".into() },
            machine_id: 1,
            revision: 1,
            started_at: Timestamp::EPOCH,
            input: Data::empty_object(),
            seed: [0; 32],
        };
        Box::new(ExecutionRecord { status, ..ExecutionRecord::running(new) })
    }

    fn event(id: u32, bytes: usize) -> HistoryEvent {
        let output = Data::from(serde_json::Value::from("x".repeat(bytes)));
        HistoryEvent {
            id,
            previous: id - 1,
            at: Timestamp::EPOCH,
            kind: HistoryKind::ExecutionSucceeded { output },
        }
    }

    fn written(id: u128, events: Vec<HistoryEvent>, ended: Option<ExecutionStatus>) -> Written {
        Written {
            id: ExecutionId(id),
            arn: arn(id).into(),
            started_at: Timestamp::EPOCH,
            redrive_count: 0,
            events,
            ended: ended.map(|status| record(id, status)),
            logging: None,
        }
    }

    fn shelf() -> Kept {
        Kept(Mutex::new(Shelf::new(LIMITS)))
    }

    /// What the entries take, counted anew: those that have ended, and those that run.
    fn counted(shelf: &Shelf) -> (usize, usize) {
        (shelf.ended.iter().map(Ended::bytes).sum(), shelf.open.values().map(Open::bytes).sum())
    }

    fn ids(page: &Page) -> Vec<u128> {
        let id =
            |record: &ExecutionRecord| uuid::Uuid::parse_str(record.arn.rsplit(':').next().unwrap()).unwrap();
        page.executions.iter().map(|record| id(record).as_u128()).collect()
    }

    const OK: Option<ExecutionStatus> = Some(ExecutionStatus::Succeeded);

    #[test]
    fn a_history_is_put_together_from_its_parts() {
        let kept = shelf();
        kept.lock().take(&written(1, vec![event(1, 1), event(2, 1)], None));
        assert!(kept.find(&arn(1)).is_none());
        kept.lock().take(&written(1, vec![event(3, 1)], OK));
        assert_eq!(kept.find(&arn(1)).unwrap().status, ExecutionStatus::Succeeded);
        let page = |after, max| {
            let Events { events, next, is_cut } = kept.events(&arn(1), after, max).unwrap();
            (events.iter().map(|event| event.id).collect::<Vec<_>>(), next, is_cut)
        };
        assert_eq!(page(0, 2), (vec![1, 2], Some(2), false));
        assert_eq!(page(2, 2), (vec![3], None, false));
        assert_eq!(page(9, 2), (vec![], None, false));
        // The id alone does not name it.
        assert!(kept.find(&arn(1).replace(":m:", ":other:")).is_none());
        assert!(kept.find("arn").is_none() && kept.find(&arn(2)).is_none());
    }

    #[test]
    fn the_newest_are_listed_first_and_the_oldest_go() {
        let kept = shelf();
        for id in 1..=25 {
            let status = if id % 5 == 0 { ExecutionStatus::Failed } else { ExecutionStatus::Succeeded };
            kept.lock().take(&written(id, vec![event(1, 1)], Some(status)));
        }
        assert_eq!(kept.count(), (10, 0));
        let list = |wanted: Wanted| kept.list(&wanted);
        let all = list(Wanted { max: 100, ..Wanted::default() });
        assert_eq!((ids(&all), all.next), ((16..=25).rev().collect(), None));
        let odd = || Some("odd".to_owned());
        let first = list(Wanted { max: 2, machine_arn: odd(), ..Wanted::default() });
        assert_eq!(ids(&first), [25, 23]);
        let second = list(Wanted { max: 3, machine_arn: odd(), before: first.next, ..Wanted::default() });
        assert_eq!((ids(&second), second.next), (vec![21, 19, 17], None));
        let failed = list(Wanted { max: 100, status: Some(ExecutionStatus::Failed), ..Wanted::default() });
        assert_eq!(ids(&failed), [25, 20]);
        assert!(kept.find(&arn(15)).is_none() && kept.find(&arn(16)).is_some());
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let kept = shelf();
        let mut prng = xorshift(7);
        let mut running: Vec<u128> = (0..40).collect();
        for step in 0..20_000_u32 {
            let place = usize::try_from(prng() % 40).unwrap();
            let id = running[place];
            let mut shelf = kept.lock();
            let last = shelf.open.get(&ExecutionId(id)).map_or(0, |open| open.last_event);
            // Now and then a message was lost.
            let first = last + 1 + u32::from(prng().is_multiple_of(50));
            let size = usize::try_from(prng() % 3_000).unwrap();
            let events = (first..first + 3).map(|id| event(id, size)).collect();
            let ended = prng().is_multiple_of(4).then_some(ExecutionStatus::Succeeded);
            // An id is never used again.
            running[place] += if ended.is_some() { 40 } else { 0 };
            shelf.take(&written(id, events, ended));
            assert!(
                shelf.used + shelf.used_by_open <= LIMITS.bytes && shelf.ended.len() <= LIMITS.executions,
                "step {step}"
            );
            assert_eq!((shelf.used, shelf.used_by_open), counted(&shelf), "step {step}");
            assert_eq!(shelf.numbers.len(), shelf.ended.len(), "step {step}");
        }
        assert!(kept.count().0 > 0);
    }

    /// Enough to mix cases up.
    fn xorshift(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        }
    }

    #[test]
    fn a_history_that_is_too_long_or_has_a_gap_says_so() {
        let kept = shelf();
        let share = LIMITS.bytes / SHARE_OF_ONE;
        let events: Vec<_> = (1..=4).map(|id| event(id, share / 3)).collect();
        kept.lock().take(&written(1, events, OK));
        let found = kept.events(&arn(1), 0, 100).unwrap();
        assert_eq!((found.events.len(), found.is_cut), (2, true));
        kept.lock().take(&written(2, vec![event(1, 1)], None));
        kept.lock().take(&written(2, vec![event(3, 1)], OK));
        let found = kept.events(&arn(2), 0, 100).unwrap();
        assert_eq!((found.events.len(), found.is_cut), (1, true));
        assert_eq!(kept.find(&arn(2)).unwrap().status, ExecutionStatus::Succeeded);
    }

    #[test]
    fn executions_whose_end_was_lost_do_not_gather() {
        let mut shelf = Shelf::new(KeptLimits { executions: 10, bytes: 1 << 30 });
        for id in 0..EXPRESS_OPEN_TRACES_MAX as u128 + 100 {
            shelf.take(&written(id, Vec::new(), None));
        }
        assert_eq!(shelf.open.len(), EXPRESS_OPEN_TRACES_MAX);
        shelf.take(&written(u128::MAX, vec![event(1, 1)], OK));
        assert_eq!(shelf.ended.len(), 1);
    }
}
