//! Where a call runs: small ones first, and what takes longer on threads of a lower priority.
//!
//! Most calls take some microseconds, and must not wait for one that computes for seconds, nor for a thousand that take a
//! millisecond each. Nobody can tell them apart before they run, so a call begins where the lately ended calls of its
//! module would have, and moves on once it has taken more CPU time than its lane is for. A thread that wakes takes the
//! core from one of a lower priority, so a lane hardly notices those below it. Within a lane modules take turns for a
//! bounded number of places.
//!
//! A call holds its place while it is inside its own code, and gives it back while it waits in a host call, so a thousand
//! sleeping guests keep nobody from running. One that computes for long gives its place to the next in line after some
//! ticks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use crate::gate::{Entered, Gate, Slot, Waiting};
use crate::habit::Habit;
use crate::options::Options;
use crate::threads::{GuestThreads, LANES_COUNT};
use crate::turns::Progress;

/// What a call of each lane but the last takes at most, so that nobody shares a lane with calls that take very much longer.
/// A call of a small module in Rust takes 10 to 30 µs, and the way to another thread and back would cost it a good part
/// more; the start of one in Python or JavaScript takes some milliseconds; and at 10 ms comes the first tick.
const SPENT_MAX: [Duration; LANES_COUNT - 1] =
    [Duration::from_micros(50), Duration::from_micros(500), Duration::from_millis(10)];
/// Ticks in a row before a call goes to the end of the line. Changing guests costs warm caches, so not each tick.
const TICKS_PER_TURN: u32 = 5;

/// The lanes of a host, the quickest first. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Lanes(Arc<[Lane; LANES_COUNT]>);

#[derive(Debug)]
struct Lane {
    threads: Handle,
    places: Gate,
}

impl Lanes {
    /// A lane has a place for each thread, the last one as many as the options say, and a line with room for every call
    /// that has a slot.
    pub(crate) fn new(threads: &GuestThreads, options: &Options) -> Lanes {
        Lanes(Arc::new(std::array::from_fn(|lane| {
            let is_last = lane == LANES_COUNT - 1;
            let places = if is_last { options.running_max } else { options.guest_threads };
            let places = u32::try_from(places.max(1)).unwrap_or(u32::MAX);
            Lane { threads: threads.lanes()[lane].clone(), places: Gate::new(places, options.slots as usize) }
        })))
    }

    /// Where small calls run.
    pub(crate) fn quick(&self) -> &Handle {
        &self.0[0].threads
    }

    /// Runs a call to its end. It ends early only with its threads, or with a panic.
    pub(crate) async fn run<F>(
        &self,
        (module, habit): (&Arc<str>, &Habit),
        progress: &Progress,
        mut call: Pin<Box<F>>,
    ) -> Result<F::Output, JoinError>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut lane = lane_for(habit.expected());
        loop {
            let turn = Turn::new(self, lane, module, progress, call);
            let threads = &self.0[lane].threads;
            // The way to another thread and back takes longer than a small call.
            let is_here = Handle::try_current().is_ok_and(|current| current.id() == threads.id());
            let ended =
                if is_here { turn.await } else { AbortOnDropHandle::new(threads.spawn(turn)).await? };
            habit.learn(progress.cpu().spent());
            match ended {
                Ended::Done(output) => return Ok(output),
                Ended::MovesOn(rest) => {
                    call = rest;
                    lane = lane_for(progress.cpu().spent());
                }
            }
        }
    }
}

fn lane_for(spent: Duration) -> usize {
    SPENT_MAX.iter().take_while(|max| spent > **max).count()
}

/// How a call leaves a lane.
enum Ended<T, F> {
    Done(T),
    MovesOn(Pin<Box<F>>),
}

/// A call in a lane.
struct Turn<F> {
    call: Option<Pin<Box<F>>>,
    module: Arc<str>,
    progress: Progress,
    lanes: Lanes,
    lane: usize,
    place: Place,
    /// From here on it hears of its end by others while it is in line. In the quickest lane that line is short, and what it
    /// costs to listen is not.
    has_begun: bool,
    ticks: u32,
}

enum Place {
    None,
    InLine(Waiting),
    Held {
        _until_dropped: Slot,
    },
    /// The line was full, which has room for all: rather one too many than one that never runs.
    Beside,
}

