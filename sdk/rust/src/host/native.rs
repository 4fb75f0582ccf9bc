//! The test double: what a host would give, kept for the thread that asks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::http::{HttpError, Request, Response, Url};
use crate::log::{Level, Line};
use crate::{Context, SecretError};

/// Answers requests in the place of the outside.
pub(crate) type Answer = dyn Fn(&Request) -> Result<Response, HttpError>;

#[derive(Default)]
struct Host {
    context: Option<Context>,
    lines: Vec<Line>,
    heartbeats: u32,
    secrets: HashMap<String, String>,
    answer: Option<Rc<Answer>>,
    requests: Vec<Request>,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

pub(crate) fn context() -> Context {
    HOST.with_borrow(|host| host.context.clone()).unwrap_or_default()
}

pub(crate) fn write_log(level: Level, message: &str) {
    HOST.with_borrow_mut(|host| host.lines.push(Line { level, message: message.to_owned() }));
}

pub(crate) fn heartbeat() {
    HOST.with_borrow_mut(|host| host.heartbeats += 1);
}

pub(crate) fn secret(name: &str) -> Result<String, SecretError> {
    HOST.with_borrow(|host| host.secrets.get(name).cloned()).ok_or(SecretError::NotGranted)
}

pub(crate) fn set_secret(name: &str, value: &str) {
    HOST.with_borrow_mut(|host| host.secrets.insert(name.to_owned(), value.to_owned()));
}

/// Without an answer of the test nothing is granted.
pub(crate) fn send_http(request: Request, url: &Url) -> Result<Response, HttpError> {
    let answer = HOST.with_borrow(|host| host.answer.clone());
    // Not within the borrow, since an answer may be found by a look at the host.
    let answered = match answer {
        Some(answer) => answer(&request),
        None => Err(HttpError::denied(request.method(), url)),
    };
    HOST.with_borrow_mut(|host| host.requests.push(request));
    answered
}

pub(crate) fn set_answer(answer: Rc<Answer>) {
    HOST.with_borrow_mut(|host| host.answer = Some(answer));
}

pub(crate) fn requests() -> Vec<Request> {
    HOST.with_borrow(|host| host.requests.clone())
}

pub(crate) fn set_context(context: Context) {
    HOST.with_borrow_mut(|host| host.context = Some(context));
}

pub(crate) fn lines() -> Vec<Line> {
    HOST.with_borrow(|host| host.lines.clone())
}

pub(crate) fn heartbeats() -> u32 {
    HOST.with_borrow(|host| host.heartbeats)
}

pub(crate) fn reset() {
    HOST.take();
}
