//! Tokens of OAuth connections: fetched when one is needed, kept until they expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use outbound::http::header::{ACCEPT, CONTENT_TYPE};
use outbound::http::{HeaderValue, Request};
use outbound::{Bounds, Client, Url};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::connection::{OAuth, Parameter};
use super::request::{is_json_type, name, value};

/// Ours: connections whose tokens are kept.
const TOKENS_MAX: usize = 1_000;
/// Ours: a token is not used in its last seconds, in which it may expire on the way.
const MARGIN: Duration = Duration::from_secs(30);
/// Ours: how long a token is kept that doesn't say when it expires. If it is refused sooner, a new one is fetched.
const LIFETIME_DEFAULT: Duration = Duration::from_secs(300);
/// Ours: the longest that a token is kept, whatever it says.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Ours: the answer of whoever gives out tokens.
const ANSWER: Bounds = Bounds { timeout: Duration::from_secs(30), body_bytes_max: 64 << 10 };

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    kept: Mutex<HashMap<String, Arc<Place>>>,
}

/// A connection's token. Whoever fetches it holds the lock, so that the others wait for the same one.
type Place = tokio::sync::Mutex<Option<Token>>;

#[derive(Clone)]
struct Token {
    /// `Bearer …`
    header: String,
    until: Instant,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Token").field("until", &self.until).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

impl Tokens {
    /// The value of the header `Authorization`. `refused` is one that the API did not take, which is not given again.
    pub(crate) async fn get(
        &self,
        client: &Client,
        key: &str,
        oauth: &OAuth,
        refused: Option<&str>,
    ) -> Result<String, String> {
        let place = self.place(key);
        let mut token = place.lock().await;
        if let Some(token) = &*token
            && token.until > Instant::now()
            && refused != Some(&token.header)
        {
            return Ok(token.header.clone());
        }
        *token = None;
        let fetched = fetch(client, oauth).await?;
        let header = fetched.header.clone();
        *token = Some(fetched);
        Ok(header)
    }

    fn place(&self, key: &str) -> Arc<Place> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.contains_key(key) && kept.len() >= TOKENS_MAX {
            // Rare: then all are fetched anew.
            kept.clear();
        }
        Arc::clone(kept.entry(key.to_owned()).or_default())
    }
}

async fn fetch(client: &Client, oauth: &OAuth) -> Result<Token, String> {
    let answer = client.send(request(oauth)?, ANSWER).await.map_err(|error| error.to_string())?;
    if !answer.status.is_success() {
        return Err(format!("{} answered {} {}", oauth.endpoint, answer.status.as_u16(), answer.reason));
    }
    // The answer has the token in it, so nothing of it is told.
    let granted: Granted = serde_json::from_slice(&answer.body)
        .map_err(|_| format!("the answer of {} has no access_token", oauth.endpoint))?;
    let seconds = match &granted.expires_in {
        Some(Value::Number(seconds)) => seconds.as_u64(),
        Some(Value::String(seconds)) => seconds.parse().ok(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    };
    let lifetime = seconds.map_or(LIFETIME_DEFAULT, Duration::from_secs).min(LIFETIME_MAX);
    let kind = granted.token_type.filter(|kind| !kind.eq_ignore_ascii_case("bearer"));
    Ok(Token {
        header: format!("{} {}", kind.as_deref().unwrap_or("Bearer"), granted.access_token),
        until: Instant::now() + lifetime.saturating_sub(MARGIN),
    })
}

fn request(oauth: &OAuth) -> Result<Request<Bytes>, String> {
    let mut url = Url::parse(&oauth.endpoint).map_err(|error| format!("{}: {error}", oauth.endpoint))?;
    for Parameter { key, value, .. } in &oauth.parameters.query {
        url.query_pairs_mut().append_pair(key, value);
    }
    let mut fields: Map<String, Value> = Map::new();
    fields.insert("grant_type".to_owned(), "client_credentials".into());
    fields.insert("client_id".to_owned(), oauth.client_id.as_str().into());
    fields.insert("client_secret".to_owned(), oauth.client_secret.as_str().into());
    for Parameter { key, value, .. } in &oauth.parameters.body {
        fields.insert(key.clone(), value.as_str().into());
    }
    let pairs = || fields.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    let has_body = oauth.method != "GET";
    if !has_body {
        url.query_pairs_mut().extend_pairs(pairs());
    }
    let mut request = Request::builder()
        .method(oauth.method.as_str())
        .uri(url.as_str())
        .header(ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    for Parameter { key, value: text, .. } in &oauth.parameters.headers {
        headers.insert(name(key)?, value(key, text)?);
    }
    if has_body {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let media = headers.entry(CONTENT_TYPE).or_insert(form);
        let is_json = media.to_str().is_ok_and(is_json_type);
        *request.body_mut() = if is_json {
            Value::Object(fields).to_string().into()
        } else {
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs()).finish().into()
        };
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::super::connection::Parameters;
    use super::*;

    fn oauth(method: &str, headers: &[(&str, &str)], body: &[(&str, &str)]) -> OAuth {
        let parameters = |pairs: &[(&str, &str)]| {
            let parameter = |(key, value): &(&str, &str)| Parameter {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
                is_secret: false,
            };
            pairs.iter().map(parameter).collect()
        };
        OAuth {
            client_id: "id".to_owned(),
            client_secret: "s&cret".to_owned(),
            endpoint: "https://a.example/token?x=1".to_owned(),
            method: method.to_owned(),
            parameters: Parameters {
                headers: parameters(headers),
                query: parameters(&[("q", "1")]),
                body: parameters(body),
            },
        }
    }

    fn check(oauth: &OAuth, uri: &str, body: &str) {
        let request = request(oauth).unwrap();
        assert_eq!(request.uri().to_string(), uri);
        assert_eq!(std::str::from_utf8(request.body()).unwrap(), body);
    }

    #[test]
    fn a_token_is_asked_for_with_the_clients_credentials() {
        let uri = "https://a.example/token?x=1&q=1";
        check(
            &oauth("POST", &[], &[("audience", "b")]),
            uri,
            "grant_type=client_credentials&client_id=id&client_secret=s%26cret&audience=b",
        );
        check(
            &oauth("PUT", &[("Content-Type", "application/json")], &[("grant_type", "other")]),
            uri,
            r#"{"grant_type":"other","client_id":"id","client_secret":"s&cret"}"#,
        );
        let in_query = "&grant_type=client_credentials&client_id=id&client_secret=s%26cret";
        check(&oauth("GET", &[], &[]), &format!("{uri}{in_query}"), "");
    }
}
