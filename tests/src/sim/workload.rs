//! Generated state machines: chains of states of every type, nested, each of which takes `{"n": …}` and gives it.

use serde_json::{Map, Value, json};

use super::random::Random;

/// How deep Parallel and Map states lie in each other.
const DEPTH_MAX: usize = 2;
/// A loop of so many rounds writes more events than one step may.
const LOOP_ROUNDS: i64 = 350;
pub(super) const ACTIVITIES: [&str; 2] = ["approve", "review"];

/// The text of a definition.
pub(super) fn definition(random: &mut Random) -> String {
    let mut generator = Generator { random, names: 0 };
    let mut machine = generator.scope(0);
    if generator.random.chance(300) {
        let seconds = *generator.random.pick(&[120, 600, 86_400]);
        machine["TimeoutSeconds"] = json!(seconds);
    }
    machine.to_string()
}

struct Generator<'a> {
    random: &'a mut Random,
    names: usize,
}

impl Generator<'_> {
    /// A machine, a branch or an item processor.
    fn scope(&mut self, depth: usize) -> Value {
        let mut states = Map::new();
        let blocks = 1 + self.random.below(if depth == 0 { 4 } else { 2 });
        let end = self.name();
        let mut next = end.clone();
        states.insert(end, json!({ "Type": "Succeed" }));
        for _ in 0..blocks {
            next = self.block(depth, &next, &mut states);
        }
        json!({ "StartAt": next, "States": states })
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("S{}", self.names)
    }

    fn put(&mut self, state: Value, states: &mut Map<String, Value>) -> String {
        let name = self.name();
        states.insert(name.clone(), state);
        name
    }

    /// Some states that lead to `next`; gives the first.
    fn block(&mut self, depth: usize, next: &str, states: &mut Map<String, Value>) -> String {
        match self.random.below(if depth < DEPTH_MAX { 20 } else { 14 }) {
            0 => self.put(pass(next, 1), states),
            1..=5 => self.function(next, states),
            6..=8 => self.activity(next, states),
            9 => self.token(next, states),
            10..=11 => {
                let seconds = self.random.between(1..=15);
                self.put(json!({ "Type": "Wait", "Seconds": seconds, "Next": next }), states)
            }
            12 => self.choice(depth, next, states),
            13 => self.rounds(depth, next, states),
            14..=16 => self.parallel(depth, next, states),
            _ => self.map(depth, next, states),
        }
    }

    fn function(&mut self, next: &str, states: &mut Map<String, Value>) -> String {
        let name = *self.random.pick(&["double", "flaky", "broken"]);
        let resource = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
        let mut task = json!({ "Type": "Task", "Resource": resource, "Next": next });
        if self.random.chance(600) {
            task["TimeoutSeconds"] = json!(self.random.between(3..=60));
        }
        if self.random.chance(200) {
            task["HeartbeatSeconds"] = json!(2 + self.random.between(5..=20));
            task["TimeoutSeconds"] = json!(60);
        }
        self.handled(task, next, states)
    }

    fn activity(&mut self, next: &str, states: &mut Map<String, Value>) -> String {
        let resource =
            format!("arn:aws:states:us-east-1:123456789012:activity:{}", self.random.pick(&ACTIVITIES));
        let heartbeat = self.random.between(4..=30);
        let mut task =
            json!({ "Type": "Task", "Resource": resource, "HeartbeatSeconds": heartbeat, "Next": next });
        if self.random.chance(200) {
            task["TimeoutSeconds"] = json!(60 + heartbeat);
        }
        self.handled(task, next, states)
    }

    fn token(&mut self, next: &str, states: &mut Map<String, Value>) -> String {
        let payload = json!({ "n.$": "$.n", "token.$": "$$.Task.Token" });
        let mut task = json!({
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": { "FunctionName": "callback", "Payload": payload },
            "TimeoutSeconds": 90,
            "Next": next,
        });
        if self.random.chance(500) {
            task["HeartbeatSeconds"] = json!(self.random.between(10..=30));
        }
        self.handled(task, next, states)
    }

    /// A task whose timeouts are retried for ever, so that lateness never changes what comes out.
    fn handled(&mut self, mut task: Value, next: &str, states: &mut Map<String, Value>) -> String {
        let interval = self.random.between(1..=3);
        let jitter = if self.random.chance(500) { "FULL" } else { "NONE" };
        task["Retry"] = json!([
            { "ErrorEquals": ["Busy"], "IntervalSeconds": interval, "MaxAttempts": 3, "JitterStrategy": jitter },
            {
                "ErrorEquals": ["States.Timeout", "States.HeartbeatTimeout"],
                "IntervalSeconds": 1,
                "MaxAttempts": 99_999_999,
                "BackoffRate": 1.0,
            },
        ]);
        if self.random.chance(500) {
            task["Catch"] = self.catch(next, states);
        }
        self.put(task, states)
    }

    fn catch(&mut self, next: &str, states: &mut Map<String, Value>) -> Value {
        let handler = self.put(pass(next, 7), states);
        json!([{ "ErrorEquals": ["Broken"], "ResultPath": "$.error", "Next": handler }])
    }

    fn choice(&mut self, depth: usize, next: &str, states: &mut Map<String, Value>) -> String {
        let other = if self.random.chance(200) {
            self.put(json!({ "Type": "Fail", "Error": "Broken", "Cause": "it is broken" }), states)
        } else {
            self.block(depth, next, states)
        };
        let limit = self.random.between(0..=300);
        let rule = json!({ "Variable": "$.n", "NumericLessThan": limit, "Next": other });
        self.put(json!({ "Type": "Choice", "Choices": [rule], "Default": next }), states)
    }

    /// A loop that is long at the top of a machine.
    fn rounds(&mut self, depth: usize, next: &str, states: &mut Map<String, Value>) -> String {
        let is_long = depth == 0 && self.random.chance(300);
        let limit = if is_long { LOOP_ROUNDS } else { self.random.between(1..=8) };
        let (test, body) = (self.name(), self.name());
        let rule = json!({ "Variable": "$.n", "NumericLessThan": limit, "Next": body });
        states.insert(body, pass(&test, 1));
        states.insert(test.clone(), json!({ "Type": "Choice", "Choices": [rule], "Default": next }));
        test
    }

    fn parallel(&mut self, depth: usize, next: &str, states: &mut Map<String, Value>) -> String {
        let branches: Vec<Value> = (0..=1 + self.random.below(2)).map(|_| self.scope(depth + 1)).collect();
        let sum = json!({ "n.$": "States.MathAdd($[0].n, $[1].n)" });
        let fork = json!({ "Type": "Parallel", "Branches": branches, "ResultSelector": sum, "Next": next });
        self.fork(fork, next, states)
    }

    fn map(&mut self, depth: usize, next: &str, states: &mut Map<String, Value>) -> String {
        let mut processor = self.scope(depth + 1);
        let last = self.random.between(1..=if depth == 0 { 6 } else { 3 });
        let is_distributed = self.random.chance(400);
        if is_distributed {
            processor["ProcessorConfig"] = json!({ "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" });
        }
        let mut fork = json!({
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": { "n.$": "States.MathAdd($.n, $$.Map.Item.Value)" },
            "MaxConcurrency": self.random.between(0..=3),
            "ItemProcessor": processor,
            "ResultSelector": { "n.$": "States.MathAdd($[0].n, $[1].n)" },
            "Next": next,
        });
        if is_distributed && self.random.chance(300) {
            fork["ToleratedFailureCount"] = json!(self.random.between(0..=2));
            // How many there are does not depend on what comes first.
            fork["ResultSelector"] = json!({ "n.$": "States.ArrayLength($)" });
        }
        let map = if is_distributed {
            self.map_run(depth, fork, next, states)
        } else {
            self.fork(fork, next, states)
        };
        let items = format!("States.ArrayRange(0, {last}, 1)");
        let items = json!({ "n.$": "$.n", "items.$": items });
        self.put(json!({ "Type": "Pass", "Parameters": items, "Next": map }), states)
    }

    /// A Map Run that fails has an error of its own. Within a branch it becomes the one that every failure has here, so
    /// that it does not matter which of two branches fails first. Elsewhere it may stand, for a redrive to go on.
    fn map_run(
        &mut self,
        depth: usize,
        mut map: Value,
        next: &str,
        states: &mut Map<String, Value>,
    ) -> String {
        const ERROR: &str = "States.ExceedToleratedFailureThreshold";
        if self.random.chance(300) {
            map["Retry"] = json!([{ "ErrorEquals": [ERROR], "IntervalSeconds": 1, "MaxAttempts": 1 }]);
        }
        let handler = if self.random.chance(600) {
            pass(next, 7)
        } else if depth == 0 {
            return self.put(map, states);
        } else {
            json!({ "Type": "Fail", "Error": "Broken", "Cause": "it is broken" })
        };
        let handler = self.put(handler, states);
        map["Catch"] = json!([{ "ErrorEquals": [ERROR], "ResultPath": "$.error", "Next": handler }]);
        self.put(map, states)
    }

    fn fork(&mut self, mut fork: Value, next: &str, states: &mut Map<String, Value>) -> String {
        if self.random.chance(300) {
            fork["Retry"] = json!([{ "ErrorEquals": ["Broken"], "IntervalSeconds": 1, "MaxAttempts": 1 }]);
        }
        if self.random.chance(600) {
            fork["Catch"] = self.catch(next, states);
        }
        self.put(fork, states)
    }
}

fn pass(next: &str, add: i64) -> Value {
    let sum = format!("States.MathAdd($.n, {add})");
    json!({ "Type": "Pass", "Parameters": { "n.$": sum }, "Next": next })
}
