//! `#[derive(TaskError)]`: an enum's variants become error names that a workflow can match.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, LitStr, Result};

/// AWS limit: an error name has at most 256 characters.
const ERROR_CHARS_MAX: usize = 256;

/// `impl From<TheType> for stepwell::TaskError`.
pub(crate) fn expand(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let ident = &input.ident;
    let arms = match &input.data {
        Data::Enum(data) if data.variants.is_empty() => {
            return Err(Error::new_spanned(ident, "an enum of errors needs at least one variant"));
        }
        Data::Enum(data) => {
            let each = data.variants.iter().map(|variant| {
                let pattern = &variant.ident;
                arm(&quote!(#ident::#pattern), pattern, &variant.attrs, &variant.fields)
            });
            each.collect::<Result<Vec<_>>>()?
        }
        Data::Struct(data) => vec![arm(&quote!(#ident), ident, &input.attrs, &data.fields)?],
        Data::Union(_) => {
            return Err(Error::new_spanned(ident, "`TaskError` can be derived for enums and structs"));
        }
    };
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::std::convert::From<#ident #type_generics> for ::stepwell::TaskError #where_clause {
            #[allow(unused_variables, reason = "a cause needn't mention every field")]
            fn from(failure: #ident #type_generics) -> Self {
                match &failure { #(#arms)* }
            }
        }
    })
}

fn arm(path: &TokenStream, ident: &Ident, attributes: &[Attribute], fields: &Fields) -> Result<TokenStream> {
    let options = Options::parse(attributes)?;
    let name = options.name.unwrap_or_else(|| LitStr::new(&ident.to_string(), ident.span()));
    check_name(&name)?;
    let Some(cause) = options.cause else {
        return Ok(quote! {
            #path { .. } => ::stepwell::TaskError::new(#name, ::std::string::ToString::to_string(&failure)),
        });
    };
    let pattern = match fields {
        Fields::Named(named) => {
            let names = named.named.iter().map(|field| &field.ident);
            quote!({ #(#names),* })
        }
        Fields::Unnamed(unnamed) => {
            let names = (0..unnamed.unnamed.len()).map(|index| format_ident!("field_{index}"));
            quote!(( #(#names),* ))
        }
        Fields::Unit => TokenStream::new(),
    };
    let format = LitStr::new(&name_positions(&cause.value()), cause.span());
    Ok(quote! { #path #pattern => ::stepwell::TaskError::new(#name, ::std::format!(#format)), })
}

#[derive(Default)]
struct Options {
    name: Option<LitStr>,
    cause: Option<LitStr>,
}

impl Options {
    fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("task_error")) {
            attribute.parse_nested_meta(|meta| {
                let slot = if meta.path.is_ident("name") {
                    &mut options.name
                } else if meta.path.is_ident("cause") {
                    &mut options.cause
                } else {
                    return Err(meta.error("`task_error` knows `name = \"..\"` and `cause = \"..\"`"));
                };
                if slot.replace(meta.value()?.parse()?).is_some() {
                    return Err(meta.error("given twice"));
                }
                Ok(())
            })?;
        }
        Ok(options)
    }
}

fn check_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    if text.starts_with("States.") {
        return Err(Error::new(name.span(), "error names that start with `States.` are reserved"));
    }
    if text.is_empty() || text.chars().count() > ERROR_CHARS_MAX {
        return Err(Error::new(name.span(), "an error name has 1 to 256 characters"));
    }
    Ok(())
}

/// `{0}` captures the variable `field_0`, which the pattern binds.
fn name_positions(format: &str) -> String {
    let mut named = String::with_capacity(format.len());
    let mut characters = format.chars().peekable();
    while let Some(character) = characters.next() {
        named.push(character);
        if character != '{' {
            continue;
        }
        match characters.peek() {
            Some('{') => named.extend(characters.next()),
            Some(digit) if digit.is_ascii_digit() => named.push_str("field_"),
            Some(_) | None => {}
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{normal, text, tokens};

    fn check_contains(item: &str, parts: &[&str]) {
        let expansion = text(&expand(tokens(item)).expect("the macro takes it"));
        for part in parts {
            assert!(expansion.contains(&normal(part)), "{part}\nis missing from\n{expansion}");
        }
    }

    fn check_error(item: &str, expected: &str) {
        assert_eq!(
            expand(tokens(item)).expect_err("the macro refuses it").to_string(),
            expected,
            "for {item}"
        );
    }

    #[test]
    fn a_variant_is_its_error_name_and_display_its_cause() {
        check_contains(
            "enum Refusal { OutOfStock { sku: String }, Closed }",
            &[
                "impl ::std::convert::From<Refusal> for ::stepwell::TaskError",
                r#"Refusal::OutOfStock { .. } =>
                    ::stepwell::TaskError::new("OutOfStock", ::std::string::ToString::to_string(&failure)),"#,
                r#"Refusal::Closed { .. } =>
                    ::stepwell::TaskError::new("Closed", ::std::string::ToString::to_string(&failure)),"#,
            ],
        );
    }

    #[test]
    fn a_cause_may_mention_fields_by_name_and_by_position() {
        check_contains(
            r#"enum Refusal {
                #[task_error(cause = "no {sku} left")] OutOfStock { sku: String, wanted: u8 },
                #[task_error(name = "Shop.Closed", cause = "opens at {0:02}, {{sorry}}")] Closed(u8),
                #[task_error(cause = "no")] No,
            }"#,
            &[
                r#"Refusal::OutOfStock { sku, wanted } =>
                    ::stepwell::TaskError::new("OutOfStock", ::std::format!("no {sku} left")),"#,
                r#"Refusal::Closed (field_0) =>
                    ::stepwell::TaskError::new("Shop.Closed", ::std::format!("opens at {field_0:02}, {{sorry}}")),"#,
                r#"Refusal::No => ::stepwell::TaskError::new("No", ::std::format!("no")),"#,
            ],
        );
    }

    #[test]
    fn a_struct_is_its_own_error_name() {
        check_contains(
            r#"#[task_error(cause = "{0}")] struct Broken(String);"#,
            &[r#"Broken (field_0) => ::stepwell::TaskError::new("Broken", ::std::format!("{field_0}")),"#],
        );
    }

    #[test]
    fn what_makes_no_error_name_is_refused() {
        check_error("enum Refusal {}", "an enum of errors needs at least one variant");
        check_error("union U { a: u8 }", "`TaskError` can be derived for enums and structs");
        check_error(
            r#"enum E { #[task_error(name = "States.Timeout")] A }"#,
            "error names that start with `States.` are reserved",
        );
        check_error(r#"enum E { #[task_error(name = "")] A }"#, "an error name has 1 to 256 characters");
        check_error(
            r#"enum E { #[task_error(text = "x")] A }"#,
            "`task_error` knows `name = \"..\"` and `cause = \"..\"`",
        );
        check_error(r#"enum E { #[task_error(name = "a", name = "b")] A }"#, "given twice");
    }
}
