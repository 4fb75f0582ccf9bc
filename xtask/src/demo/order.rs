//! The order workflow, with the server killed twice: while a person decides, and while the execution sleeps.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use super::promises::Promises;
use super::watch::{Watch, is_end};
use super::worker::Worker;
use super::{ACTIVITY, Demo, Finished, ORDER};
use crate::server::Server;
use crate::terminal::spoken;
use crate::workspace;

const NAME: &str = "order-1001";
/// The modules are compiled already; all the workflow's own waits are 6 seconds.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(60);
/// The order's total is above it, so that a person is asked.
const APPROVAL_THRESHOLD: u64 = 10_000;

impl Demo {
    pub(super) fn run_order(
        &mut self,
        server: Server,
        promises: &mut Promises,
    ) -> anyhow::Result<(Finished, Server)> {
        self.heading("Run an order, and kill the server twice on the way");
        let input = self.place.folder.join("order.json");
        fs::write(&input, order_input()?)?;
        let arn = self.execution_arn(ORDER, NAME)?;
        let worker = Worker::start(self.client(), &activity_arn(&arn));

        let mut watch = Watch::start(self.terminal, self.start_command(ORDER, NAME, &input), Vec::new())?;
        watch.until("a worker to take the approval", PROGRESS_TIMEOUT, |line| {
            line.contains("RequestApproval: taken by the worker")
        })?;
        let task = worker.wait()?;
        self.note(&format!("worker: \"{}\"", task.input["question"].as_str().unwrap_or("?")));

        let (mut watch, server) = self.kill(server, watch, "the worker holds the task", &input)?;
        worker.approve(&task).context("the token from before the kill")?;
        self.note("worker: answers yes, with the token from before the kill");
        watch.until("the wait for the pickup", PROGRESS_TIMEOUT, |line| {
            line.contains("> WaitForPickup (Wait)")
        })?;
        promises.check("the token that was given out before the kill was good after it", true);

        let (mut watch, server) = self.kill(server, watch, "the execution sleeps", &input)?;
        watch.until("the order to be fulfilled", PROGRESS_TIMEOUT, is_end)?;
        let output = watch.finish(PROGRESS_TIMEOUT)?;
        promises.check("each line shown before a kill was there again after it", true);
        self.check_history(&arn, promises)?;
        Ok((Finished { arn, output }, server))
    }

    /// Kills the server and starts it again on the same data. Watching the execution anew shows what is new.
    fn kill(
        &self,
        server: Server,
        watch: Watch,
        moment: &str,
        input: &std::path::Path,
    ) -> anyhow::Result<(Watch, Server)> {
        let id = server.id();
        server.kill()?;
        self.terminal.alarm(&format!("      kill -9 {id} while {moment}"));
        let seen = watch.abandon();
        let begun = Instant::now();
        let server = Server::start(&self.place)?;
        let took = spoken(begun.elapsed());
        self.note(&format!("the server is back after {took} on the same data, process {}", server.id()));
        // Starting an execution again by the same name and input is watching it.
        let watch = Watch::start(self.terminal, self.start_command(ORDER, NAME, input), seen)?;
        Ok((watch, server))
    }

    fn check_history(&self, arn: &str, promises: &mut Promises) -> anyhow::Result<()> {
        let events = self.client().history(arn)?;
        let numbered = events.iter().zip(1_u64..).all(|(event, id)| event["id"] == id);
        let ended = events.iter().filter(|event| event["type"] == "ExecutionSucceeded").count();
        promises.check(
            &format!("its history has {} events, none missing, one end", events.len()),
            numbered && ended == 1,
        );
        let attempts = self.client().get(&format!("/executions/{arn}/tasks"))?;
        let attempts = attempts["tasks"].as_array().context("the list of attempts is none")?.clone();
        let of = |state: &str| attempts.iter().filter(|attempt| attempt["state"] == state).count();
        let counts = [
            ("ValidateOrder", 1),
            ("ScoreFraud", 1),
            ("RequestApproval", 1),
            ("ChargePayment", 3),
            ("ReserveStock", 3),
            ("ShipItem", 3),
            ("RenderReceipt", 1),
        ];
        promises.check(
            "no task ran more often than its Retry asked for",
            counts.iter().all(|(state, count)| of(state) == *count),
        );
        Ok(())
    }
}

fn order_input() -> anyhow::Result<String> {
    let file = workspace::guests().join("workflows").join(ORDER).join("input.json");
    let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut input: Value = serde_json::from_str(&text)?;
    input["approvalThreshold"] = json!(APPROVAL_THRESHOLD);
    Ok(serde_json::to_string_pretty(&input)?)
}

/// The activity of the same account and region.
fn activity_arn(execution: &str) -> String {
    let account = execution.split(':').take(5).collect::<Vec<_>>().join(":");
    format!("{account}:activity:{ACTIVITY}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_asks_for_approval() {
        assert!(order_input().unwrap().contains("\"approvalThreshold\": 10000"));
    }

    #[test]
    fn the_activity_is_of_the_same_account() {
        assert_eq!(
            activity_arn("arn:aws:states:r:1:execution:m:n"),
            "arn:aws:states:r:1:activity:approve-order"
        );
    }
}
