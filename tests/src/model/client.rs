//! A client that calls by chance and compares every answer with the model.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::calls::{Chooser, Step};
use super::lists::List;
use super::pattern::Settle;
use super::service::{Service, only_reads};
use super::{Answer, Port};
use crate::process::{PATIENCE, pause};
use crate::sim::random::Random;

/// Calls that a report of a difference shows.
const SHOWN_CALLS: usize = 25;
/// Characters of each.
const SHOWN_CHARACTERS: usize = 600;
/// Between two looks at what the server does in its own time.
const LOOK_INTERVAL: Duration = Duration::from_millis(1);
/// Lost answers leave two models each; answers that follow tell them apart soon.
const CANDIDATES_MAX: usize = 64;

/// What a client does and what it leaves alone.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the names of its machines and activities begin with.
    pub own: String,
    /// Starts no execution without a name: its ARN could be lost.
    pub always_named: bool,
    /// Polls activities that have no task, which takes as long as the server holds a poll.
    pub polls_when_idle: bool,
    /// The server's functions always fail with the error `Broken`.
    pub has_broken_function: bool,
}

/// How a run of a client ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    All,
    /// The server is gone, and the last answer with it.
    Lost,
}

pub struct Client {
    options: Options,
    random: Random,
    /// The models that all answers agree with.
    candidates: Vec<Service>,
    /// What went on when the last answer was lost.
    unsettled: Vec<Settle>,
    shown: VecDeque<String>,
    calls: u64,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Why a client stops: a difference, or a lost answer.
enum Stop {
    Different(String),
    Lost,
}

impl Client {
    pub fn new(options: Options, seed: u64) -> Client {
        Client {
            options,
            random: Random::new(seed),
            candidates: vec![Service::default()],
            unsettled: Vec::new(),
            shown: VecDeque::new(),
            calls: 0,
        }
    }

    /// How many calls it has made.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Goes on until it has made so many calls in all. The error tells what differs, and the last calls.
    pub fn run(&mut self, port: &impl Port, calls: u64) -> Result<Ran, String> {
        while self.calls < calls {
            match self.step(port) {
                Ok(()) => {}
                Err(Stop::Lost) => return Ok(Ran::Lost),
                Err(Stop::Different(what)) => {
                    let shown: Vec<&str> = self.shown.iter().map(String::as_str).collect();
                    let own = &self.options.own;
                    return Err(format!("{what}\n\nthe last calls of {own}:\n{}", shown.join("\n")));
                }
            }
        }
        Ok(Ran::All)
    }

    fn step(&mut self, port: &impl Port) -> Result<(), Stop> {
        while let Some(settle) = self.unsettled.first().cloned() {
            self.settle(port, &settle)?;
            self.unsettled.remove(0);
        }
        let service = &self.candidates[0];
        let step = Chooser { random: &mut self.random, service, options: &self.options }.step();
        match step {
            Step::Call(operation, members) => self.call(port, operation, &members),
            Step::List(list, size) => self.list(port, &list, size),
        }
    }

    /// Makes a call and keeps the models that agree with its answer.
    fn call(&mut self, port: &impl Port, operation: &str, members: &Value) -> Result<(), Stop> {
        let Ok(answer) = self.ask(port, operation, members) else {
            if !only_reads(operation) {
                self.split(operation, members);
            }
            return Err(Stop::Lost);
        };
        let mut settles = Vec::new();
        self.keep(operation, &answer, |candidate| {
            let expected = candidate.apply(operation, members);
            settles.extend(expected.settles.iter().cloned());
            expected.check(&answer, &mut candidate.slots)
        })?;
        // They are waited for before the next call, by which the server may have gone and come back.
        settles.dedup();
        self.unsettled = settles;
        Ok(())
    }

