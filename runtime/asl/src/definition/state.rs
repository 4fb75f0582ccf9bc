//! The eight state types.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Assign, Catcher, Flow, Map, NumberField, QueryLanguage, Resource, Retrier, Rule, ScopeId, StateId,
    Template, TextField, TimestampField,
};

#[derive(Debug, Clone)]
pub struct State {
    pub name: Arc<str>,
    pub scope: ScopeId,
    pub query_language: QueryLanguage,
    pub kind: StateKind,
}

#[derive(Debug, Clone)]
pub enum StateKind {
    Pass(Pass),
    Task(Box<Task>),
    Choice(Choice),
    Wait(Wait),
    Succeed(Succeed),
    Fail(Fail),
    Parallel(Parallel),
    Map(Box<Map>),
}

/// What follows a state that is not terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    Next(StateId),
    End,
}

#[derive(Debug, Clone)]
pub struct Pass {
    pub flow: Flow,
    /// JSONPath's literal `Result`.
    pub result: Option<Value>,
    pub assign: Assign,
    pub transition: Transition,
}

#[derive(Debug, Clone)]
pub struct Task {
    pub resource: Resource,
    pub flow: Flow,
    pub timeout_seconds: Option<NumberField>,
    pub heartbeat_seconds: Option<NumberField>,
    /// `Credentials`, an object with `RoleArn`.
    pub credentials: Option<Template>,
    /// `CallbackLinks`, ours: what a person is asked. Only where the task awaits its token.
    pub callback_links: Option<Template>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub assign: Assign,
    pub transition: Transition,
}

#[derive(Debug, Clone)]
pub struct Choice {
    pub flow: Flow,
    pub rules: Vec<Rule>,
    pub default: Option<StateId>,
    /// Applies when no rule matches and `Default` is taken.
    pub assign: Assign,
}

#[derive(Debug, Clone)]
pub struct Wait {
    pub flow: Flow,
    pub delay: Delay,
    pub assign: Assign,
    pub transition: Transition,
}

/// How long a Wait state waits.
#[derive(Debug, Clone)]
pub enum Delay {
    Seconds(NumberField),
    Until(TimestampField),
}

#[derive(Debug, Clone)]
pub struct Succeed {
    pub flow: Flow,
}

#[derive(Debug, Clone)]
pub struct Fail {
    pub error: Option<TextField>,
    pub cause: Option<TextField>,
}

#[derive(Debug, Clone)]
pub struct Parallel {
    pub flow: Flow,
    pub branches: Vec<ScopeId>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub assign: Assign,
    pub transition: Transition,
}
