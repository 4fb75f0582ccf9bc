//! What the queries of Stepwell's own endpoints have in common.

use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;

use crate::limits::{PAGE_RESULTS_DEFAULT, PAGE_RESULTS_MAX};
use crate::problem::Problem;

pub(crate) fn page_size(max: Option<u32>) -> Result<usize, Problem> {
    match max {
        None | Some(0) => Ok(PAGE_RESULTS_DEFAULT),
        Some(max) if max <= PAGE_RESULTS_MAX => Ok(max as usize),
        Some(max) => Err(invalid(format!("A page has at most {PAGE_RESULTS_MAX} results, not {max}."))),
    }
}

pub(crate) fn invalid_query(rejection: &QueryRejection) -> Problem {
    invalid(rejection.body_text())
}

pub(crate) fn invalid(message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "InvalidQuery", message)
}
