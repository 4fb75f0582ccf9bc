//! Map Runs that are redriven with their executions.

use super::*;

/// A distributed Map over the input, with children of one type.
fn distributed(execution_type: &str, concurrency: u32, states: Value) -> String {
    let config = json!({"Mode": "DISTRIBUTED", "ExecutionType": execution_type});
    let processor = json!({"ProcessorConfig": config, "StartAt": "I", "States": states});
    let map = json!({
        "Type": "Map", "Label": "run", "MaxConcurrency": concurrency, "ItemProcessor": processor, "End": true,
    });
    json!({"StartAt": "M", "QueryLanguage": "JSONata", "States": {"M": map}}).to_string()
}

/// Fails for odd items until the child is redriven.
fn odd_fails() -> Value {
    let output = "{% $states.input % 2 = 1 and $states.context.Execution.RedriveCount = 0 ? $error('odd') : $states.input %}";
    json!({"I": {"Type": "Pass", "Output": output, "End": true}})
}

fn waiting() -> Value {
    json!({"I": {"Type": "Wait", "Seconds": 1000, "End": true}})
}

struct Run<'a> {
    server: &'a Server,
    execution: String,
    arn: String,
}

impl<'a> Run<'a> {
    async fn start(server: &'a Server, definition: &str, input: &Value) -> Run<'a> {
        let machine = server.create("m", definition).await;
        let start = json!({"stateMachineArn": machine, "input": input.to_string()});
        let started = server.call("StartExecution", start).await;
        let execution = started["executionArn"].as_str().unwrap().to_owned();
        let run = until(async || {
            let runs = server.call("ListMapRuns", json!({"executionArn": execution})).await;
            runs["mapRuns"][0]["mapRunArn"].as_str().map(str::to_owned)
        });
        let arn = run.await;
        Run { server, execution, arn }
    }

    async fn redrive(&self) -> Value {
        self.server.call("RedriveExecution", json!({"executionArn": self.execution})).await["redriveDate"]
            .clone()
    }

    async fn stop(&self) {
        self.server.call("StopExecution", json!({"executionArn": self.execution})).await;
    }

    async fn ended(&self) -> Value {
        let ended = until(async || {
            let shown = self.server.call("DescribeExecution", json!({"executionArn": self.execution})).await;
            (shown["status"] != "RUNNING").then_some(shown)
        });
        ended.await
    }

    async fn shown(&self) -> Value {
        self.server.call("DescribeMapRun", json!({"mapRunArn": self.arn})).await
    }

    async fn update(&self, concurrency: u32) {
        self.server.call("UpdateMapRun", json!({"mapRunArn": self.arn, "maxConcurrency": concurrency})).await;
    }

    /// Waits until so many children are of these statuses, in the counts and in the lists; what is not named is none.
    async fn reach(&self, counts: &[(&str, &str, u32)]) {
        for (member, status, count) in counts {
            until(async || {
                let shown = self.shown().await;
                let counted = shown["executionCounts"][*member].as_u64() == Some(u64::from(*count));
                let listed = self.children(json!({"statusFilter": status})).await.len() == *count as usize;
                (counted && listed).then_some(())
            })
            .await;
        }
    }

    async fn children(&self, mut members: Value) -> Vec<Value> {
        members["mapRunArn"] = json!(self.arn);
        members["maxResults"] = json!(2);
        let mut found = Vec::new();
        loop {
            let page = self.server.call("ListExecutions", members.clone()).await;
            found.extend(page["executions"].as_array().unwrap().clone());
            if page["nextToken"].is_null() {
                return found;
            }
            members["nextToken"] = page["nextToken"].clone();
        }
    }

    async fn describe(&self, child: &Value) -> Value {
        self.server.call("DescribeExecution", json!({"executionArn": child["executionArn"]})).await
    }

    async fn events(&self, arn: &Value) -> Vec<String> {
        let history = self.server.call("GetExecutionHistory", json!({"executionArn": arn})).await;
        let events = history["events"].as_array().unwrap();
        let ids: Vec<u64> = events.iter().map(|event| event["id"].as_u64().unwrap()).collect();
        assert!((1..).zip(&ids).all(|(expected, id)| expected == *id), "{ids:?}");
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

async fn until<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_same_map_run_goes_on_with_what_did_not_succeed() {
    let server = Server::start().await;
    let run = Run::start(&server, &distributed("STANDARD", 1, odd_fails()), &json!([0, 1, 2, 4])).await;
    assert_eq!(run.ended().await["status"], "FAILED");
    let failed = run.shown().await;
    assert_eq!(failed["status"], "FAILED");
    assert!(failed.get("redriveCount").is_none(), "{failed}");
    let counts = &failed["executionCounts"];
    assert_eq!(
        (&counts["succeeded"], &counts["failed"], &counts["pending"]),
        (&json!(1), &json!(1), &json!(2))
    );

    let redriven_at = run.redrive().await;
    let ended = run.ended().await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("SUCCEEDED"), &json!("[0,1,2,4]")), "{ended}");
    let runs = server.call("ListMapRuns", json!({"executionArn": run.execution})).await;
    assert_eq!(runs["mapRuns"].as_array().unwrap().len(), 1, "it is the same Map Run");
    let shown = run.shown().await;
    assert_eq!((&shown["status"], &shown["redriveCount"]), (&json!("SUCCEEDED"), &json!(1)));
    assert_eq!((&shown["redriveDate"], &shown["startDate"]), (&redriven_at, &failed["startDate"]));
    for counts in [&shown["executionCounts"], &shown["itemCounts"]] {
        assert_eq!((&counts["succeeded"], &counts["total"]), (&json!(4), &json!(4)));
        assert_eq!((&counts["failed"], &counts["pendingRedrive"]), (&json!(0), &json!(0)));
    }

    let redriven = run.children(json!({"redriveFilter": "REDRIVEN"})).await;
    let [redriven] = &redriven[..] else { panic!("one child was redriven: {redriven:?}") };
    assert_eq!((&redriven["redriveCount"], &redriven["status"]), (&json!(1), &json!("SUCCEEDED")));
    assert_eq!(run.children(json!({"redriveFilter": "NOT_REDRIVEN"})).await.len(), 3);
    assert_eq!(
        run.events(&redriven["executionArn"]).await,
        [
            "ExecutionStarted",
            "PassStateEntered",
            "EvaluationFailed",
            "ExecutionFailed",
            "ExecutionRedriven",
            "PassStateExited",
            "ExecutionSucceeded",
        ],
    );
    let events = run.events(&json!(run.execution)).await;
    let tail: Vec<&str> =
        events.iter().map(String::as_str).skip_while(|kind| *kind != "ExecutionFailed").collect();
    assert_eq!(
        tail,
        [
            "ExecutionFailed",
            "ExecutionRedriven",
            "MapRunRedriven",
            "MapRunSucceeded",
            "MapStateSucceeded",
            "MapStateExited",
            "ExecutionSucceeded",
        ],
    );
    assert_eq!(events.iter().filter(|kind| *kind == "MapRunStarted").count(), 1);
}

#[tokio::test]
async fn children_wait_for_their_redrive_until_there_is_room() {
    let server = Server::start().await;
    let run = Run::start(&server, &distributed("STANDARD", 0, waiting()), &json!([1, 2, 3])).await;
    run.reach(&[("running", "RUNNING", 3)]).await;
    run.update(1).await;
    run.stop().await;
    run.reach(&[("aborted", "ABORTED", 3)]).await;
    let child = run.children(json!({})).await.swap_remove(0);
    let shown = run.describe(&child).await;
    assert_eq!(shown["redriveStatus"], "REDRIVABLE_BY_MAP_RUN");
    let (status, refused) =
        server.try_call("RedriveExecution", json!({"executionArn": child["executionArn"]})).await;
    assert_eq!((status.as_u16(), &refused["__type"]), (400, &json!("ExecutionNotRedrivable")));
    server
        .refused(
            "UpdateMapRun",
            json!({"mapRunArn": run.arn, "maxConcurrency": 2}),
            "ValidationException",
            "Map Run has already completed and cannot be updated.",
        )
        .await;

    run.redrive().await;
    run.reach(&[
        ("running", "RUNNING", 1),
        ("pendingRedrive", "PENDING_REDRIVE", 2),
        ("aborted", "ABORTED", 0),
    ])
    .await;
    assert_eq!(run.shown().await["executionCounts"]["total"], 3);
    let pending = run.children(json!({"statusFilter": "PENDING_REDRIVE"})).await.swap_remove(0);
    let shown = run.describe(&pending).await;
    assert_eq!(
        (&shown["status"], &shown["redriveStatus"]),
        (&json!("PENDING_REDRIVE"), &json!("NOT_REDRIVABLE"))
    );
    run.update(2).await;
    run.reach(&[("running", "RUNNING", 2), ("pendingRedrive", "PENDING_REDRIVE", 1)]).await;

    // Those whose redrive does not come are what they were.
    run.stop().await;
    run.reach(&[
        ("aborted", "ABORTED", 3),
        ("pendingRedrive", "PENDING_REDRIVE", 0),
        ("running", "RUNNING", 0),
    ])
    .await;
    let shown = run.shown().await;
    assert_eq!((&shown["status"], &shown["redriveCount"]), (&json!("ABORTED"), &json!(1)));
    assert_eq!(run.children(json!({"redriveFilter": "REDRIVEN"})).await.len(), 2);
    run.redrive().await;
    run.reach(&[("running", "RUNNING", 2), ("pendingRedrive", "PENDING_REDRIVE", 1)]).await;
    assert_eq!(run.shown().await["redriveCount"], 2);
}

#[tokio::test]
async fn express_children_begin_anew() {
    let server = Server::start().await;
    let task = json!({"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:later", "End": true});
    let states = json!({"I": {"Type": "Pass", "Next": "T"}, "T": task});
    let run = Run::start(&server, &distributed("EXPRESS", 0, states), &json!(["x"])).await;
    assert_eq!(run.ended().await["status"], "FAILED");
    let child = run.children(json!({})).await.swap_remove(0);
    assert_eq!(run.describe(&child).await["redriveStatus"], "REDRIVABLE_BY_MAP_RUN");
    run.redrive().await;
    assert_eq!(run.ended().await["output"], r#"["x"]"#);
    let redriven = run.children(json!({})).await.swap_remove(0);
    assert_eq!(redriven["executionArn"], child["executionArn"]);
    assert_eq!((&redriven["status"], &redriven["redriveCount"]), (&json!("SUCCEEDED"), &json!(1)));
    let attempt = [
        "PassStateEntered",
        "PassStateExited",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
    ];
    let first = [&["ExecutionStarted"][..], &attempt, &["LambdaFunctionFailed", "ExecutionFailed"]].concat();
    let second = [
        &["ExecutionRedriven"][..],
        &attempt,
        &["LambdaFunctionSucceeded", "TaskStateExited", "ExecutionSucceeded"],
    ];
    assert_eq!(run.events(&redriven["executionArn"]).await, [first, second.concat()].concat());
}
