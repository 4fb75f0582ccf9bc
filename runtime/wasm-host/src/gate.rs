//! Gives each call a slot, lets a bounded number wait for one, and refuses the rest.
//!
//! Modules take turns: of those with calls that wait, each gets a slot before any gets a second, so a thousand calls of
//! one keep nobody else waiting for long. No module has more slots than its limit, nor the last tenth of all of them, since
//! its calls may sleep for long. When the line is full, the module with
//! the most calls in it gives up its last one for a module with fewer.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// One slot in so many is for other modules than the one that has all the others.
const KEPT_FOR_OTHERS: usize = 10;

/// As many slots as the pool has instances, so that the pool itself never runs out.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Mutex<Line>>);

/// Why a call got no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Cancelled,
}

/// Room for one instance, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    gate: Gate,
    module: Arc<str>,
}

type Answer = Result<Slot, Refused>;

#[derive(Debug)]
struct Line {
    slots_total: usize,
    slots_free: usize,
    /// The most slots of one module.
    share_max: usize,
    waiting: usize,
    waiting_max: usize,
    next_place: u64,
    modules: HashMap<Arc<str>, Module>,
    /// The modules with calls that wait, in the order of their turns.
    turns: VecDeque<Arc<str>>,
}

/// The calls of one module.
#[derive(Debug, Default)]
struct Module {
    running: usize,
    running_max: usize,
    waiting: VecDeque<Waiter>,
    /// Whether it is among the turns.
    has_turn: bool,
}

#[derive(Debug)]
struct Waiter {
    place: u64,
    answer: oneshot::Sender<Answer>,
}

impl Gate {
    pub(crate) fn new(slots: u32, waiting_max: usize) -> Gate {
        let slots = slots as usize;
        Gate(Arc::new(Mutex::new(Line {
            slots_total: slots,
            slots_free: slots,
            share_max: slots - slots / KEPT_FOR_OTHERS,
            waiting: 0,
            waiting_max,
            next_place: 0,
            modules: HashMap::new(),
            turns: VecDeque::new(),
        })))
    }

    /// Within a module: first come, first served. `running_max` is the module's limit from now on.
    pub(crate) async fn enter(
        &self,
        module: &Arc<str>,
        running_max: u32,
        cancel: &CancellationToken,
    ) -> Answer {
        if cancel.is_cancelled() {
            return Err(Refused::Cancelled);
        }
        let waiting = match self.join(module, running_max)? {
            Entered::Slot(slot) => return Ok(slot),
            Entered::Line(waiting) => waiting,
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Refused::Cancelled),
            answer = waiting => answer,
        }
    }

    pub(crate) fn occupied(&self) -> usize {
        let line = self.lock();
        line.slots_total - line.slots_free
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// The same for whoever waits by polling.
    pub(crate) fn join(&self, module: &Arc<str>, running_max: u32) -> Result<Entered, Refused> {
        let mut locked = self.lock();
        let line = &mut *locked;
        let queue = line.modules.entry(Arc::clone(module)).or_default();
        queue.running_max = (running_max as usize).min(line.share_max).max(1);
        if line.slots_free > 0 && queue.waiting.is_empty() && queue.running < queue.running_max {
            queue.running += 1;
            line.slots_free -= 1;
            return Ok(Entered::Slot(self.slot(module)));
        }
        if line.waiting >= line.waiting_max && !line.make_room_for(module) {
            line.forget_idle(module);
            return Err(Refused::Full);
        }
        let (sender, answer) = oneshot::channel();
        let place = line.wait(module, sender);
        Ok(Entered::Line(Waiting {
            gate: self.clone(),
            module: Arc::clone(module),
            place,
            answer,
            is_over: false,
        }))
    }

    fn slot(&self, module: &Arc<str>) -> Slot {
        Slot { gate: self.clone(), module: Arc::clone(module) }
    }

    fn give_back(&self, module: &Arc<str>) {
        let mut locked = self.lock();
        let line = &mut *locked;
        line.slots_free += 1;
        if let Some(queue) = line.modules.get_mut(module) {
            queue.running -= 1;
        }
        let mut next = Vec::new();
        while let Some((module, answer)) = line.next() {
            next.push((self.slot(&module), answer));
        }
        line.forget_idle(module);
        drop(locked);
        for (slot, answer) in next {
            // A call that was cancelled in this moment drops its slot, which comes back here.
            let _ = answer.send(Ok(slot));
        }
    }

    fn leave(&self, module: &Arc<str>, place: u64) {
        let mut locked = self.lock();
        let line = &mut *locked;
        if let Some(queue) = line.modules.get_mut(module)
            && let Some(index) = queue.waiting.iter().position(|waiting| waiting.place == place)
        {
            queue.waiting.remove(index);
            line.waiting -= 1;
            line.forget_idle(module);
        }
    }

    /// No code that can panic runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call has that wants a slot.
#[derive(Debug)]
pub(crate) enum Entered {
    Slot(Slot),
    Line(Waiting),
}

/// A place in the line, given up when dropped; ends with the slot.
#[derive(Debug)]
pub(crate) struct Waiting {
    gate: Gate,
    module: Arc<str>,
    place: u64,
    answer: oneshot::Receiver<Answer>,
    is_over: bool,
}

impl Future for Waiting {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let answer = ready!(Pin::new(&mut self.answer).poll(cx));
        self.is_over = true;
        // Whoever drops the sender has taken the call out of the line.
        Poll::Ready(answer.unwrap_or(Err(Refused::Full)))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_over {
            self.gate.leave(&self.module, self.place);
        }
    }
}

