//! Places for work of which a bounded part is under way at once, and of that a part for whoever asks.
//!
//! Who has all of its own places waits in a line of its own, so that others find one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    each_max: usize,
    /// Of those who have a place or wait for one.
    shares: Mutex<HashMap<Arc<str>, Weak<Semaphore>>>,
}

/// Given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(all_max: usize, each_max: usize) -> Places {
        Places { all: Arc::new(Semaphore::new(all_max)), each_max, shares: Mutex::default() }
    }

    /// Dropping the future leaves the line. It never fails, since nobody closes a line.
    pub(crate) async fn take(&self, who: &Arc<str>) -> Result<Place, AcquireError> {
        let own = self.share(who).acquire_owned().await?;
        let of_all = Arc::clone(&self.all).acquire_owned().await?;
        Ok(Place { _own: own, _of_all: of_all })
    }

    fn share(&self, who: &Arc<str>) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(who).and_then(Weak::upgrade) {
            return share;
        }
        // Whoever has no place any more takes no memory, once another comes.
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.each_max));
        shares.insert(Arc::clone(who), Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Who has a place at once.
    fn now(places: &Places, who: &str) -> Option<Place> {
        match pin!(places.take(&who.into())).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place.unwrap()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn nobody_has_more_than_a_part() {
        let places = Places::new(4, 2);
        let mut held = vec![now(&places, "a").unwrap(), now(&places, "a").unwrap()];
        assert!(now(&places, "a").is_none(), "its line is its own");
        held.extend([now(&places, "b").unwrap(), now(&places, "c").unwrap()]);
        assert!(now(&places, "d").is_none(), "all are taken");
        held.remove(0);
        held.push(now(&places, "d").unwrap());
        assert!(now(&places, "a").is_none());
    }

    #[test]
    fn who_has_no_place_takes_no_memory() {
        let places = Places::new(4, 2);
        let held = now(&places, "a");
        for number in 0..100 {
            drop(now(&places, &number.to_string()).unwrap());
        }
        assert_eq!(places.shares.lock().unwrap().len(), 2);
        drop(held);
    }
}
