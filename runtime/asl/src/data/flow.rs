//! A state's data flow: raw input → effective input → result → output.

use std::borrow::Cow;

use serde_json::Value;

use crate::definition::{Assign, Flow, ResultPath, Selection, Template};

use super::evaluate::{self, Failure};
use super::json::Data;
use super::scope::Scope;
use super::text::Text;

/// The variables that a state assigns, with their new values.
pub type Assigned = Vec<(Text, Data)>;

/// `InputPath` without `Parameters`: what `$` means in the rest of the state.
pub fn selected_input(flow: &Flow, scope: &Scope<'_>, raw: &Data) -> Result<Data, Failure> {
    match flow {
        Flow::JsonPath(flow) => {
            let selected = select(&flow.input_path, scope, raw)?;
            scope.note(|seen| seen.after_input_path = Some(selected.clone()));
            Ok(selected)
        }
        Flow::Jsonata(_) => Ok(raw.clone()),
    }
}

/// The same without a copy.
pub fn selected_value<'a>(
    flow: &Flow,
    scope: &'a Scope<'_>,
    raw: &'a Data,
) -> Result<Cow<'a, Value>, Failure> {
    let Flow::JsonPath(flow) = flow else { return Ok(Cow::Borrowed(raw.value())) };
    match &flow.input_path {
        Selection::Whole => Ok(Cow::Borrowed(raw.value())),
        Selection::Nothing => Ok(Cow::Owned(Value::Object(serde_json::Map::new()))),
        Selection::Path(path) => evaluate::found(path, scope, raw.value()),
    }
}

/// The effective input: `InputPath`, then `Parameters` or `Arguments`.
pub fn effective_input(flow: &Flow, scope: &Scope<'_>, raw: &Data) -> Result<Data, Failure> {
    let selected = selected_input(flow, scope, raw)?;
    let template = match flow {
        Flow::JsonPath(flow) => &flow.parameters,
        Flow::Jsonata(flow) => &flow.arguments,
    };
    let effective = match template {
        None => selected,
        Some(template) => evaluate::template(template, scope, selected.value())?.into(),
    };
    scope.note(|seen| match flow {
        Flow::JsonPath(_) => seen.after_parameters = Some(effective.clone()),
        Flow::Jsonata(_) => seen.after_arguments = Some(effective.clone()),
    });
    Ok(effective)
}

/// `ResultSelector`: what the rest of the state takes for the result.
pub fn selected_result(flow: &Flow, scope: &Scope<'_>, result: Data) -> Result<Data, Failure> {
    match flow {
        Flow::JsonPath(flow) => match &flow.result_selector {
            None => Ok(result),
            Some(template) => Ok(evaluate::template(template, scope, result.value())?.into()),
        },
        Flow::Jsonata(_) => {
            scope.set_result(&result);
            Ok(result)
        }
    }
}

/// The state's output: `ResultPath`, then `OutputPath`; or `Output`.
pub fn output(flow: &Flow, scope: &Scope<'_>, raw: &Data, result: Data) -> Result<Data, Failure> {
    match flow {
        Flow::JsonPath(flow) => {
            scope.note(|seen| seen.after_result_selector = Some(result.clone()));
            let combined = combine(&flow.result_path, raw, result)?;
            scope.note(|seen| seen.after_result_path = Some(combined.clone()));
            select(&flow.output_path, scope, &combined)
        }
        Flow::Jsonata(flow) => output_or(flow.output.as_ref(), scope, raw, result),
    }
}

/// JSONata's `Output`; without it, `otherwise`.
pub fn output_or(
    output: Option<&Template>,
    scope: &Scope<'_>,
    raw: &Data,
    otherwise: Data,
) -> Result<Data, Failure> {
    match output {
        None => Ok(otherwise),
        Some(template) => Ok(evaluate::template(template, scope, raw.value())?.into()),
    }
}

/// `ResultPath`: puts a result into the raw input.
pub fn combine(result_path: &ResultPath, raw: &Data, result: Data) -> Result<Data, Failure> {
    match result_path {
        ResultPath::Replace => Ok(result),
        ResultPath::Discard => Ok(raw.clone()),
        ResultPath::At(path) => {
            let mut combined = raw.value().clone();
            match path.set(&mut combined, result.value().clone()) {
                Ok(()) => Ok(combined.into()),
                Err(conflict) => {
                    Err(Failure::new("States.ResultPathMatchFailure", format!("{conflict} {}", raw.value())))
                }
            }
        }
    }
}

/// Computes `Assign`. All of its expressions see the variables as they were before.
pub fn assigned(assign: &Assign, scope: &Scope<'_>, input: &Data) -> Result<Assigned, Failure> {
    let evaluate = |(name, template): &(String, Template)| {
        evaluate::template(template, scope, input.value())
            .map(|value| (Text::from(name.as_str()), Data::from(value)))
    };
    assign.iter().map(evaluate).collect()
}

fn select(selection: &Selection, scope: &Scope<'_>, data: &Data) -> Result<Data, Failure> {
    match selection {
        Selection::Whole => Ok(data.clone()),
        Selection::Nothing => Ok(Data::empty_object()),
        Selection::Path(path) => Ok(evaluate::found(path, scope, data.value())?.into_owned().into()),
    }
}