impl Line {
    /// Takes the last call of the longest queue out of the line, if that queue is longer than this module's will be.
    fn make_room_for(&mut self, module: &Arc<str>) -> bool {
        let own = self.modules.get(module).map_or(0, |queue| queue.waiting.len());
        let longest = self.modules.iter_mut().max_by_key(|(_, queue)| queue.waiting.len());
        let Some((_, longest)) = longest.filter(|(_, longest)| longest.waiting.len() > own + 1) else {
            return false;
        };
        if let Some(last) = longest.waiting.pop_back() {
            self.waiting -= 1;
            // Nobody listens if it was cancelled in this moment.
            let _ = last.answer.send(Err(Refused::Full));
        }
        true
    }

    fn wait(&mut self, module: &Arc<str>, answer: oneshot::Sender<Answer>) -> u64 {
        let place = self.next_place;
        self.next_place += 1;
        let queue = self.modules.entry(Arc::clone(module)).or_default();
        queue.waiting.push_back(Waiter { place, answer });
        self.waiting += 1;
        if !queue.has_turn {
            queue.has_turn = true;
            self.turns.push_back(Arc::clone(module));
        }
        place
    }

    /// Whose turn it is, if there is a slot and a module that may have it.
    fn next(&mut self) -> Option<(Arc<str>, oneshot::Sender<Answer>)> {
        if self.slots_free == 0 {
            return None;
        }
        for _ in 0..self.turns.len() {
            let module = self.turns.pop_front()?;
            let Some(queue) = self.modules.get_mut(&module) else { continue };
            let may_run = queue.running < queue.running_max;
            let next = if may_run { queue.waiting.pop_front() } else { None };
            queue.has_turn = !queue.waiting.is_empty();
            if queue.has_turn {
                self.turns.push_back(Arc::clone(&module));
            }
            if let Some(next) = next {
                queue.running += 1;
                self.slots_free -= 1;
                self.waiting -= 1;
                return Some((module, next.answer));
            }
            self.forget_idle(&module);
        }
        None
    }

    /// A module without calls takes no memory.
    fn forget_idle(&mut self, module: &Arc<str>) {
        let is_idle = |queue: &Module| queue.running == 0 && queue.waiting.is_empty() && !queue.has_turn;
        if self.modules.get(module).is_some_and(is_idle) {
            self.modules.remove(module);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.gate.give_back(&self.module);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;

    struct Test {
        gate: Gate,
        cancel: CancellationToken,
    }

    impl Test {
        fn new(slots: u32, waiting_max: usize) -> Test {
            Test { gate: Gate::new(slots, waiting_max), cancel: CancellationToken::new() }
        }

        /// A call that has its slot at once, or its refusal.
        fn now(&self, module: &str, running_max: u32) -> Answer {
            let module = Arc::from(module);
            self.gate.enter(&module, running_max, &self.cancel).now_or_never().expect("it waits")
        }

        /// A call that waits.
        fn later<'a>(&'a self, module: &str) -> BoxFuture<'a, Answer> {
            let module: Arc<str> = Arc::from(module);
            let mut waiting = async move { self.gate.enter(&module, 100, &self.cancel).await }.boxed();
            assert!((&mut waiting).now_or_never().is_none());
            waiting
        }

        fn counts(&self) -> (usize, usize, usize) {
            (self.gate.occupied(), self.gate.waiting(), self.gate.lock().modules.len())
        }
    }

