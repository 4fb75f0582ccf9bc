//! `http-handler`: a task that is an HTTP server.
//!
//! Any component that exports `wasi:http/incoming-handler` is a task: its input is the body of a `POST /`, an answer
//! with a status of 2xx its result, and any other its failure, `Http.StatusCode.NNN`. This one answers as its input asks,
//! and can make a request itself, within its grants. `module.toml` beside this file's package is what it asks for.
#![cfg(target_family = "wasm")]

use std::io::{Read, Write};

use serde::Deserialize;
use serde_json::{Value, json};
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingRequest,
    OutgoingResponse, ResponseOutparam, Scheme,
};

/// Bytes that are written to a stream at once; more would wait for the other side in between anyway.
const CHUNK_BYTES: usize = 4_096;

wasip2::http::proxy::export!(Handler);

/// The task's input.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum Order {
    /// Answer with a status and a text.
    Answer { status: u16, text: String },
    /// Show what came with the request.
    Headers,
    /// Post a text somewhere and show the answer.
    Post(Post),
    /// Call itself: post its own input to the address at which this server calls it.
    Again { authority: String, path: String },
    /// Never answer.
    Nothing,
}

/// A request of its own.
#[derive(Debug, Deserialize)]
struct Post {
    scheme: String,
    authority: String,
    path: String,
    text: String,
    /// POST, if it says nothing.
    method: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

struct Handler;

impl Guest for Handler {
    fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
        let input = request.consume().map(read_all).unwrap_or_default();
        let (status, text) = match serde_json::from_slice(&input) {
            Ok(Order::Answer { status, text }) => (status, text),
            Ok(Order::Headers) => (200, headers(&request).to_string()),
            Ok(Order::Post(post)) => told(post.send()),
            Ok(Order::Again { authority, path }) => {
                let text = String::from_utf8_lossy(&input).into_owned();
                let post = Post {
                    scheme: "http".to_owned(),
                    authority,
                    path,
                    text,
                    method: None,
                    headers: Vec::new(),
                };
                told(post.send())
            }
            Ok(Order::Nothing) => return,
            Err(error) => (400, error.to_string()),
        };
        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.set_status_code(status).and_then(|()| response.body()) else { return };
        ResponseOutparam::set(response_out, Ok(response));
        write_all(body, text.as_bytes());
    }
}

fn headers(request: &IncomingRequest) -> Value {
    let entries = request.headers().entries();
    let entries =
        entries.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned().into()));
    json!({"path": request.path_with_query(), "headers": entries.collect::<serde_json::Map<_, _>>()})
}

fn told(answer: Result<Value, ErrorCode>) -> (u16, String) {
    match answer {
        Ok(answer) => (200, answer.to_string()),
        Err(code) => (502, format!("{code:?}")),
    }
}

impl Post {
    fn send(self) -> Result<Value, ErrorCode> {
        let headers = Fields::new();
        for (name, value) in &self.headers {
            let added = headers.append(name, value.as_bytes());
            added.map_err(|error| ErrorCode::InternalError(Some(format!("{error:?}"))))?;
        }
        let request = OutgoingRequest::new(headers);
        let scheme = if self.scheme == "https" { Scheme::Https } else { Scheme::Http };
        let method = self.method.map_or(Method::Post, Method::Other);
        let is_set = request.set_method(&method).is_ok()
            && request.set_scheme(Some(&scheme)).is_ok()
            && request.set_authority(Some(&self.authority)).is_ok()
            && request.set_path_with_query(Some(&self.path)).is_ok();
        let Some(body) = request.body().ok().filter(|_| is_set) else {
            return Err(ErrorCode::HttpRequestUriInvalid);
        };
        let answer = outgoing_handler::handle(request, None)?;
        write_all(body, self.text.as_bytes());
        answer.subscribe().block();
        let answer = answer.get().and_then(Result::ok).ok_or(ErrorCode::InternalError(None))??;
        let status = answer.status();
        let text = answer.consume().map(read_all).unwrap_or_default();
        Ok(json!({"status": status, "text": String::from_utf8_lossy(&text)}))
    }
}

fn read_all(body: IncomingBody) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(mut stream) = body.stream() {
        // A body that breaks off is shorter, which is then no JSON.
        let _ = stream.read_to_end(&mut bytes);
    }
    bytes
}

fn write_all(body: OutgoingBody, bytes: &[u8]) {
    let written = body
        .write()
        .is_ok_and(|mut stream| bytes.chunks(CHUNK_BYTES).all(|chunk| stream.write_all(chunk).is_ok()));
    if written {
        // Whoever reads it hears of a body that is not finished.
        let _ = OutgoingBody::finish(body, None);
    }
}