impl Place {
    fn is_turn(&self) -> bool {
        matches!(self, Place::Held { .. } | Place::Beside)
    }
}

impl<F> Turn<F> {
    fn new(lanes: &Lanes, lane: usize, module: &Arc<str>, progress: &Progress, call: Pin<Box<F>>) -> Turn<F> {
        Turn {
            call: Some(call),
            module: Arc::clone(module),
            progress: progress.clone(),
            lanes: lanes.clone(),
            lane,
            place: Place::None,
            has_begun: lane > 0,
            ticks: 0,
        }
    }

    fn take_place(&mut self, cx: &mut Context<'_>) {
        if matches!(self.place, Place::None) {
            self.place = match self.lanes.0[self.lane].places.join(&self.module, u32::MAX) {
                Ok(Entered::Slot(slot)) => Place::Held { _until_dropped: slot },
                Ok(Entered::Line(waiting)) => Place::InLine(waiting),
                Err(_full) => Place::Beside,
            };
        }
        if let Place::InLine(waiting) = &mut self.place
            && let Poll::Ready(answer) = Pin::new(waiting).poll(cx)
        {
            self.place = answer.map_or(Place::Beside, |slot| Place::Held { _until_dropped: slot });
        }
    }
}

impl<F: Future> Future for Turn<F> {
    type Output = Ended<F::Output, F>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.take_place(cx);
        if !this.place.is_turn() && !this.has_begun {
            return Poll::Pending;
        }
        this.has_begun = true;
        this.progress.set_turn(this.place.is_turn());
        let mut call = this.call.take().expect("it is not polled after its end");
        let polled = this.progress.cpu().of(|| call.as_mut().poll(cx));
        let is_busy = this.progress.take_busy() && polled.is_pending();
        this.ticks += u32::from(is_busy);
        if this.place.is_turn() && (!is_busy || this.ticks >= TICKS_PER_TURN) {
            this.place = Place::None;
            this.ticks = 0;
        }
        match polled {
            Poll::Ready(output) => Poll::Ready(Ended::Done(output)),
            Poll::Pending if lane_for(this.progress.cpu().spent()) > this.lane => {
                this.place = Place::None;
                Poll::Ready(Ended::MovesOn(call))
            }
            Poll::Pending => {
                this.call = Some(call);
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::hint::black_box;
    use std::task::Waker;
    use std::thread;

    use tokio::task::yield_now;

    use super::*;
    use crate::turns::InTurns;

    struct Test {
        threads: GuestThreads,
        lanes: Lanes,
    }

    impl Test {
        /// One thread and one place in each lane.
        fn new() -> Test {
            let threads = GuestThreads::start(1).unwrap();
            let options = Options { guest_threads: 1, running_max: 1, ..Options::default() };
            Test { lanes: Lanes::new(&threads, &options), threads }
        }

        /// The thread on which a call ends that takes so much in each of its polls, as it is called by the quick lane.
        async fn ends_on(&self, habit: &Arc<Habit>, spends: &'static [Duration]) -> String {
            let (lanes, habit) = (self.lanes.clone(), Arc::clone(habit));
            let progress = Progress::new();
            let own = progress.clone();
            let call = Box::pin(async move {
                for spent in spends {
                    let until = own.cpu().spent_by_now() + *spent;
                    while own.cpu().spent_by_now() < until {
                        black_box((0..10_000_u64).fold(0, |sum, number| black_box(sum ^ number)));
                    }
                    yield_now().await;
                }
                thread::current().name().map(str::to_owned)
            });
            let call = async move { lanes.run((&"module".into(), &habit), &progress, call).await };
            self.threads.lanes()[0].spawn(call).await.unwrap().unwrap().unwrap()
        }

        /// A call in the last lane, whose guest is ready to go on whenever it is polled.
        fn slow(
            &self,
            module: &str,
            guest_is_busy: bool,
        ) -> Pin<Box<Turn<InTurns<impl Future<Output = ()>>>>> {
            let progress = Progress::new();
            let own = progress.clone();
            let guest = poll_fn(move |_| {
                if guest_is_busy {
                    own.set_busy();
                }
                Poll::<()>::Pending
            });
            let call = Box::pin(InTurns::new(guest, progress.clone()));
            Box::pin(Turn::new(&self.lanes, LANES_COUNT - 1, &module.into(), &progress, call))
        }
    }

    fn has_place_after<F: Future>(turn: &mut Pin<Box<Turn<F>>>) -> bool {
        assert!(turn.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        turn.place.is_turn()
    }

    const LITTLE: Duration = Duration::ZERO;
    const MORE: Duration = Duration::from_micros(200);
    const STILL_MORE: Duration = Duration::from_millis(2);
    const MUCH: Duration = Duration::from_millis(11);

    #[tokio::test]
    async fn a_call_that_takes_longer_moves_on() {
        let test = Test::new();
        for (spends, lane) in [
            (&[LITTLE][..], "wasm-guest"),
            (&[MORE], "wasm-short"),
            (&[MORE, STILL_MORE], "wasm-long"),
            (&[MORE, LITTLE, MUCH], "wasm-slow"),
            (&[MUCH], "wasm-slow"),
        ] {
            assert_eq!(test.ends_on(&Arc::default(), spends).await, lane, "{spends:?}");
        }
    }

    #[tokio::test]
    async fn a_call_begins_where_those_before_it_were() {
        let test = Test::new();
        let habit = Arc::default();
        assert_eq!(test.ends_on(&habit, &[]).await, "wasm-guest");
        for (spends, lane) in
            [(&[MORE][..], "wasm-short"), (&[STILL_MORE], "wasm-long"), (&[MUCH, MUCH], "wasm-slow")]
        {
            for _ in 0..20 {
                test.ends_on(&habit, spends).await;
            }
            assert_eq!(test.ends_on(&habit, &[]).await, lane, "{spends:?}");
        }
        for _ in 0..200 {
            test.ends_on(&habit, &[]).await;
        }
        assert_eq!(test.ends_on(&habit, &[]).await, "wasm-guest");
    }

    #[tokio::test]
    async fn a_panic_ends_the_call_and_not_its_caller() {
        let test = Test::new();
        let habit = Habit::default();
        habit.learn(MUCH * 2);
        let call = Box::pin(async { assert_eq!(thread::current().name(), None, "the call's own panic") });
        let ended = test.lanes.run((&"module".into(), &habit), &Progress::new(), call).await;
        assert!(ended.unwrap_err().is_panic());
    }

    #[test]
    fn a_waiting_guest_gives_its_place_back() {
        let test = Test::new();
        let mut turn = test.slow("a", false);
        assert_eq!([0, 1].map(|_| has_place_after(&mut turn)), [false; 2]);
    }

    #[test]
    fn a_busy_guest_keeps_its_place_for_some_ticks() {
        let test = Test::new();
        let mut turn = test.slow("a", true);
        let kept = [0; 6].map(|_| has_place_after(&mut turn));
        assert_eq!(kept, [true, true, true, true, false, true]);
    }

    #[test]
    fn a_call_in_line_can_be_ended() {
        let test = Test::new();
        let ended = Box::pin(std::future::ready("cancelled"));
        for lane in 1..LANES_COUNT {
            let taken = test.lanes.0[lane].places.join(&"a".into(), u32::MAX);
            assert!(matches!(taken, Ok(Entered::Slot(_))));
            let mut turn = Turn::new(&test.lanes, lane, &"b".into(), &Progress::new(), ended.clone());
            let polled = Pin::new(&mut turn).poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Ready(Ended::Done("cancelled"))), "lane {lane}");
            assert!(matches!(turn.place, Place::InLine(_)), "lane {lane}");
        }
    }

    #[test]
    fn modules_take_turns() {
        let test = Test::new();
        let mut calls = ["a", "a", "a", "b"].map(|module| test.slow(module, true));
        let mut order = String::new();
        for _ in 0..8 {
            // The one that has the place goes on until its turn is over; then somebody else has it.
            for _ in 0..TICKS_PER_TURN {
                let running: Vec<_> = calls
                    .iter_mut()
                    .filter_map(|call| has_place_after(call).then_some(&*call.module))
                    .collect();
                assert!(running.len() <= 1);
                order.extend(running);
            }
        }
        assert!(order.matches('b').count() * 3 >= order.len(), "{order}");
    }
}
