//! From the host's JSON text to the task's types and back, and the component's export.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TaskError;

/// Reads the task's input.
///
/// # Errors
/// `InvalidInput`, with the path to the value that doesn't fit and where it stands in the text.
pub fn parse<T: DeserializeOwned>(input: &str) -> Result<T, TaskError> {
    // Following the path costs time, so only an input that failed is read a second time to name the place.
    serde_json::from_str(input).map_err(|plain| {
        let deserializer = &mut serde_json::Deserializer::from_str(input);
        let cause = match serde_path_to_error::deserialize::<_, T>(deserializer) {
            Err(error) if error.path().iter().next().is_some() => error.to_string(),
            // The top level has no path; text after the value is no error of the second reading.
            Err(_) | Ok(_) => plain.to_string(),
        };
        TaskError::new(TaskError::INVALID_INPUT, cause)
    })
}

/// Writes the task's result.
///
/// # Errors
/// `InvalidOutput` for what JSON can't hold, for example a map whose keys aren't strings.
pub fn into_json<T: Serialize>(output: &T) -> Result<String, TaskError> {
    serde_json::to_string(output)
        .map_err(|error| TaskError::new(TaskError::INVALID_OUTPUT, error.to_string()))
}

/// What a task function returned, a plain value or a `Result` under any alias.
///
/// The method on `Returned<Result<..>>` is inherent and so wins over the trait's; the macro doesn't have to guess
/// from the name of the type.
#[derive(Debug)]
pub struct Returned<T>(pub T);

impl<T, E> Returned<Result<T, E>> {
    /// The value as JSON, or the function's own error.
    ///
    /// # Errors
    /// The function's own, and those of [`into_json`].
    pub fn outcome(self) -> Result<String, TaskError>
    where
        T: Serialize,
        E: Into<TaskError>,
    {
        self.0.map_err(Into::into).and_then(|value| into_json(&value))
    }
}

/// A task that can't fail returns its value as it is.
pub trait PlainOutcome {
    /// The value as JSON.
    ///
    /// # Errors
    /// Those of [`into_json`].
    fn outcome(self) -> Result<String, TaskError>;
}

impl<T: Serialize> PlainOutcome for Returned<T> {
    fn outcome(self) -> Result<String, TaskError> {
        into_json(&self.0)
    }
}

/// Makes a function from JSON text to JSON text the task of this module, without serde in between.
///
/// `#[stepwell::task]` is the comfortable way; this is for text that is passed on as it stands. The function is
/// `fn(&str) -> Result<String, TaskError>`. A module has one task. On targets other than WebAssembly there is
/// nothing to export, and only the function's type is checked.
#[macro_export]
macro_rules! export {
    ($handler:path) => {
        #[cfg(not(target_family = "wasm"))]
        const _: fn(&str) -> ::std::result::Result<::std::string::String, $crate::TaskError> = $handler;

        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;

            impl $crate::__private::bindings::Guest for Component {
                fn handle(
                    input: ::std::string::String,
                ) -> ::std::result::Result<::std::string::String, $crate::__private::bindings::TaskError>
                {
                    $handler(&input).map_err($crate::__private::to_wire)
                }
            }

    $crate::__private::export_bindings!(Component with_types_in $crate::__private::bindings);
        };
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Item {
        #[serde(rename = "quantity")]
        _quantity: u32,
    }

    #[derive(Debug, Deserialize)]
    struct Order {
        #[serde(rename = "items")]
        _items: Vec<Item>,
    }

    fn check(input: &str, expected: &str) {
        let error = parse::<Order>(input).expect_err("the input doesn't fit");
        assert_eq!(error.error(), "InvalidInput");
        assert_eq!(error.cause(), expected);
    }

    #[test]
    fn an_input_that_does_not_fit_names_the_place() {
        check(
            r#"{"items":[{"quantity":1},{"quantity":"two"}]}"#,
            r#"items[1].quantity: invalid type: string "two", expected u32 at line 1 column 42"#,
        );
        check(r#"{"items":[{}]}"#, "items[0]: missing field `quantity` at line 1 column 12");
        check("{}", "missing field `items` at line 1 column 2");
        check("[", "EOF while parsing a list at line 1 column 1");
        check(r#"{"items":[]} 1"#, "trailing characters at line 1 column 14");
    }

    #[test]
    fn results_plain_values_and_unit_become_json() {
        type Alias = Result<u8, TaskError>;
        let failed: Alias = Err(TaskError::new("No", "because"));
        assert_eq!(Returned(failed).outcome(), Err(TaskError::new("No", "because")));
        assert_eq!(Returned(Alias::Ok(1)).outcome().as_deref(), Ok("1"));
        assert_eq!(Returned("text").outcome().as_deref(), Ok(r#""text""#));
        assert_eq!(Returned(()).outcome().as_deref(), Ok("null"));
    }

    #[test]
    fn an_output_json_cannot_hold_is_a_named_error() {
        let by_pair = BTreeMap::from([((1, 2), 3)]);
        let error = Returned(by_pair).outcome().expect_err("keys must be strings");
        assert_eq!(error, TaskError::new("InvalidOutput", "key must be a string"));
    }
}
