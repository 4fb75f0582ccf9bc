//! What the path and the query of a request say: which function, and which version or alias of it.

use axum::http::StatusCode;
use engine::arn::{FunctionArn, is_valid_alias};
use serde::Deserialize;
use store::Store;

use super::error::LambdaError;
use crate::app::App;
use crate::registry::LATEST;

/// AWS: what a function may be called by.
const NAME_PATTERN: &str = r"regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";
/// AWS: what a version or alias may be called by.
const QUALIFIER_PATTERN: &str = r"regular expression pattern: (|[a-zA-Z0-9$_-]+)";

/// Stands for `$LATEST` among the numbers of versions.
pub(super) const LATEST_NUMBER: u32 = 0;

/// A version as the qualifier that leads to it.
pub(super) fn qualifier_of(version: u32) -> String {
    if version == LATEST_NUMBER { LATEST.to_owned() } else { version.to_string() }
}

/// `?Qualifier=`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Qualifier {
    pub(super) qualifier: Option<String>,
}

/// A function by its name, perhaps a version or an alias of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Without a qualifier.
    pub(super) arn: String,
    pub(super) qualifier: Option<String>,
}

impl Function {
    /// Reads a name or an ARN, with or without a qualifier, beside one of the query.
    pub(super) fn parse<S: Store + Clone>(
        app: &App<S>,
        text: &str,
        qualifier: Option<&str>,
    ) -> Result<Function, LambdaError> {
        let (region, account) = app.place();
        let parsed = FunctionArn::parse_name(text, region, account);
        let parsed = parsed.map_err(|_| LambdaError::validation(text, "functionName", NAME_PATTERN))?;
        let qualifier = match (parsed.qualifier(), qualifier.filter(|qualifier| !qualifier.is_empty())) {
            (Some(named), Some(asked)) if named != asked => {
                return Err(LambdaError::invalid(
                    "The derived qualifier from the function name does not match the specified qualifier.",
                ));
            }
            (named, asked) => asked.or(named),
        };
        if let Some(wrong) = qualifier.filter(|qualifier| !is_qualifier(qualifier)) {
            return Err(LambdaError::validation(wrong, "qualifier", QUALIFIER_PATTERN));
        }
        let name = parsed.name().to_owned();
        let arn = format!("arn:aws:lambda:{region}:{account}:function:{name}");
        Ok(Function { name, arn, qualifier: qualifier.map(str::to_owned) })
    }

    /// A function that is named without a version or alias.
    pub(super) fn parse_unqualified<S: Store + Clone>(
        app: &App<S>,
        text: &str,
    ) -> Result<Function, LambdaError> {
        let function = Function::parse(app, text, None)?;
        match &function.qualifier {
            None => Ok(function),
            Some(_) => Err(LambdaError::new(
                StatusCode::BAD_REQUEST,
                "InvalidParameterValueException",
                "This operation does not take a version or an alias in the name of the function.",
            )),
        }
    }

    pub(super) fn qualified(&self, qualifier: &str) -> String {
        format!("{}:{qualifier}", self.arn)
    }

    /// As it was asked for.
    pub(super) fn asked(&self) -> String {
        self.qualifier.as_ref().map_or_else(|| self.arn.clone(), |qualifier| self.qualified(qualifier))
    }

    pub(super) fn function_arn(&self) -> FunctionArn {
        FunctionArn::parse(&self.asked()).expect("its parts were checked")
    }
}

fn is_qualifier(qualifier: &str) -> bool {
    qualifier == LATEST || is_valid_alias(qualifier) || qualifier.parse::<u32>().is_ok()
}
