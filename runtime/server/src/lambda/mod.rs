//! AWS Lambda's API over the registry of modules, so that scripts and tools made for it work: functions, their versions
//! and aliases, and invocations.

mod absent;
mod aliases;
mod answers;
mod code;
mod configuration;
mod error;
mod functions;
mod invoke;
mod members;
mod names;
mod pages;
mod tags;
mod versions;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use store::Store;
use uuid::Uuid;

pub(crate) use code::{is_upload, read_body};
pub(crate) use error::LambdaError;

use crate::app::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Whether a path is one of Lambda's: its paths begin with the date of an API version.
pub(crate) fn is_lambda(path: &str) -> bool {
    let date = path.strip_prefix('/').and_then(|path| path.split_once('/')).map(|(date, _)| date.as_bytes());
    date.is_some_and(|date| {
        let is_of_date = |(place, byte): (usize, &u8)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        date.len() == 10 && date.iter().enumerate().all(is_of_date)
    })
}

/// The operations, each with an id for its answer.
pub(crate) fn routes<S: Store + Clone>() -> Router<App<S>> {
    let function = "/2015-03-31/functions/{function}";
    let path = |rest: &str| format!("{function}/{rest}");
    Router::new()
        .route("/2015-03-31/functions", get(functions::list::<S>).post(functions::create::<S>))
        .route("/2015-03-31/functions/", get(functions::list::<S>).post(functions::create::<S>))
        .route(function, get(functions::get::<S>).delete(functions::delete::<S>))
        .route(
            &path("configuration"),
            get(functions::get_configuration::<S>).put(functions::update_configuration::<S>),
        )
        .route(&path("code"), axum::routing::put(code::update::<S>))
        .route(&path("versions"), get(versions::list::<S>).post(versions::publish::<S>))
        .route(&path("aliases"), get(aliases::list::<S>).post(aliases::create::<S>))
        .route(
            &path("aliases/{alias}"),
            get(aliases::get::<S>).put(aliases::update::<S>).delete(aliases::delete::<S>),
        )
        .route(&path("invocations"), post(invoke::invoke::<S>))
        .route("/2017-03-31/tags/{arn}", get(tags::list::<S>).post(tags::add::<S>).delete(tags::remove::<S>))
        .merge(absent::routes::<S>())
        .layer(middleware::from_fn(number))
}

/// What is not there of Lambda's API.
pub(crate) fn unknown(method: &Method, uri: &Uri) -> Response {
    numbered(LambdaError::unknown_operation(format!(
        "This server has no operation of AWS Lambda at {method} {}. It has those for functions, versions, aliases, tags \
         and invocations.",
        uri.path()
    )))
}

/// Every answer has an id.
async fn number(request: Request<axum::body::Body>, next: Next) -> Response {
    numbered(next.run(request).await)
}

fn numbered(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if !response.headers().contains_key(REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string())
    {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::is_lambda;

    #[test]
    fn paths_of_lambda_begin_with_a_date() {
        for path in ["/2015-03-31/functions", "/2015-03-31/functions/", "/2020-06-30/functions/f/x"] {
            assert!(is_lambda(path), "{path}");
        }
        for path in
            ["/", "/modules/2015-03-31", "/2015-03-31", "/2015-3-31/functions", "/20150331ab/functions"]
        {
            assert!(!is_lambda(path), "{path}");
        }
    }
}
