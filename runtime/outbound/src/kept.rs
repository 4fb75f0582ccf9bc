//! To which places idle connections are kept for the next request: a bounded number, and of that a part for whoever asks.
//! Each connection is a descriptor of this process, and whoever may send requests to many places would leave one at each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::limits::{IDLE_TIMEOUT, KEPT_PLACES_MAX, KEPT_PLACES_OF_ONE_MAX};

/// By origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<HashMap<Arc<str>, Place>>>);

#[derive(Debug)]
struct Place {
    who: Arc<str>,
    requests: usize,
    /// When the last request ended, if none is under way.
    idle_since: Instant,
}

/// A request whose connection may be kept.
#[derive(Debug)]
pub(crate) struct Use {
    kept: Kept,
    origin: Arc<str>,
}

impl Kept {
    /// None if the connection ends with the request.
    pub(crate) fn enter(&self, who: &Arc<str>, origin: &str, now: Instant) -> Option<Use> {
        let mut places = self.lock();
        let origin: Arc<str> = origin.into();
        if !places.contains_key(&origin) {
            places.retain(|_, place| place.may_have_connections(now));
            let own = places.values().filter(|place| place.who == *who).count();
            if places.len() >= KEPT_PLACES_MAX || own >= KEPT_PLACES_OF_ONE_MAX {
                return None;
            }
        }
        let place = places.entry(Arc::clone(&origin));
        let place = place.or_insert_with(|| Place { who: Arc::clone(who), requests: 0, idle_since: now });
        place.requests += 1;
        Some(Use { kept: self.clone(), origin })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn may_have_connections(&self, now: Instant) -> bool {
        self.requests > 0 || now.saturating_duration_since(self.idle_since) <= IDLE_TIMEOUT
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        if let Some(place) = self.kept.lock().get_mut(&self.origin) {
            place.requests -= 1;
            place.idle_since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_keeps_connections_to_a_part_of_the_places() {
        let kept = Kept::default();
        let (one, other) = ("one".into(), "other".into());
        let now = Instant::now();
        for number in 0..KEPT_PLACES_OF_ONE_MAX {
            drop(kept.enter(&one, &number.to_string(), now).unwrap());
        }
        assert!(kept.enter(&one, "one more", now).is_none());
        let same = kept.enter(&one, "0", now);
        assert!(same.is_some(), "a place that is kept already");
        assert!(kept.enter(&other, "one more", now).is_some());
        // Where nothing can be idle any more, there is room for another place.
        let later = Instant::now() + IDLE_TIMEOUT + Duration::from_secs(1);
        assert!(kept.enter(&one, "at last", later).is_some());
        assert_eq!(kept.lock().len(), 2, "the one with a request stays");
    }

    #[test]
    fn the_places_of_all_are_bounded() {
        let kept = Kept::default();
        let enter = |number: usize| {
            let who = (number / KEPT_PLACES_OF_ONE_MAX).to_string();
            kept.enter(&who.as_str().into(), &number.to_string(), Instant::now()).is_some()
        };
        assert_eq!((0..2 * KEPT_PLACES_MAX).filter(|number| enter(*number)).count(), KEPT_PLACES_MAX);
    }
}
