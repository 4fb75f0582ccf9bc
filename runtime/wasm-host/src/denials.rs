//! What one call was refused for want of a grant.
//!
//! The guest gets the ordinary error of the interface that it used. Whoever reads the task's error gets this.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::outcome::first_chars;

/// The first few tell what is missing; a guest that tries a thousand names makes no longer list.
const DENIALS_MAX: usize = 8;
/// A guest may ask for a name of any length.
const DENIAL_CHARS_MAX: usize = 400;

/// Shared by all that refuses. Clones are one list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Denials(Arc<Mutex<Vec<String>>>);

impl Denials {
    /// The same refusal twice is one.
    pub(crate) fn note(&self, denial: impl AsRef<str>) {
        let denial: String = first_chars(denial.as_ref(), DENIAL_CHARS_MAX).chars().map(visible).collect();
        let mut list = self.lock();
        if list.len() < DENIALS_MAX && !list.contains(&denial) {
            list.push(denial);
        }
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lock())
    }

    /// No code that can panic runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names come from the guest, and end on terminals.
fn visible(character: char) -> char {
    if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_short_and_has_no_line_twice() {
        let denials = Denials::default();
        for number in 0..20 {
            denials.note(format!("a\u{1b}{}", number / 2));
        }
        denials.note("b".repeat(1_000));
        let list = denials.take();
        assert_eq!((list.len(), list[1].as_str()), (DENIALS_MAX, "a\u{fffd}1"));
        denials.note("b".repeat(1_000));
        assert_eq!(denials.take()[0].len(), DENIAL_CHARS_MAX);
    }
}
