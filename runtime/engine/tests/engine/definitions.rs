//! Stored definitions that the rules of this version take for invalid, as those of a later one may.

use engine::{RedriveExecution, UpdateStateMachine};
use store::{Batch, Change};

use super::*;

/// Writes another text over that of a machine's revision.
async fn store_definition(world: &World, machine: &str, text: &str) {
    let machine = world.store.machine(machine).await.unwrap().unwrap();
    let mut revision = world.store.revision(machine.revision).await.unwrap().unwrap();
    revision.definition = text.into();
    let mut batch = Batch::new(0, 1);
    batch.revisions.insert(machine.revision, Change::Put(revision));
    world.store.commit(batch).await.unwrap();
}

#[tokio::test]
async fn an_invalid_definition_stops_its_own_executions_only() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let other = world.create("double", DOUBLE).await;
    let started = world.start(&machine, None, "1").await.unwrap();
    store_definition(&world, "approve", r#"{"StartAt": "A", "States": {"A": {"Type": "Tusk"}}}"#).await;
    let world = world.restart().await;

    let Err(Refusal::StoredDefinitionInvalid { why }) = world.start(&machine, None, "2").await else {
        panic!("an execution is started of what cannot run")
    };
    assert!(why.starts_with(&format!("The stored definition of {machine} is not valid: ")), "{why}");
    assert!(world.handle.get_activity_task(arn.clone(), None).await.unwrap().is_none());
    let record = world.ended(&started).await;
    let error = record.error.clone().unwrap();
    assert_eq!((record.status, error.error.as_deref()), (ExecutionStatus::Failed, Some("States.Runtime")));
    assert_eq!(error.cause, Some(why.clone()));
    let redrive = RedriveExecution { arn: started.arn.clone(), token: None };
    let refused = world.handle.redrive_execution(redrive.clone()).await;
    assert_eq!(refused, Err(Refusal::StoredDefinitionInvalid { why: why.clone() }));
    let doubled = world.start(&other, None, "5").await.unwrap();
    assert_eq!(world.ended(&doubled).await.output.unwrap().text(), "20");

    // An update of something else leaves the definition as it is.
    let update = |definition| UpdateStateMachine {
        arn: machine.clone(),
        definition,
        role_arn: Some("arn:aws:iam::123456789012:role/other".to_owned()),
        logging: None,
        tracing: None,
        encryption: None,
        publish: None,
    };
    world.handle.update_state_machine(update(None)).await.unwrap();
    let refused = world.start(&machine, None, "2").await;
    assert_eq!(refused, Err(Refusal::StoredDefinitionInvalid { why }));
    let parsed = asl::definition::parse(DOUBLE, MachineType::Standard).definition.unwrap();
    world.handle.update_state_machine(update(Some((DOUBLE.into(), Arc::new(parsed))))).await.unwrap();
    let started = world.start(&machine, None, "5").await.unwrap();
    assert_eq!(world.ended(&started).await.output.unwrap().text(), "20");
}

#[tokio::test]
async fn what_an_invalid_definition_has_stopped_goes_on_when_it_can_be_read_again() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let started = world.start(&machine, None, "1").await.unwrap();
    store_definition(&world, "approve", "{}").await;
    let world = world.restart().await;
    assert!(world.handle.get_activity_task(arn.clone(), None).await.unwrap().is_none());
    assert_eq!(world.ended(&started).await.status, ExecutionStatus::Failed);
    store_definition(&world, "approve", ACTIVITY).await;
    let world = world.restart().await;
    let redrive = RedriveExecution { arn: started.arn.clone(), token: None };
    world.handle.redrive_execution(redrive).await.unwrap();
    let task = world.handle.get_activity_task(arn, None).await.unwrap().unwrap();
    world.handle.send_task_success(&task.token, Data::parse("true").unwrap()).await.unwrap();
    assert_eq!(world.ended(&started).await.output.unwrap().text(), "true");
}