    /// The call may have been done: there is a model for each case from here on.
    fn split(&mut self, operation: &str, members: &Value) {
        assert!(self.candidates.len() < CANDIDATES_MAX, "the models are told apart");
        let mut done = self.candidates.clone();
        for candidate in &mut done {
            let expected = candidate.apply(operation, members);
            for settle in expected.settles {
                if !self.unsettled.contains(&settle) {
                    self.unsettled.push(settle);
                }
            }
        }
        self.candidates.extend(done);
    }

    /// Keeps the models of which something holds; there must be one.
    fn keep(
        &mut self,
        what: &str,
        answer: &Answer,
        mut holds: impl FnMut(&mut Service) -> Result<(), String>,
    ) -> Result<(), Stop> {
        if answer.status >= 500 {
            return Err(Stop::Different(format!("{what}: the server failed with {}", answer.status)));
        }
        let mut problem = None;
        self.candidates.retain_mut(|candidate| match holds(candidate) {
            Ok(()) => true,
            Err(differs) => {
                problem.get_or_insert(differs);
                false
            }
        });
        if self.candidates.is_empty() {
            let problem = problem.unwrap_or_default();
            return Err(Stop::Different(format!("{what}: {problem}")));
        }
        Ok(())
    }

    /// Reads all pages of a list.
    fn list(&mut self, port: &impl Port, list: &List, size: usize) -> Result<(), Stop> {
        let asked = list.asked();
        let mut members = asked.members;
        members["maxResults"] = json!(size);
        let mut items: Vec<Value> = Vec::new();
        loop {
            let answer = self.ask(port, asked.operation, &members).map_err(|_| Stop::Lost)?;
            if answer.status != 200 {
                return self.keep(asked.operation, &answer, |candidate| match candidate.list_refusal(list) {
                    Some(expected) => expected.check(&answer, &mut candidate.slots),
                    None => Err("there is a list".to_owned()),
                });
            }
            let page = answer.body[asked.member].as_array().cloned().unwrap_or_default();
            let next = answer.body.get("nextToken").cloned();
            if page.len() > size || (page.is_empty() && next.is_some()) {
                let what = format!("{}: a page of {} items", asked.operation, page.len());
                return Err(Stop::Different(what));
            }
            items.extend(page);
            match next {
                Some(token) => members["nextToken"] = token,
                None => {
                    let own = self.options.own.clone();
                    return self.keep(asked.operation, &answer, |candidate| {
                        match candidate.list_refusal(list) {
                            Some(_) => Err("there is no such list".to_owned()),
                            None => candidate.check_list(list, &items, &own),
                        }
                    });
                }
            }
        }
    }

    /// Waits until the server is done with something that goes on after an answer.
    fn settle(&mut self, port: &impl Port, settle: &Settle) -> Result<(), Stop> {
        let (operation, members, busy) = match settle {
            Settle::Deletion(arn) => ("DescribeStateMachine", json!({"stateMachineArn": arn}), "DELETING"),
            Settle::End(arn) => ("DescribeExecution", json!({"executionArn": arn}), "RUNNING"),
        };
        let begun = Instant::now();
        loop {
            let answer = self.ask(port, operation, &members).map_err(|_| Stop::Lost)?;
            if answer.body["status"] != busy {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(Stop::Different(format!("waited in vain for {settle:?}")));
            }
            pause(LOOK_INTERVAL);
        }
    }

    fn ask(&mut self, port: &impl Port, operation: &str, members: &Value) -> Result<Answer, String> {
        self.calls += 1;
        let answer = port.call(operation, members);
        let told = match &answer {
            Ok(Answer { status, body }) => format!("{status} {body}"),
            Err(lost) => format!("lost: {lost}"),
        };
        let shorten = |text: String| text.chars().take(SHOWN_CHARACTERS).collect::<String>();
        let call = shorten(format!("{operation} {members}"));
        self.shown.push_back(format!("{:6} {call}\n       → {}", self.calls, shorten(told)));
        if self.shown.len() > SHOWN_CALLS {
            self.shown.pop_front();
        }
        answer
    }
}
