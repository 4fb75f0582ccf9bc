//! Redriving: what goes on, from where, and what comes to nothing.

use asl::Timestamp;
use engine::{NotRedrivable, RedriveExecution};
use store::{Batch, Change};

use super::*;

async fn redrive(world: &World, started: &Started, token: &str) -> Result<Timestamp, Refusal> {
    let request = RedriveExecution { arn: started.arn.clone(), token: Some(token.to_owned()) };
    world.handle.redrive_execution(request).await
}

fn refused(why: NotRedrivable) -> Result<Timestamp, Refusal> {
    Err(Refusal::ExecutionNotRedrivable(why))
}

async fn stop(world: &World, started: &Started) {
    let stop = StopExecution { arn: started.arn.clone(), reason: ErrorOutput::default() };
    world.handle.stop_execution(stop).await.unwrap();
}

async fn fail(world: &World, arn: &ActivityArn) -> String {
    let task = world.handle.get_activity_task(arn.clone(), None).await.unwrap().unwrap();
    world.handle.send_task_failure(&task.token, ErrorOutput::new("No", "not today")).await.unwrap();
    task.token
}

async fn succeed(world: &World, arn: &ActivityArn) {
    let task = world.handle.get_activity_task(arn.clone(), None).await.unwrap().unwrap();
    world.handle.send_task_success(&task.token, Data::parse("true").unwrap()).await.unwrap();
}

/// Whether the store has a state of the execution.
async fn is_kept(world: &World, started: &Started) -> bool {
    world.store.load_state(started.id).await.unwrap().is_some()
}

async fn listed(world: &World, status: ExecutionStatus) -> usize {
    let machine = world.store.machine("approve").await.unwrap().unwrap();
    let page = world.store.list_executions(machine.machine_id, Some(status), None, 10).await.unwrap();
    page.items.len()
}

#[tokio::test]
async fn a_failed_task_is_done_anew_with_a_new_token() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let started = world.start(&machine, Some("one"), "1").await.unwrap();
    assert_eq!(redrive(&world, &started, "a").await, refused(NotRedrivable::Running));
    let old_token = fail(&world, &arn).await;
    let failed = world.ended(&started).await;
    assert!(is_kept(&world, &started).await);
    let at = redrive(&world, &started, "a").await.unwrap();
    assert_eq!(redrive(&world, &started, "a").await, Ok(at), "the same request");
    assert_eq!(redrive(&world, &started, "b").await, refused(NotRedrivable::Running));
    let running = world.store.execution(started.id).await.unwrap().unwrap();
    assert_eq!((running.status, running.redrive_count), (ExecutionStatus::Running, 1));
    assert_eq!((running.redriven_at, running.stopped_at, running.error), (Some(at), None, None));
    assert_eq!((running.started_at, running.input), (failed.started_at, failed.input));
    assert_eq!(
        (listed(&world, ExecutionStatus::Running).await, listed(&world, ExecutionStatus::Failed).await),
        (1, 0)
    );
    let late = world.handle.send_task_success(&old_token, Data::parse("false").unwrap()).await;
    assert_eq!(late, Err(Refusal::TaskTimedOut));
    succeed(&world, &arn).await;
    let record = world.ended(&started).await;
    assert_eq!(record.output.as_ref().unwrap().text(), "true");
    assert_eq!(
        redrive(&world, &started, "a").await,
        Ok(at),
        "the same request, however the execution ended since"
    );
    assert_eq!(redrive(&world, &started, "b").await, refused(NotRedrivable::Succeeded));
    let events = world.events(&started, &record).await;
    assert_eq!(events.len(), record.event_count as usize);
    let redriven =
        events.iter().filter(|event| matches!(event, HistoryKind::ExecutionRedriven { redrive_count: 1 }));
    assert_eq!(redriven.count(), 1);
    assert!(!is_kept(&world, &started).await, "nothing is kept of what has succeeded");
    assert_eq!(world.store.next_timer().await.unwrap(), None);
}

