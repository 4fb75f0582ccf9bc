//! Clients that keep a server busy with executions of several kinds, and remember what they were promised.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tests::process::{CallError, Client, guest, history};

/// How many executions one client starts before it only reads what there is, until the server is gone.
const STARTS_PER_CLIENT: usize = 30;
/// Attempts of the payment that find the gateway busy.
const BUSY_ATTEMPTS: u64 = 1;
const SECOND: i64 = 1_000;

/// What an execution is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Chain,
    Wait,
    Task,
    Retry,
    Map,
}

pub(crate) const KINDS: [Kind; 5] = [Kind::Chain, Kind::Wait, Kind::Task, Kind::Retry, Kind::Map];

const ECHO: &str = "arn:aws:lambda:us-east-1:123456789012:function:echo";
const CHARGE: &str = "arn:aws:lambda:us-east-1:123456789012:function:charge-payment";

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Chain => "chain",
            Kind::Wait => "wait",
            Kind::Task => "task",
            Kind::Retry => "retry",
            Kind::Map => "map",
        }
    }

    fn definition(self) -> Value {
        let echo = json!({"Type": "Task", "Resource": ECHO, "End": true});
        match self {
            Kind::Chain => json!({"StartAt": "A", "States": {
                "A": {"Type": "Pass", "Result": 1, "ResultPath": "$.a", "Next": "B"},
                "B": {"Type": "Pass", "Result": 2, "ResultPath": "$.b", "Next": "C"},
                "C": {"Type": "Pass", "Result": 3, "ResultPath": "$.c", "End": true},
            }}),
            Kind::Wait => json!({"StartAt": "W", "States": {
                "W": {"Type": "Wait", "Seconds": 1, "Next": "P"},
                "P": {"Type": "Pass", "End": true},
            }}),
            Kind::Task => json!({"StartAt": "T", "States": {"T": echo}}),
            Kind::Retry => json!({"StartAt": "T", "States": {"T": {
                "Type": "Task",
                "Resource": CHARGE,
                "Retry": [{"ErrorEquals": ["PaymentGatewayBusy"], "IntervalSeconds": 1, "BackoffRate": 1.0}],
                "ResultSelector": {"order.$": "$.orderId", "attempts.$": "$.attempts"},
                "End": true,
            }}}),
            Kind::Map => json!({"StartAt": "M", "States": {"M": {
                "Type": "Map",
                "MaxConcurrency": 2,
                "ItemProcessor": {"StartAt": "T", "States": {"T": echo}},
                "End": true,
            }}}),
        }
    }

    fn input(self, n: usize) -> Value {
        match self {
            Kind::Chain | Kind::Wait | Kind::Task => json!({"n": n}),
            Kind::Retry => json!({
                "orderId": n.to_string(), "amount": 1, "currency": "EUR", "cardToken": "tok_1",
                "failFirstAttempts": BUSY_ATTEMPTS,
            }),
            Kind::Map => json!([n, n + 1, n + 2]),
        }
    }

    fn output(self, n: usize) -> Value {
        match self {
            Kind::Chain => json!({"n": n, "a": 1, "b": 2, "c": 3}),
            Kind::Wait | Kind::Task | Kind::Map => self.input(n),
            Kind::Retry => json!({"order": n.to_string(), "attempts": BUSY_ATTEMPTS + 1}),
        }
    }

    /// What is wrong with a history, beyond the rules for every one.
    fn problems(self, events: &[Value]) -> Vec<String> {
        let scheduled = history::count(events, "LambdaFunctionScheduled");
        let succeeded = history::count(events, "LambdaFunctionSucceeded");
        let expected = match self {
            Kind::Chain | Kind::Wait => (0, 0),
            Kind::Task => (1, 1),
            Kind::Retry => (2, 1),
            Kind::Map => (3, 3),
        };
        let mut problems = Vec::new();
        if (scheduled, succeeded) != expected {
            problems.push(format!("{scheduled} attempts and {succeeded} results"));
        }
        let pauses =
            [("WaitStateEntered", "WaitStateExited"), ("LambdaFunctionFailed", "LambdaFunctionScheduled")];
        for (begin, end) in pauses {
            let (begin, end) = (history::times(events, begin), history::times(events, end));
            if let (Some(begin), Some(end)) = (begin.first(), end.last())
                && end - begin < SECOND
            {
                problems.push(format!("a pause of {} ms and not of a second", end - begin));
            }
        }
        problems
    }
}

/// What the clients know, and nobody else.
#[derive(Debug, Default)]
pub(crate) struct Load {
    machines: BTreeMap<Kind, String>,
    next: AtomicUsize,
    /// Starts whose answer was lost: they may have happened.
    unknown: Mutex<Vec<usize>>,
    /// Acknowledged executions, by ARN.
    acknowledged: Mutex<BTreeMap<String, usize>>,
}

