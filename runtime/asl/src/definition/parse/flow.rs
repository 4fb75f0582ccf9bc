//! How data passes through a state: the fields common to all states.

use serde_json::Value;

use crate::definition::{Assign, Flow, JsonPathFlow, JsonataFlow, Template};
use crate::validate::names;

use super::reader::Reader;
use super::template::{jsonata_template, object_template};

impl Reader<'_> {
    pub(crate) fn flow(&self) -> Flow {
        if self.is_jsonata() {
            return Flow::Jsonata(Box::new(JsonataFlow {
                arguments: self.template("Arguments"),
                output: self.template("Output"),
            }));
        }
        Flow::JsonPath(Box::new(JsonPathFlow {
            input_path: self.selection("InputPath"),
            parameters: self.template("Parameters"),
            result_selector: self.template("ResultSelector"),
            result_path: self.result_path(),
            output_path: self.selection("OutputPath"),
        }))
    }

    /// `Output` of a place that has no other field of a flow: a catcher, a rule of a Choice.
    pub(crate) fn jsonata_output(&self) -> Option<Template> {
        if self.is_jsonata() { self.template("Output") } else { None }
    }

    pub(crate) fn assign(&self) -> Assign {
        let Some(variables) = self.object("Assign") else { return Assign::new() };
        let place = self.place.field("Assign");
        names::check_variables(&place, variables, self.scope.language);
        if self.is_jsonata() {
            let value = |key, value| jsonata_template(&place.field(key), value);
            return variables.iter().map(|(key, variable)| (key.clone(), value(key, variable))).collect();
        }
        match object_template(&place, variables) {
            Template::Object(members) => members,
            Template::Literal(Value::Object(fields)) => {
                fields.into_iter().map(|(name, value)| (name, Template::Literal(value))).collect()
            }
            Template::Literal(_) | Template::Computed(_) | Template::Array(_) => Assign::new(),
        }
    }
}
