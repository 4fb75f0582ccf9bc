//! The part of Amazon EventBridge's API that HTTP tasks need: connections.

mod connection;
mod create_connection;
mod delete_connection;
mod describe_connection;
mod list_connections;
mod parameters;
mod update_connection;

pub(crate) use connection::Kept;

use store::Store;

use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::Fields;
use crate::app::App;

/// What `X-Amz-Target` begins with for EventBridge.
pub(super) const TARGET_PREFIX: &str = "AWSEvents.";

/// `operation` has its prefix.
pub(super) async fn dispatch<S: Store + Clone>(app: &App<S>, operation: &str, fields: Fields) -> Answer {
    match operation.strip_prefix(TARGET_PREFIX) {
        Some("CreateConnection") => Box::pin(create_connection::answer(app, fields)).await,
        Some("DeleteConnection") => Box::pin(delete_connection::answer(app, fields)).await,
        Some("DescribeConnection") => Box::pin(describe_connection::answer(app, fields)).await,
        Some("ListConnections") => Box::pin(list_connections::answer(app, fields)).await,
        Some("UpdateConnection") => Box::pin(update_connection::answer(app, fields)).await,
        Some(operation) => Err(ApiError::new(
            "UnknownOperationException",
            format!(
                "Of EventBridge, Stepwell has connections only; it does not have the operation {operation}."
            ),
        )),
        None => {
            Err(ApiError::new("UnknownOperationException", format!("There is no operation '{operation}'.")))
        }
    }
}