#[tokio::test]
async fn a_redrive_outlives_restarts_before_and_after_it() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let started = world.start(&machine, None, "1").await.unwrap();
    for count in 1..=12 {
        fail(&world, &arn).await;
        world.ended(&started).await;
        redrive(&world, &started, &count.to_string()).await.unwrap();
    }
    fail(&world, &arn).await;
    world.ended(&started).await;
    let world = world.restart().await;
    let at = redrive(&world, &started, "last").await.unwrap();
    let world = world.restart().await;
    assert_eq!(redrive(&world, &started, "last").await, Ok(at));
    assert_eq!(
        redrive(&world, &started, "2").await,
        refused(NotRedrivable::Running),
        "it is none of the last ten"
    );
    assert!(redrive(&world, &started, "5").await.is_ok(), "and this one is");
    succeed(&world, &arn).await;
    let record = world.ended(&started).await;
    assert_eq!((record.status, record.redrive_count), (ExecutionStatus::Succeeded, 13));
}

#[tokio::test]
async fn an_execution_is_redriven_as_soon_as_it_is_stopped() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let started = world.start(&machine, None, "1").await.unwrap();
    stop(&world, &started).await;
    redrive(&world, &started, "a").await.unwrap();
    stop(&world, &started).await;
    let record = world.ended(&started).await;
    assert_eq!((record.status, record.redrive_count), (ExecutionStatus::Aborted, 1));
    redrive(&world, &started, "b").await.unwrap();
    succeed(&world, &arn).await;
    assert_eq!(world.ended(&started).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn a_machine_that_is_deleted_redrives_nothing() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let started = world.start(&machine, None, "1").await.unwrap();
    fail(&world, &arn).await;
    world.ended(&started).await;
    world.handle.delete_state_machine(machine).await.unwrap();
    assert_eq!(redrive(&world, &started, "a").await, refused(NotRedrivable::Deleting));
    world.create("approve", ACTIVITY).await;
    assert_eq!(
        redrive(&world, &started, "a").await,
        refused(NotRedrivable::Deleting),
        "the name alone is not enough"
    );
}

#[tokio::test]
async fn what_ended_before_there_were_redrives_says_so() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let started = world.start(&machine, Some("one"), "1").await.unwrap();
    fail(&world, &arn).await;
    let mut record = world.ended(&started).await;
    let world = world.restart().await;
    // What an earlier version left: a record without redrives, and no rows.
    record.redrives = None;
    let state = world.store.load_state(started.id).await.unwrap().unwrap();
    let rows = state.rows.keys().copied().chain([asl::interpreter::RowId::EXECUTION]);
    let mut batch = Batch::new(0, 1);
    batch.state.extend(rows.map(|row| (store::RowKey { execution: started.id, row }, Change::Delete)));
    batch.executions.insert(started.id, Change::Put(record.clone()));
    world.store.commit(batch).await.unwrap();
    assert_eq!(redrive(&world, &started, "a").await, refused(NotRedrivable::BeforeLaunch));
    assert_eq!(listed(&world, ExecutionStatus::Failed).await, 1);
}

#[tokio::test]
async fn a_redriven_parent_starts_another_child() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let child = world.create("approve", ACTIVITY).await;
    let machine = parent(&world, ".sync", &child).await;
    let started = start_parent(&world, &machine, &child).await;
    fail(&world, &arn).await;
    world.ended(&started).await;
    redrive(&world, &started, "a").await.unwrap();
    succeed(&world, &arn).await;
    assert_eq!(world.ended(&started).await.status, ExecutionStatus::Succeeded);
    let mut children = children(&world).await;
    children.sort();
    assert_eq!(children, [ExecutionStatus::Succeeded, ExecutionStatus::Failed]);
}

#[tokio::test]
async fn a_child_that_is_redriven_is_none_of_its_parents_affairs() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let parents = parent(&world, ".sync", &machine).await;
    let started = start_parent(&world, &parents, &machine).await;
    fail(&world, &arn).await;
    let failed = world.ended(&started).await;
    let listing = world.store.machine("approve").await.unwrap().unwrap().machine_id;
    let page = world.store.list_executions(listing, None, None, 10).await.unwrap();
    let (id, child) = &page.items[0];
    let child = Started { id: *id, arn: ExecutionArn::parse(&child.arn).unwrap(), at: child.started_at };
    redrive(&world, &child, "a").await.unwrap();
    succeed(&world, &arn).await;
    assert_eq!(world.ended(&child).await.status, ExecutionStatus::Succeeded);
    let world = world.restart().await;
    assert_eq!(world.store.execution(started.id).await.unwrap().unwrap(), failed);
    assert_eq!(world.store.dispatched(None, 10).await.unwrap(), []);
}
