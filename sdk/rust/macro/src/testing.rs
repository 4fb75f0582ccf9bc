//! Helpers that compare expansions as text, whatever their spacing.

use proc_macro2::TokenStream;

/// The tokens as text without any space: where the compiler puts one depends on how the tokens were made.
pub(crate) fn text(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

/// Source text as `text` would print its tokens.
pub(crate) fn normal(source: &str) -> String {
    text(&tokens(source))
}

pub(crate) fn tokens(source: &str) -> TokenStream {
    source.parse().expect("the test's source is Rust")
}
