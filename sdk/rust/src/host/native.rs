//! The test double: what a host would give, kept for the thread that asks.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::log::{Level, Line};
use crate::{Context, SecretError};

#[derive(Default)]
struct Host {
    context: Option<Context>,
    lines: Vec<Line>,
    heartbeats: u32,
    secrets: HashMap<String, String>,
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
