//! `#[stepwell::task]`: checks the function and adds the JSON side of it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{Error, FnArg, Item, ItemFn, Result, Signature, Type};

/// The annotated function, its JSON twin and the component's export.
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "`#[stepwell::task]` takes no arguments"));
    }
    let function = match syn::parse2::<Item>(item)? {
        Item::Fn(function) => function,
        other => return Err(Error::new_spanned(other, "`#[stepwell::task]` goes on a function")),
    };
    let inputs = check(&function.sig)?;
    Ok(generate(&function, &inputs))
}

struct Inputs<'a> {
    value: &'a Type,
    context: Option<&'a Type>,
}

fn check(signature: &Signature) -> Result<Inputs<'_>> {
    let name = &signature.ident;
    if let Some(parameter) = signature.generics.params.first() {
        return Err(Error::new_spanned(
            parameter,
            "a task can't be generic: the host calls it with JSON, so its types must be known here",
        ));
    }
    if let Some(unsafety) = signature.unsafety {
        return Err(Error::new_spanned(unsafety, "a task can't be `unsafe`: nobody would keep its promises"));
    }
    if let Some(abi) = &signature.abi {
        return Err(Error::new_spanned(abi, "a task is an ordinary Rust function, without `extern`"));
    }
    let mut types = signature.inputs.iter().map(argument_type);
    let (value, context) = match signature.inputs.len() {
        0 => {
            let message =
                format!("a task takes its input as its argument: `fn {name}(input: serde_json::Value)`");
            return Err(Error::new_spanned(signature, message));
        }
        1 | 2 => (types.next().transpose()?, types.next().transpose()?),
        more => {
            let message = format!(
                "a task takes its input and optionally a `stepwell::Context`, but `{name}` has {more} arguments: \
                 put them into one struct"
            );
            return Err(Error::new_spanned(&signature.inputs, message));
        }
    };
    let value =
        value.ok_or_else(|| Error::new_spanned(signature, "a task takes its input as its argument"))?;
    check_value(value, name)?;
    if let Some(Type::Reference(reference)) = context {
        return Err(Error::new_spanned(reference, "a task takes its `stepwell::Context` by value"));
    }
    Ok(Inputs { value, context })
}

fn check_value(value: &Type, name: &syn::Ident) -> Result<()> {
    match value {
        Type::Reference(_) => Err(Error::new_spanned(
            value,
            "a task takes its input by value: the SDK reads it from JSON for this call",
        )),
        Type::ImplTrait(_) => Err(Error::new_spanned(
            value,
            "a task's input needs a type of its own: the SDK can't read JSON into `impl Trait`",
        )),
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Context") => {
            let message = format!(
                "the input comes before the context: `fn {name}(input: Input, ctx: stepwell::Context)`"
            );
            Err(Error::new_spanned(value, message))
        }
        // Whether any other type can be read from JSON is for the compiler to say, at the type itself.
        _ => Ok(()),
    }
}

fn argument_type(argument: &FnArg) -> Result<&Type> {
    match argument {
        FnArg::Typed(typed) => Ok(&typed.ty),
        FnArg::Receiver(receiver) => {
            Err(Error::new(receiver.span(), "a task is a free function: it can't take `self`"))
        }
    }
}

