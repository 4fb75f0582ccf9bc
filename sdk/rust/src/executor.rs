//! Runs the future of an `async` task on the one thread a guest has.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::TaskError;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Polls until the future is ready.
///
/// A guest has no second thread and no reactor: a future that waits without having woken itself would wait until
/// the host's timeout. It fails at once instead, under the name `TaskStalled`.
///
/// # Errors
/// When nothing can wake the future any more.
pub fn block_on<F: Future>(future: F) -> Result<F::Output, TaskError> {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return Ok(value),
            Poll::Pending if flag.0.swap(false, Ordering::Acquire) => {}
            Poll::Pending => {
                let cause = "the task awaits something that nothing in this module can wake";
                return Err(TaskError::new("TaskStalled", cause));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn, ready};

    use super::*;

    #[test]
    fn a_ready_future_gives_its_value() {
        assert_eq!(block_on(async { ready(40).await + 2 }), Ok(42));
    }

    #[test]
    fn a_future_that_wakes_itself_is_polled_again() {
        let mut polls = 0;
        let yields = poll_fn(|cx| {
            polls += 1;
            if polls == 3 {
                return Poll::Ready(polls);
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        assert_eq!(block_on(yields), Ok(3));
    }

    #[test]
    fn a_future_nobody_wakes_is_an_error_and_not_a_hang() {
        let stalled = block_on(pending::<()>()).expect_err("it never ends");
        assert_eq!(stalled.error(), "TaskStalled");
    }
}
