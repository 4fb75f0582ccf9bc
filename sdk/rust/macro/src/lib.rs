//! The macros of the Stepwell SDK; use them through the crate `stepwell`.

mod task;
mod task_error;
#[cfg(test)]
mod testing;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;

/// Makes a function the task of this module.
///
/// The function takes its input, any type that implements `serde::Deserialize`, and optionally a
/// `stepwell::Context`. It returns a `serde::Serialize` value, or a `Result` of one whose error converts into
/// `stepwell::TaskError`. It may be `async`. The function itself stays as it is, so tests call it directly;
/// beside a function `quote` the macro adds `quote_json(&str) -> Result<String, TaskError>`, which is what the
/// host calls.
#[proc_macro_attribute]
pub fn task(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = TokenStream2::from(item);
    task::expand(&arguments.into(), item.clone())
        .unwrap_or_else(|error| {
            // The function goes out beside the error, so that its uses don't fail as well.
            let mut tokens = error.to_compile_error();
            tokens.extend(item);
            tokens
        })
        .into()
}

/// Makes the name of an enum's variant, or of a struct, the name of the error that a `Catch` matches.
///
/// The cause is the text of `#[task_error(cause = "no price for {sku}")]`, in which fields stand by name or by
/// position; without one it is what the type's `Display` says. `#[task_error(name = "Other")]` changes the name.
#[proc_macro_derive(TaskError, attributes(task_error))]
pub fn derive_task_error(item: TokenStream) -> TokenStream {
    task_error::expand(item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
