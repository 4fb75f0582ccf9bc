//! A function with thousands of attempts that wait does not keep another's from running.

use engine::arn::StateMachineArn;

use super::*;

/// More than there are places.
const BACKLOG: usize = 5_000;
const OTHERS: usize = 200;

fn calls(function: &str) -> String {
    format!(
        r#"{{"StartAt": "A", "States": {{"A": {{"Type": "Task", "End": true,
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:{function}"}}}}}}"#
    )
}

async fn start_all(world: &World, machine: &StateMachineArn, count: usize) -> Vec<Started> {
    let starts = (0..count)
        .map(|number| async move { world.start(machine, None, &number.to_string()).await.unwrap() });
    futures::future::join_all(starts).await
}

async fn all_succeed(world: &World, executions: &[Started]) {
    for execution in executions {
        let ended = tokio::time::timeout(PATIENCE, world.ended(execution)).await.expect("it ends");
        assert_eq!(ended.status, ExecutionStatus::Succeeded);
    }
}

/// The attempts of one function are not answered before those of the other have all ended, so this ends only if they
/// have places: those that come later, and those that a restart finds behind the others.
#[tokio::test]
async fn a_backlog_of_one_function_leaves_another_ones_tasks_flowing() {
    let world = World::new().await;
    let held = world.create("held", &calls("held")).await;
    let quick = world.create("quick", &calls("double")).await;
    let backlog = start_all(&world, &held, BACKLOG).await;
    let others = start_all(&world, &quick, OTHERS).await;
    all_succeed(&world, &others).await;

    let world = world.restart().await;
    let others = start_all(&world, &quick, OTHERS).await;
    all_succeed(&world, &others).await;
    world.functions.released.cancel();
    all_succeed(&world, &backlog).await;
}