fn generate(function: &ItemFn, inputs: &Inputs<'_>) -> TokenStream {
    let name = &function.sig.ident;
    let visibility = &function.vis;
    let json_name = format_ident!("{}_json", name);
    let json_doc = format!("[`{name}`] as the host calls it: JSON text in, JSON text out.");
    let value = inputs.value;
    let context = inputs.context.map(|_| quote!(, ::stepwell::Context::current()));
    let call = quote!(#name(::stepwell::__private::parse::<#value>(input)? #context));
    let returned = match function.sig.asyncness {
        Some(_) => quote!(::stepwell::__private::block_on(#call)?),
        None => call,
    };
    quote! {
        #[allow(clippy::needless_pass_by_value, reason = "a task owns its input")]
        #function

        #[doc = #json_doc]
        ///
        /// # Errors
        /// `InvalidInput` if the text doesn't fit the task's input, and the task's own.
        #[allow(dead_code, clippy::unit_arg, reason = "tests and the module's export call it")]
        #visibility fn #json_name(
            input: &str,
        ) -> ::std::result::Result<::std::string::String, ::stepwell::TaskError> {
            #[allow(unused_imports, reason = "only a task that returns no `Result` needs it")]
            use ::stepwell::__private::PlainOutcome as _;
            ::stepwell::__private::Returned(#returned).outcome()
        }

        ::stepwell::export!(#json_name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{normal, text, tokens};

    fn check_error(item: &str, expected: &str) {
        let error = expand(&TokenStream::new(), tokens(item)).expect_err("the macro refuses it");
        assert_eq!(error.to_string(), expected, "for {item}");
    }

    fn check_contains(item: &str, parts: &[&str]) {
        let expansion = text(&expand(&TokenStream::new(), tokens(item)).expect("the macro takes it"));
        for part in parts {
            assert!(expansion.contains(&normal(part)), "{part}\nis missing from\n{expansion}");
        }
    }

    #[test]
    fn the_function_stays_and_gets_a_json_twin_and_an_export() {
        check_contains(
            "pub fn quote(order: Order) -> Result<Quote, Refusal> { price(order) }",
            &[
                "pub fn quote(order: Order) -> Result<Quote, Refusal> { price(order) }",
                "pub fn quote_json(input: &str,) \
                 -> ::std::result::Result<::std::string::String, ::stepwell::TaskError>",
                "::stepwell::__private::Returned(quote(::stepwell::__private::parse::<Order>(input)?)).outcome()",
                "::stepwell::export!(quote_json);",
            ],
        );
    }

    #[test]
    fn a_second_argument_is_given_the_context() {
        check_contains(
            "fn quote(order: Order, ctx: Context) -> Quote { todo(order, ctx) }",
            &["quote(::stepwell::__private::parse::<Order>(input)?, ::stepwell::Context::current())"],
        );
    }

    #[test]
    fn an_async_function_is_run_to_its_end() {
        check_contains(
            "async fn quote(order: Order) -> Quote { price(order).await }",
            &[
                "async fn quote(order: Order) -> Quote",
                "fn quote_json(input: &str,)",
                "::stepwell::__private::Returned(::stepwell::__private::block_on(\
                 quote(::stepwell::__private::parse::<Order>(input)?))?).outcome()",
            ],
        );
    }

    #[test]
    fn attributes_and_docs_stay_on_the_function() {
        check_contains(
            "/// Prices it.\n#[inline] fn f(i: I) {}",
            &["/// Prices it.\n#[inline] fn f(i: I) {}"],
        );
    }

    #[test]
    fn a_missing_argument_is_named() {
        check_error(
            "fn quote() -> u8 { 1 }",
            "a task takes its input as its argument: `fn quote(input: serde_json::Value)`",
        );
    }

    #[test]
    fn too_many_arguments_are_counted() {
        check_error(
            "fn quote(a: A, b: B, c: Context) {}",
            "a task takes its input and optionally a `stepwell::Context`, but `quote` has 3 arguments: \
             put them into one struct",
        );
    }

    #[test]
    fn generic_functions_are_refused() {
        let expected =
            "a task can't be generic: the host calls it with JSON, so its types must be known here";
        for item in ["fn f<T>(a: T) {}", "fn f<'a>(a: A<'a>) {}", "fn f<const N: usize>(a: [u8; N]) {}"] {
            check_error(item, expected);
        }
        check_error(
            "fn f(a: impl Read) {}",
            "a task's input needs a type of its own: the SDK can't read JSON into `impl Trait`",
        );
    }

    #[test]
    fn arguments_the_host_cannot_give_are_refused() {
        check_error(
            "fn f(a: &str) {}",
            "a task takes its input by value: the SDK reads it from JSON for this call",
        );
        check_error("fn f(a: A, c: &Context) {}", "a task takes its `stepwell::Context` by value");
        check_error("fn f(&self) {}", "a task is a free function: it can't take `self`");
        for item in ["fn f(c: Context) {}", "fn f(c: stepwell::Context, a: A) {}"] {
            check_error(
                item,
                "the input comes before the context: `fn f(input: Input, ctx: stepwell::Context)`",
            );
        }
    }

    #[test]
    fn what_is_no_ordinary_function_is_refused() {
        check_error("struct Order;", "`#[stepwell::task]` goes on a function");
        check_error("unsafe fn f(a: A) {}", "a task can't be `unsafe`: nobody would keep its promises");
        check_error(r#"extern "C" fn f(a: A) {}"#, "a task is an ordinary Rust function, without `extern`");
        let error = expand(&tokens("retry = 3"), tokens("fn f(a: A) {}")).expect_err("no arguments");
        assert_eq!(error.to_string(), "`#[stepwell::task]` takes no arguments");
    }
}
