//! `maxResults` and `nextToken`: an opaque token that holds a place in one listing, for 24 hours.

use asl::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use store::Position;

use super::error::ApiError;
use super::fields::{Fields, TextRule};
use crate::limits::{PAGE_RESULTS_DEFAULT, PAGE_RESULTS_MAX, PAGE_TOKEN_LIFETIME};

const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;
/// Version, expiry and checksum.
const FRAME_BYTES: usize = 1 + 8 + CHECK_BYTES;

/// What a request says about the page that it wants.
#[derive(Debug)]
pub(crate) struct PageRequest {
    max_results: usize,
    token: Option<String>,
}

impl PageRequest {
    pub(crate) fn read(fields: &mut Fields, token_rule: TextRule) -> Result<PageRequest, ApiError> {
        let max_results = match fields.integer("maxResults", 0, PAGE_RESULTS_MAX)? {
            None | Some(0) => PAGE_RESULTS_DEFAULT,
            Some(results) => results as usize,
        };
        Ok(PageRequest { max_results, token: fields.text("nextToken", token_rule)? })
    }

    pub(crate) fn max_results(&self) -> usize {
        self.max_results
    }

    /// The place that the token holds in a listing with an order of its own, if there is a token.
    pub(crate) fn place(&self, listing: &Listing<'_>, now: Timestamp) -> Result<Option<String>, ApiError> {
        let Some(token) = &self.token else { return Ok(None) };
        let place = listing.open(token, now).and_then(|place| String::from_utf8(place).ok());
        place.map(Some).ok_or_else(ApiError::invalid_token)
    }

    /// The position that the token holds, if there is a token.
    pub(crate) fn position(
        &self,
        listing: &Listing<'_>,
        now: Timestamp,
    ) -> Result<Option<Position>, ApiError> {
        let place = self.place(listing, now)?;
        place.map(|text| text.parse().map_err(|_| ApiError::invalid_token())).transpose()
    }
}

/// The items of a page of a list that is kept as a whole, and the place of the last of them where more follow.
/// `rest` are the items after the place at which the page begins.
pub(crate) fn cut<T>(
    rest: impl Iterator<Item = T>,
    max: usize,
    place: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let mut rest = rest.peekable();
    let page: Vec<T> = rest.by_ref().take(max).collect();
    let next = rest.peek().and_then(|_| page.last()).map(place);
    (page, next)
}

/// An answer of a listing: the items under their name, and a token where more follow.
pub(crate) fn answer(
    name: &str,
    items: Vec<Value>,
    next: Option<&impl ToString>,
    listing: &Listing<'_>,
    now: Timestamp,
) -> Value {
    let mut members = Map::new();
    members.insert(name.to_owned(), items.into());
    if let Some(place) = next {
        members.insert("nextToken".to_owned(), listing.token(place.to_string().as_bytes(), now).into());
    }
    Value::Object(members)
}

/// What a token belongs to: the operation and what it lists. A token of another listing is not valid.
#[derive(Debug)]
pub(crate) struct Listing<'a>(pub(crate) &'a [&'a str]);

impl Listing<'_> {
    pub(crate) fn token(&self, place: &[u8], now: Timestamp) -> String {
        let lifetime = i64::try_from(PAGE_TOKEN_LIFETIME.as_millis()).unwrap_or(i64::MAX);
        let expires = now.saturating_add_milliseconds(lifetime).as_milliseconds();
        let mut bytes = Vec::with_capacity(FRAME_BYTES + place.len());
        bytes.push(VERSION);
        bytes.extend(expires.to_be_bytes());
        bytes.extend(place);
        bytes.extend(self.check(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(crate) fn open(&self, token: &str, now: Timestamp) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() >= FRAME_BYTES)?;
        let (content, check) = bytes.split_last_chunk::<CHECK_BYTES>()?;
        if *check != self.check(content) {
            return None;
        }
        let (version, content) = content.split_first()?;
        let (expires, place) = content.split_first_chunk::<8>()?;
        let alive = now.as_milliseconds() < i64::from_be_bytes(*expires);
        (*version == VERSION && alive).then(|| place.to_vec())
    }

    /// Guards against mistakes, not against forgery: a place is no secret, and the store checks it again.
    fn check(&self, content: &[u8]) -> [u8; CHECK_BYTES] {
        let mut hash = Sha256::new();
        for part in self.0 {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(content);
        let digest: [u8; 32] = hash.finalize().into();
        std::array::from_fn(|index| digest[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: Listing<'_> = Listing(&["ListExecutions", "arn", "RUNNING"]);

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_milliseconds(1_700_000_000_000).saturating_add_seconds(hours * 3600)
    }

    #[test]
    fn a_token_leads_back_to_its_place_for_a_day() {
        let token = LISTING.token(b"place", at(0));
        assert_eq!(LISTING.open(&token, at(23)).as_deref(), Some(&b"place"[..]));
        assert_eq!(LISTING.open(&token, at(24)), None);
        assert!(token.len() <= 1_024);
    }

    #[test]
    fn a_token_is_of_one_listing_only() {
        let token = LISTING.token(b"place", at(0));
        assert_eq!(Listing(&["ListExecutions", "arn", ""]).open(&token, at(0)), None);
        assert_eq!(Listing(&["ListExecutions", "ar", "nRUNNING"]).open(&token, at(0)), None);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let token = LISTING.token(b"place", at(0));
        for other in
            ["", "!", "AAAA", "invalid_token", &token[1..], &token[..token.len() - 1], &format!("{token}A")]
        {
            assert_eq!(LISTING.open(other, at(0)), None, "{other}");
        }
    }

    #[test]
    fn no_number_of_results_means_a_hundred() {
        let check = |body: &str, expected: usize| {
            let mut fields = Fields::parse(body.as_bytes()).unwrap();
            assert_eq!(PageRequest::read(&mut fields, TextRule::PAGE_TOKEN).unwrap().max_results(), expected);
        };
        check("{}", 100);
        check(r#"{"maxResults": 0}"#, 100);
        check(r#"{"maxResults": 1}"#, 1);
        check(r#"{"maxResults": 1000}"#, 1000);
    }
}
