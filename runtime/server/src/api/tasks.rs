//! The API for tasks: what a workflow asks of Step Functions itself, without HTTP between.

use std::sync::Weak;

use asl::Data;
use engine::shard::TaskKey;
use engine::{Refusal, StartAnswer, StartForTask};
use executors::{ServiceError, StepFunctions};
use serde_json::{Map, Value};
use store::Store;
use tokio::sync::SetOnce;

use super::dispatch::dispatch;
use super::error::ApiError;
use super::fields::Fields;
use super::start_execution;
use crate::app::App;

/// The API, once it is there: the engine needs its executor before it can answer anything. The server owns it, since
/// the executor is a part of what the API holds.
#[derive(Debug)]
pub(crate) struct TaskCalls<S>(pub(crate) Weak<SetOnce<App<S>>>);

impl<S: Store + Clone> TaskCalls<S> {
    async fn app(&self) -> Result<App<S>, ServiceError> {
        match self.0.upgrade() {
            Some(api) => Ok(api.wait().await.clone()),
            None => Err(error(&Refusal::Stopping.into())),
        }
    }
}

impl<S: Store + Clone> StepFunctions for TaskCalls<S> {
    async fn call(&self, operation: &str, members: Map<String, Value>) -> Result<Value, ServiceError> {
        let app = self.app().await?;
        dispatch(&app, operation, Fields::of(members)).await.map_err(|refused| error(&refused))
    }

    async fn start(
        &self,
        task: TaskKey,
        members: Map<String, Value>,
        is_awaited: bool,
        answer: StartAnswer,
    ) -> Result<Data, ServiceError> {
        let app = self.app().await?;
        let start = start_execution::read(Fields::of(members)).map_err(|refused| error(&refused))?;
        let request = StartForTask { task, start: start.clone(), is_awaited, answer: answer.clone() };
        match app.engine().start_for_task(request).await {
            Ok(started) => Ok(answer.of(started.arn.as_str(), started.at)),
            Err(Refusal::ExpressNotSupported) if !is_awaited => {
                let (arn, at) =
                    start_execution::start_express(&app, start).await.map_err(|refused| error(&refused))?;
                Ok(answer.of(&arn, at))
            }
            Err(refusal) => Err(error(&refusal.into())),
        }
    }
}

fn error(error: &ApiError) -> ServiceError {
    ServiceError {
        code: error.code().to_owned(),
        message: error.message().to_owned(),
        status: error.status().as_u16(),
    }
}