    fn has_slot(waiting: &mut BoxFuture<'_, Answer>) -> Option<Slot> {
        waiting.now_or_never().map(Result::unwrap)
    }

    #[test]
    fn one_more_than_the_line_holds_is_refused() {
        let test = Test::new(1, 1);
        let slot = test.now("a", 9).unwrap();
        let mut waiting = test.later("a");
        assert_eq!(test.counts(), (1, 1, 1));
        assert_eq!(test.now("a", 9).unwrap_err(), Refused::Full);
        assert_eq!(
            test.now("b", 9).unwrap_err(),
            Refused::Full,
            "each has one in the line already, or would have"
        );
        drop(slot);
        drop(has_slot(&mut waiting).unwrap());
        assert_eq!(test.counts(), (0, 0, 0));
    }

    #[test]
    fn a_cancelled_call_leaves_the_line() {
        let test = Test::new(1, 2);
        let slot = test.now("a", 9).unwrap();
        let mut cancelled = test.later("a");
        let dropped = test.later("b");
        drop(dropped);
        test.cancel.cancel();
        assert_eq!((&mut cancelled).now_or_never().unwrap().unwrap_err(), Refused::Cancelled);
        drop(cancelled);
        assert_eq!(test.gate.waiting(), 0);
        drop(slot);
        assert_eq!(test.counts(), (0, 0, 0));
    }

    #[test]
    fn a_slot_that_nobody_takes_any_more_comes_back() {
        let test = Test::new(1, 2);
        let slot = test.now("a", 9).unwrap();
        let first = test.later("a");
        let mut second = test.later("b");
        drop(slot);
        drop(first);
        drop(has_slot(&mut second).unwrap());
        assert_eq!(test.counts(), (0, 0, 0));
    }

    #[test]
    fn modules_take_turns() {
        let test = Test::new(1, 10);
        let mut slot = test.now("a", 9).unwrap();
        let mut line: Vec<_> =
            ["a", "a", "a", "b", "c", "b"].into_iter().map(|module| (module, test.later(module))).collect();
        let mut order = String::new();
        while !line.is_empty() {
            drop(slot);
            let found =
                line.iter_mut().enumerate().find_map(|(index, (_, call))| Some((index, has_slot(call)?)));
            let (index, next) = found.expect("somebody has the slot");
            slot = next;
            order.push_str(line.remove(index).0);
        }
        assert_eq!(order, "abcaba");
        drop(slot);
        assert_eq!(test.counts(), (0, 0, 0));
    }

    #[test]
    fn a_module_has_no_more_slots_than_its_limit() {
        let test = Test::new(3, 10);
        let first = test.now("a", 1).unwrap();
        let module = Arc::from("a");
        let mut second = test.gate.enter(&module, 1, &test.cancel).boxed();
        assert!((&mut second).now_or_never().is_none());
        let other = test.now("b", 1).unwrap();
        drop(other);
        assert!((&mut second).now_or_never().is_none(), "two slots are free, and none is for this module");
        drop(first);
        drop(second.now_or_never().unwrap().unwrap());
        assert_eq!(test.counts(), (0, 0, 0));
    }

    #[test]
    fn no_module_has_all_slots() {
        let test = Test::new(20, 10);
        let _all_that_it_gets: Vec<_> = (0..18).map(|_| test.now("a", 100).unwrap()).collect();
        let _waiting = test.later("a");
        let other = [test.now("b", 100).unwrap(), test.now("b", 100).unwrap()];
        drop(other);
        assert_eq!(test.counts(), (18, 1, 1));
    }

    #[test]
    fn the_longest_queue_makes_room() {
        let test = Test::new(1, 3);
        let slot = test.now("a", 9).unwrap();
        let mut line = [test.later("a"), test.later("a"), test.later("a")];
        let mut other = test.later("b");
        assert_eq!((&mut line[2]).now_or_never().unwrap().unwrap_err(), Refused::Full);
        assert_eq!(test.now("a", 9).unwrap_err(), Refused::Full);
        assert_eq!(test.now("b", 9).unwrap_err(), Refused::Full, "two of either would be no fairer");
        drop(slot);
        let slot = has_slot(&mut line[0]).unwrap();
        drop(slot);
        drop(has_slot(&mut other).unwrap());
        drop(has_slot(&mut line[1]).unwrap());
        assert_eq!(test.counts(), (0, 0, 0));
    }
}
