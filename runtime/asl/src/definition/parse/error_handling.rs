//! `Retry` and `Catch`.

use crate::definition::{Catcher, Jitter, Retrier};
use crate::limits::{RETRY_DELAY_SECONDS_MAX, SECONDS_MAX};
use crate::validate::errors;
use crate::validate::report::Place;
use crate::validate::structure::{self, Part};

use super::reader::Reader;

const INTERVAL_SECONDS_DEFAULT: u32 = 1;
const ATTEMPTS_DEFAULT: u32 = 3;
const BACKOFF_RATE_DEFAULT: f64 = 2.0;

impl Reader<'_> {
    pub(crate) fn retry(&self) -> Vec<Retrier> {
        let place = self.place.field("Retry");
        let retriers = self.entries("Retry", &place, Part::Retrier, |reader| Retrier {
            error_equals: error_equals(reader),
            interval_seconds: reader.seconds("IntervalSeconds").unwrap_or(INTERVAL_SECONDS_DEFAULT),
            attempts_max: reader.integer("MaxAttempts", 0..=SECONDS_MAX).unwrap_or(ATTEMPTS_DEFAULT),
            backoff_rate: backoff_rate(reader),
            delay_seconds_max: reader.integer("MaxDelaySeconds", 1..=RETRY_DELAY_SECONDS_MAX),
            jitter: reader
                .word("JitterStrategy", &[("FULL", Jitter::Full), ("NONE", Jitter::None)])
                .unwrap_or(Jitter::None),
        });
        errors::check_order(&place, retriers.iter().map(|retrier| retrier.error_equals.as_slice()));
        retriers
    }

    pub(crate) fn catch(&self) -> Vec<Catcher> {
        let place = self.place.field("Catch");
        let catchers = self.entries("Catch", &place, Part::Catcher, |reader| Catcher {
            error_equals: error_equals(reader),
            next: reader.required_target("Next"),
            result_path: reader.result_path(),
            output: reader.jsonata_output(),
            assign: reader.assign(),
        });
        errors::check_order(&place, catchers.iter().map(|catcher| catcher.error_equals.as_slice()));
        catchers
    }

    /// The objects of an array, each read after a check of its fields.
    pub(crate) fn entries<T>(
        &self,
        name: &str,
        place: &Place<'_>,
        part: Part,
        mut read: impl FnMut(&Reader<'_>) -> T,
    ) -> Vec<T> {
        let mut list = Vec::new();
        for (at, entry) in self.array(name).into_iter().flatten().enumerate() {
            let place = place.item(at);
            let Some(object) = entry.as_object() else {
                place.error(format!("Each entry of '{name}' should be an object"));
                continue;
            };
            let reader = self.at(place, object);
            structure::check_part(&reader, part);
            list.push(read(&reader));
        }
        list
    }
}

//= https://states-language.net/spec.html#errors
//# Each Retrier MUST contain a field named "ErrorEquals" whose value MUST be
//# a non-empty array of Strings, which match Error Names.
fn error_equals(reader: &Reader<'_>) -> Vec<String> {
    let place = reader.place.field("ErrorEquals");
    let Some(names) = reader.array("ErrorEquals") else { return Vec::new() };
    if names.is_empty() {
        place.error("Value cannot be empty");
    }
    let mut list = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        match name.as_str() {
            Some(name) => list.push(String::from(name)),
            None => place.item(at).error("Each entry of 'ErrorEquals' should be a string"),
        }
    }
    errors::check_names(&place, &list);
    list
}

fn backoff_rate(reader: &Reader<'_>) -> f64 {
    let Some(value) = reader.get("BackoffRate") else { return BACKOFF_RATE_DEFAULT };
    let rate = value.as_f64().filter(|rate| *rate >= 1.0);
    if rate.is_none() {
        reader.wrong("BackoffRate", "a number of at least 1.0");
    }
    rate.unwrap_or(BACKOFF_RATE_DEFAULT)
}
