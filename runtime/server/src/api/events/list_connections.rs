//! ListConnections of EventBridge: by their names.

use serde_json::{Value, json};
use store::{Position, SecretKind, Store};

use super::connection::{public, summary};
use crate::api::dispatch::Answer;
use crate::api::error::ApiError;
use crate::api::fields::{Fields, TextRule};
use crate::api::page::Listing;
use crate::app::{App, now};

/// AWS service model.
const LIMIT_MAX: u32 = 100;
const PREFIX: TextRule = TextRule::of(1, 64);
const PAGE_TOKEN: TextRule = TextRule::of(1, 2_048);
/// Every connection of ours is in this state.
const STATE: &str = "AUTHORIZED";

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let prefix = fields.text("NamePrefix", PREFIX)?.unwrap_or_default();
    let state = fields.text("ConnectionState", PREFIX)?;
    let limit = fields.integer("Limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_MAX) as usize;
    let token = fields.text("NextToken", PAGE_TOKEN)?;
    fields.finish()?;

    let (listing, now) = (Listing(&["ListConnections", &prefix]), now());
    let mut from = token.map(|token| position(&listing, &token, now)).transpose()?;
    let mut connections = Vec::new();
    let wanted = state.is_none_or(|state| state == STATE);
    // Each turn reads at least one; the names that come before the prefix are passed over.
    while wanted && connections.len() < limit {
        let page = app
            .store()
            .list_secrets(SecretKind::Connection, from.as_ref(), limit - connections.len())
            .await?;
        for (name, record) in page.items.iter().filter(|(name, _)| name.starts_with(&prefix)) {
            let public = public(record)?;
            let mut connection = summary(app, name, record, &public);
            connection.insert("Name".to_owned(), json!(name));
            connection.insert("AuthorizationType".to_owned(), json!(public.kind));
            connections.push(Value::Object(connection));
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let mut answer = json!({"Connections": connections});
    if let Some(next) = from.filter(|_| wanted) {
        answer["NextToken"] = listing.token(next.to_string().as_bytes(), now).into();
    }
    Ok(answer)
}

fn position(listing: &Listing<'_>, token: &str, now: asl::Timestamp) -> Result<Position, ApiError> {
    let place = listing.open(token, now).and_then(|place| String::from_utf8(place).ok());
    place
        .and_then(|place| place.parse().ok())
        .ok_or_else(|| ApiError::validation("The value of NextToken is not valid."))
}
