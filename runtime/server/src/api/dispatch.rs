//! `POST /`: reads the operation's name, hands its members to the operation, and writes the answer.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use store::Store;
use tracing::Instrument;
use uuid::Uuid;

use super::error::{ApiError, CONTENT_TYPE};
use super::fields::Fields;
use super::*;
use crate::app::App;
use crate::limits::{BODY_TIMEOUT, REQUEST_BYTES_MAX};

const TARGET_PREFIX: &str = "AWSStepFunctions.";

/// What an operation answers.
pub(super) type Answer = Result<Value, ApiError>;

/// The table of operations: AWS's name, and the file that answers.
macro_rules! operations {
    ($($name:literal => $module:ident,)*) => {
        /// The operations that this server answers.
        #[cfg(test)]
        pub(crate) const OPERATIONS: &[&str] = &[$($name),*];

        pub(super) async fn dispatch<S: Store + Clone>(app: &App<S>, operation: &str, fields: Fields) -> Answer {
            match operation {
                // Boxed, so that the future of a request is not as large as that of its largest operation.
                $($name => Box::pin($module::answer(app, fields)).await,)*
                _other if operation.starts_with(events::TARGET_PREFIX) => events::dispatch(app, operation, fields).await,
                _other => Err(unknown(operation)),
            }
        }
    };
}

operations! {
    "CreateActivity" => create_activity,
    "CreateStateMachine" => create_state_machine,
    "CreateStateMachineAlias" => create_state_machine_alias,
    "DeleteActivity" => delete_activity,
    "DeleteStateMachine" => delete_state_machine,
    "DeleteStateMachineAlias" => delete_state_machine_alias,
    "DeleteStateMachineVersion" => delete_state_machine_version,
    "DescribeActivity" => describe_activity,
    "DescribeExecution" => describe_execution,
    "DescribeMapRun" => describe_map_run,
    "DescribeStateMachine" => describe_state_machine,
    "DescribeStateMachineAlias" => describe_state_machine_alias,
    "DescribeStateMachineForExecution" => describe_state_machine_for_execution,
    "GetActivityTask" => get_activity_task,
    "GetExecutionHistory" => get_execution_history,
    "ListActivities" => list_activities,
    "ListExecutions" => list_executions,
    "ListMapRuns" => list_map_runs,
    "ListStateMachineAliases" => list_state_machine_aliases,
    "ListStateMachineVersions" => list_state_machine_versions,
    "ListStateMachines" => list_state_machines,
    "ListTagsForResource" => list_tags_for_resource,
    "PublishStateMachineVersion" => publish_state_machine_version,
    "RedriveExecution" => redrive_execution,
    "SendTaskFailure" => send_task_failure,
    "SendTaskHeartbeat" => send_task_heartbeat,
    "SendTaskSuccess" => send_task_success,
    "StartExecution" => start_execution,
    "StartSyncExecution" => start_sync_execution,
    "StopExecution" => stop_execution,
    "TagResource" => tag_resource,
    "TestState" => test_state,
    "UntagResource" => untag_resource,
    "UpdateMapRun" => update_map_run,
    "UpdateStateMachine" => update_state_machine,
    "UpdateStateMachineAlias" => update_state_machine_alias,
    "ValidateStateMachineDefinition" => validate_state_machine_definition,
}

fn unknown(operation: &str) -> ApiError {
    ApiError::new("UnknownOperationException", format!("There is no operation '{operation}'."))
}

/// Answers one request.
pub(crate) async fn handle<S: Store + Clone>(State(app): State<App<S>>, request: Request<Body>) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let operation = operation(request.headers());
    let name = operation.as_deref().unwrap_or("none").to_owned();
    let span = tracing::info_span!("request", %request_id, operation = %name);
    let answer = async {
        let fields = Fields::parse(&read_body(request.into_body()).await?)?;
        dispatch(&app, &operation?, fields).await
    };
    let mut response = answer.instrument(span.clone()).await.map_or_else(
        |error| {
            span.in_scope(|| {
                tracing::info!(code = error.code(), status = error.status().as_u16(), "request refused");
            });
            error.into_response()
        },
        |answer| {
            span.in_scope(|| tracing::debug!("request answered"));
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], Json(answer)).into_response()
        },
    );
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", request_id);
    }
    response
}

fn operation(headers: &HeaderMap) -> Result<String, ApiError> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let Some(target) = target else {
        return Err(ApiError::new(
            "UnknownOperationException",
            "The header X-Amz-Target is missing; it names the operation, such as AWSStepFunctions.StartExecution.",
        ));
    };
    if target.starts_with(events::TARGET_PREFIX) {
        return Ok(target.to_owned());
    }
    target.strip_prefix(TARGET_PREFIX).map(str::to_owned).ok_or_else(|| unknown(target))
}

pub(crate) async fn read_body(body: Body) -> Result<Bytes, ApiError> {
    let body = Limited::new(body, REQUEST_BYTES_MAX);
    match tokio::time::timeout(BODY_TIMEOUT, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(REQUEST_BYTES_MAX)),
        Ok(Err(_cut_off)) => Err(ApiError::serialization("The request body is cut off.")),
        Err(_too_slow) => Err(ApiError::serialization("The request body did not arrive in time.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_all_of_the_api_in_order() {
        assert_eq!(OPERATIONS.len(), 37);
        assert!(OPERATIONS.is_sorted_by(|left, right| left < right));
    }

    #[test]
    fn an_operation_is_named_by_the_target() {
        let check = |target: Option<&str>, expected: &str| {
            let mut headers = HeaderMap::new();
            if let Some(target) = target {
                headers.insert("x-amz-target", HeaderValue::from_str(target).unwrap());
            }
            let actual =
                operation(&headers).unwrap_or_else(|error| format!("{}: {}", error.code(), error.message()));
            assert_eq!(actual, expected);
        };
        check(Some("AWSStepFunctions.StartExecution"), "StartExecution");
        check(Some("AWSEvents.CreateConnection"), "AWSEvents.CreateConnection");
        check(
            Some("DynamoDB_20120810.PutItem"),
            "UnknownOperationException: There is no operation 'DynamoDB_20120810.PutItem'.",
        );
        check(
            None,
            "UnknownOperationException: The header X-Amz-Target is missing; it names the operation, such as \
             AWSStepFunctions.StartExecution.",
        );
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_refused() {
        let body = Body::from(vec![b' '; REQUEST_BYTES_MAX + 1]);
        let error = read_body(body).await.unwrap_err();
        assert_eq!((error.status().as_u16(), error.code()), (413, "RequestEntityTooLargeException"));
    }

    #[tokio::test]
    async fn a_body_that_is_cut_off_is_refused() {
        let pieces = [Ok(Bytes::from_static(b"{\"name\": ")), Err(std::io::Error::other("connection reset"))];
        let body = Body::from_stream(futures::stream::iter(pieces));
        let error = read_body(body).await.unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            ("SerializationException", "The request body is cut off.")
        );
    }
}
