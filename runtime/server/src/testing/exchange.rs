//! What a test tells of HTTP: the last request and its response.

use std::sync::{Arc, Mutex, PoisonError};

use engine::{Exchange, ExchangeSide, Watch};
use serde_json::{Map, Value, json};

/// Keeps the last exchange of a test.
#[derive(Debug, Default)]
pub(crate) struct Exchanges(Arc<Mutex<Option<Exchange>>>);

impl Exchanges {
    pub(crate) fn watch(&self, reveals_secrets: bool) -> Watch {
        let last = Arc::clone(&self.0);
        let tell = move |exchange| *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange);
        Watch { reveals_secrets, tell: Arc::new(tell) }
    }

    /// The members `request` and `response` of `inspectionData`; none if there was no request.
    pub(crate) fn show(&self) -> Map<String, Value> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Exchange { request, response }) = &*last else { return Map::new() };
        let mut shown = Map::new();
        shown.insert("request".to_owned(), side(request, "method", "url"));
        if let Some(response) = response {
            shown.insert("response".to_owned(), side(response, "statusCode", "statusMessage"));
        }
        shown
    }
}

fn side(side: &ExchangeSide, first: &str, second: &str) -> Value {
    let mut shown = json!({"protocol": side.protocol, "headers": side.headers, "body": side.body});
    shown[first] = side.first.as_str().into();
    shown[second] = side.second.as_str().into();
    shown
}