impl Load {
    /// Uploads the modules and creates the machines.
    pub(crate) fn prepare(client: Client) -> Load {
        for module in ["echo", "charge-payment"] {
            client.push(module, &guest(module));
        }
        let machine = |kind: Kind| (kind, client.create(kind.name(), &kind.definition()));
        Load { machines: KINDS.into_iter().map(machine).collect(), ..Load::default() }
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Runs one client until the server is gone.
    pub(crate) fn run_client(&self, client: Client) {
        let mut last = None;
        for _ in 0..STARTS_PER_CLIENT {
            let repeated = self.unknown.lock().unwrap().pop();
            let n = repeated.unwrap_or_else(|| self.next.fetch_add(1, Ordering::Relaxed));
            match self.start(client, n) {
                Some(arn) => last = Some(arn),
                None => return self.unknown.lock().unwrap().push(n),
            }
        }
        let Some(last) = last else { return };
        loop {
            match client.try_call("DescribeExecution", &json!({"executionArn": last})) {
                Ok(_) => {}
                Err(CallError::Lost(_)) => return,
                Err(error) => panic!("an acknowledged execution: {error}"),
            }
        }
    }

    /// Starts an execution; none if the answer was lost.
    fn start(&self, client: Client, n: usize) -> Option<String> {
        let (kind, name) = Load::kind_and_name(n);
        let machine = &self.machines[&kind];
        let input = kind.input(n).to_string();
        let request = json!({"stateMachineArn": machine, "name": name, "input": input});
        let arn = match client.try_call("StartExecution", &request) {
            Ok(started) => started["executionArn"].as_str().unwrap().to_owned(),
            // The lost answer was to say that it was started; meanwhile it has ended.
            Err(CallError::Refused(refused)) if refused.code == "ExecutionAlreadyExists" => {
                format!("{}:{name}", machine.replace(":stateMachine:", ":execution:"))
            }
            Err(CallError::Lost(_)) => return None,
            Err(error) => panic!("StartExecution of {name}: {error}"),
        };
        self.acknowledged.lock().unwrap().insert(arn.clone(), n);
        Some(arn)
    }

    fn kind_and_name(n: usize) -> (Kind, String) {
        let kind = KINDS[n % KINDS.len()];
        (kind, format!("{}-{n}", kind.name()))
    }

    /// The executions that still run.
    pub(crate) fn running(&self, client: Client) -> usize {
        let running = |machine: &String| {
            let request = json!({"stateMachineArn": machine, "statusFilter": "RUNNING", "maxResults": 1});
            client.call("ListExecutions", &request)["executions"].as_array().unwrap().len()
        };
        self.machines.values().map(running).sum()
    }

    /// Everything that is wrong with what the server has, against what the clients know.
    pub(crate) fn problems(&self, client: Client) -> Vec<String> {
        let mut acknowledged = self.acknowledged.lock().unwrap().clone();
        let unknown = self.unknown.lock().unwrap();
        let mut problems = Vec::new();
        for machine in self.machines.values() {
            let request = json!({"stateMachineArn": machine, "maxResults": 1000});
            for execution in client.all_pages("ListExecutions", request, "executions") {
                let arn = execution["executionArn"].as_str().unwrap().to_owned();
                let n = acknowledged.remove(&arn).or_else(|| {
                    unknown
                        .iter()
                        .copied()
                        .find(|n| arn.ends_with(&format!(":{}", Load::kind_and_name(*n).1)))
                });
                match n {
                    Some(n) => problems.extend(check(client, &arn, n).map(|what| format!("{arn}: {what}"))),
                    None => problems.push(format!("{arn}: nobody started it, or it is listed twice")),
                }
            }
        }
        problems.extend(acknowledged.keys().map(|arn| format!("{arn}: acknowledged, and not listed")));
        problems
    }
}

/// What is wrong with one execution.
fn check(client: Client, arn: &str, n: usize) -> impl Iterator<Item = String> {
    let (kind, _) = Load::kind_and_name(n);
    let (shown, events) = (client.describe(arn), client.history(arn));
    let mut problems = history::problems(&events);
    problems.extend(kind.problems(&events));
    let output = shown["output"].as_str().and_then(|output| serde_json::from_str(output).ok());
    if output != Some(kind.output(n)) {
        problems.push(format!("{} with the output {output:?}", shown["status"]));
    }
    if events.last().map(|last| &last["executionSucceededEventDetails"]["output"]) != Some(&shown["output"]) {
        problems.push("its history ends with another output".to_owned());
    }
    problems.into_iter()
}
