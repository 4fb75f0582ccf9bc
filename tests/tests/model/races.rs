//! Clients that want the same thing at the same time: one of them gets it, and all are told the same.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};
use store::MemoryStore;
use tests::model::{Answer, Port};

use crate::service::Service;

const ROUNDS: usize = 40;
const RIVALS: usize = 6;
const ROLE: &str = "arn:aws:iam::123456789012:role/first";
const WAIT: &str = r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100000, "End": true}}}"#;

/// Makes all calls at once; gives their answers in the same order.
fn race(service: &Service, operation: &str, calls: &[Value]) -> Vec<Answer> {
    let begin = Barrier::new(calls.len());
    thread::scope(|scope| {
        let call = |members| {
            let begin = &begin;
            scope.spawn(move || {
                begin.wait();
                service.call(operation, members).unwrap()
            })
        };
        let calls: Vec<_> = calls.iter().map(call).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

fn call(service: &Service, operation: &str, members: &Value) -> Value {
    let answer = service.call(operation, members).unwrap();
    assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
    answer.body
}

/// Of rivals of two kinds, those of one kind win and get the same answer, and the others are refused with the code.
fn check_one_kind_wins(answers: &[Answer], code: &str) {
    let (won, lost): (Vec<_>, Vec<_>) =
        answers.iter().enumerate().partition(|(_, answer)| answer.status == 200);
    let kinds: BTreeSet<usize> = won.iter().map(|(at, _)| at % 2).collect();
    assert_eq!((kinds.len(), won.len()), (1, answers.len() / 2), "{answers:?}");
    assert!(won.iter().all(|(_, answer)| *answer == won[0].1), "{answers:?}");
    assert!(lost.iter().all(|(_, answer)| answer.body["__type"] == code), "{answers:?}");
}

fn work(service: &Service) -> (Value, String) {
    let activity = call(service, "CreateActivity", &json!({"name": "a"}))["activityArn"].clone();
    let definition =
        json!({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": true}}});
    let machine = json!({"name": "work", "definition": definition.to_string(), "roleArn": ROLE});
    let machine =
        call(service, "CreateStateMachine", &machine)["stateMachineArn"].as_str().unwrap().to_owned();
    (activity, machine)
}

#[test]
fn one_definition_and_one_input_win() {
    let service = Service::start(MemoryStore::new(1));
    for round in 0..ROUNDS {
        let definition = |rival: usize| WAIT.replace("100000", &(100_000 + rival % 2).to_string());
        let machine =
            |rival| json!({"name": format!("m{round}"), "definition": definition(rival), "roleArn": ROLE});
        let machines: Vec<Value> = (0..RIVALS).map(machine).collect();
        let answers = race(&service, "CreateStateMachine", &machines);
        check_one_kind_wins(&answers, "StateMachineAlreadyExists");

        let arn = answers.iter().find(|answer| answer.status == 200).unwrap().body["stateMachineArn"].clone();
        let start =
            |rival: usize| json!({"stateMachineArn": arn, "name": "e", "input": (rival % 2).to_string()});
        let starts: Vec<Value> = (0..RIVALS).map(start).collect();
        check_one_kind_wins(&race(&service, "StartExecution", &starts), "ExecutionAlreadyExists");

        // One version of a revision, whoever publishes it.
        let publish = vec![json!({"stateMachineArn": arn}); RIVALS];
        let answers = race(&service, "PublishStateMachineVersion", &publish);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(answers[0].body["stateMachineVersionArn"], format!("{}:1", arn.as_str().unwrap()));
    }
    service.stop();
}

#[test]
fn one_answer_of_a_task_is_taken() {
    let service = Service::start(MemoryStore::new(1));
    let (activity, machine) = work(&service);
    for _ in 0..ROUNDS {
        let started = call(&service, "StartExecution", &json!({"stateMachineArn": machine}));
        let task = call(&service, "GetActivityTask", &json!({"activityArn": activity}));
        let answer = |rival: usize| json!({"taskToken": task["taskToken"], "output": rival.to_string()});
        let answers: Vec<Value> = (0..RIVALS).map(answer).collect();
        let answers = race(&service, "SendTaskSuccess", &answers);
        let taken: Vec<usize> = (0..RIVALS).filter(|rival| answers[*rival].status == 200).collect();
        assert_eq!(taken.len(), 1, "{answers:?}");
        let refused = answers.iter().filter(|answer| answer.body["__type"] == "TaskTimedOut").count();
        assert_eq!(refused, RIVALS - 1, "{answers:?}");
        let shown = call(&service, "DescribeExecution", &json!({"executionArn": started["executionArn"]}));
        assert_eq!(shown["output"], taken[0].to_string());
    }
    service.stop();
}

#[test]
fn one_worker_gets_a_task() {
    let service = Service::start(MemoryStore::new(1));
    let (activity, machine) = work(&service);
    for round in 0..ROUNDS {
        let input = json!({"stateMachineArn": machine, "input": round.to_string()});
        let started = call(&service, "StartExecution", &input);
        let polls = vec![json!({"activityArn": activity}); RIVALS];
        let answers = race(&service, "GetActivityTask", &polls);
        let inputs: Vec<&Value> = answers.iter().map(|answer| &answer.body["input"]).collect();
        assert_eq!(
            inputs.iter().filter(|input| ***input == json!(round.to_string())).count(),
            1,
            "{answers:?}"
        );
        assert_eq!(inputs.iter().filter(|input| input.is_null()).count(), RIVALS - 1, "{answers:?}");
        call(&service, "StopExecution", &json!({"executionArn": started["executionArn"]}));
    }
    service.stop();
}

#[test]
fn an_execution_is_stopped_or_answered() {
    let service = Service::start(MemoryStore::new(1));
    let (activity, machine) = work(&service);
    for _ in 0..ROUNDS {
        let started = call(&service, "StartExecution", &json!({"stateMachineArn": machine}));
        let task = call(&service, "GetActivityTask", &json!({"activityArn": activity}));
        let execution = json!({"executionArn": started["executionArn"]});
        let answer = json!({"taskToken": task["taskToken"], "output": "1"});
        let begin = Barrier::new(2);
        let (answered, stopped) = thread::scope(|scope| {
            let stop = scope.spawn(|| {
                begin.wait();
                call(&service, "StopExecution", &execution)
            });
            begin.wait();
            (service.call("SendTaskSuccess", &answer).unwrap(), stop.join().unwrap())
        });
        let shown = call(&service, "DescribeExecution", &execution);
        let expected = if answered.status == 200 { "SUCCEEDED" } else { "ABORTED" };
        assert_eq!((&shown["status"], &shown["stopDate"]), (&json!(expected), &stopped["stopDate"]));
    }
    service.stop();
}
