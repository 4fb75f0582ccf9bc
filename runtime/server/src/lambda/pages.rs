//! Lists in pages: what is asked of one, and how it is answered.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::LambdaError;

/// AWS: items in one answer.
const PAGE_MAX: usize = 50;
/// AWS: the largest `MaxItems`; an answer has no more than 50 all the same.
const MAX_ITEMS_MAX: usize = 10_000;
/// Ours: items that are looked at for one answer; numbers whose version was deleted are passed over.
const LOOKS_MAX: usize = 10_000;

/// Where a list goes on, how much of it is asked for, and of what.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    pub(super) marker: Option<String>,
    max_items: Option<String>,
    pub(super) function_version: Option<String>,
    pub(super) master_region: Option<String>,
}

impl Page {
    /// An answer without items yet.
    pub(super) fn list(&self) -> Result<List, LambdaError> {
        let max = match self.max_items.as_deref() {
            None => PAGE_MAX,
            Some(text) => match text.parse::<usize>() {
                Ok(max @ 1..=MAX_ITEMS_MAX) => max.min(PAGE_MAX),
                Ok(_) | Err(_) => {
                    let constraint = format!("value between 1 and {MAX_ITEMS_MAX}");
                    return Err(LambdaError::validation(text, "maxItems", &constraint));
                }
            },
        };
        Ok(List { max, looks: LOOKS_MAX, items: Vec::new(), next: None })
    }

    pub(super) fn invalid_marker() -> LambdaError {
        LambdaError::invalid("Marker must be the NextMarker of the page before.")
    }
}

/// The items of one answer, and where the next one begins.
#[derive(Debug)]
pub(super) struct List {
    pub(super) max: usize,
    looks: usize,
    pub(super) items: Vec<Value>,
    pub(super) next: Option<String>,
}

impl List {
    /// Whether an item fits; if not, the next answer begins with it.
    pub(super) fn has_room_for(&mut self, marker: &(impl ToString + ?Sized)) -> bool {
        if self.items.len() == self.max || self.looks == 0 {
            self.next = Some(marker.to_string());
            return false;
        }
        self.looks -= 1;
        true
    }

    pub(super) fn answer(self, member: &str) -> Json<Value> {
        Json(json!({member: self.items, "NextMarker": self.next}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(max_items: Option<&str>) -> Page {
        Page { max_items: max_items.map(str::to_owned), ..Page::default() }
    }

    #[test]
    fn an_answer_has_as_many_items_as_are_asked_for() {
        for (asked, max) in [(None, 50), (Some("1"), 1), (Some("50"), 50), (Some("10000"), 50)] {
            assert_eq!(page(asked).list().unwrap().max, max, "{asked:?}");
        }
        for wrong in ["0", "10001", "-1", "many", ""] {
            assert!(page(Some(wrong)).list().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_answer_begins_with_what_has_no_room() {
        let mut list = page(Some("2")).list().unwrap();
        let taken = (1..9).take_while(|number| {
            let fits = list.has_room_for(number);
            if fits {
                list.items.push(json!(number));
            }
            fits
        });
        assert_eq!(taken.count(), 2);
        assert_eq!(list.answer("Numbers").0, json!({"Numbers": [1, 2], "NextMarker": "3"}));
        // What gives no items is not looked at for ever.
        let mut list = page(None).list().unwrap();
        assert_eq!((1..).take_while(|number| list.has_room_for(number)).count(), LOOKS_MAX);
        assert_eq!(list.next, Some((LOOKS_MAX + 1).to_string()));
    }
}
