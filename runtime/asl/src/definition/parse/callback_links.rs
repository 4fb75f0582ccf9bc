//! `CallbackLinks` of a Task, a field of ours: what a person is asked who answers the task by a link.

use crate::data::timestamp::Timestamp;
use crate::definition::{Pattern, Target, Template};
use crate::interpreter::{CALLBACK_FIELDS, InvalidRequest, NewCallbackRequest};

use super::reader::Reader;

pub(crate) fn read(reader: &Reader<'_>, target: &Target) -> Option<Template> {
    let given = reader.object("CallbackLinks")?;
    let place = reader.place.field("CallbackLinks");
    if !matches!(target, Target::Service { pattern: Pattern::WaitForTaskToken, .. }) {
        place.error("The field 'CallbackLinks' needs a Resource that ends with '.waitForTaskToken'");
    }
    for key in given.keys() {
        let name = if reader.is_jsonata() { key } else { key.strip_suffix(".$").unwrap_or(key) };
        if !CALLBACK_FIELDS.contains(&name) {
            place.field(key).error(format!("The field '{key}' is not supported in CallbackLinks"));
        }
    }
    let template = reader.template("CallbackLinks");
    // What is computed is checked when it has been.
    if let Some(Template::Literal(value)) = &template {
        let request = NewCallbackRequest::read(value).and_then(|new| new.checked(Timestamp::EPOCH));
        if let Err(InvalidRequest { field, rule }) = request {
            place.field(field).error(format!("The field '{field}' {rule}"));
        }
    }
    template
}

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::check_state;

    fn check(resource: &str, rest: &str, expected: &[&str]) {
        let task =
            format!(r#""Type": "Task", "Resource": "arn:aws:states:::{resource}", "End": true, {rest}"#);
        check_state(&task, expected);
    }

    #[test]
    fn only_a_task_that_awaits_its_token_has_links() {
        const NEEDS: &str = "The field 'CallbackLinks' needs a Resource that ends with '.waitForTaskToken' at /States/A/CallbackLinks";
        check("stepwell:awaitCallback.waitForTaskToken", r#""CallbackLinks": {}"#, &[]);
        check("lambda:invoke.waitForTaskToken", r#""CallbackLinks": {"Title": "Refund?"}"#, &[]);
        check("lambda:invoke", r#""CallbackLinks": {}"#, &[NEEDS]);
        check_state(
            r#""Type": "Pass", "CallbackLinks": {}, "End": true"#,
            &["The field 'CallbackLinks' is not supported in a Pass state at /States/A/CallbackLinks"],
        );
    }

    #[test]
    fn the_fields_of_a_request_are_checked() {
        let ask = |rest: &str, expected: &[&str]| {
            check("stepwell:awaitCallback.waitForTaskToken", rest, expected);
        };
        ask(
            r#""CallbackLinks": {"Title.$": "$.t", "Message.$": "States.Format('{}', $.m)", "Payload": {"a.$": "$"}}"#,
            &[],
        );
        ask(
            r#""QueryLanguage": "JSONata", "CallbackLinks": {"Title": "{% $states.input.t %}", "Payload": [1]}"#,
            &[],
        );
        ask(
            r#""CallbackLinks": {"Titel": "a", "Message.$": "m"}"#,
            &[
                "The field 'Titel' is not supported in CallbackLinks at /States/A/CallbackLinks/Titel",
                "The value for the field 'Message.$' must be a valid JSONPath or a valid intrinsic function call at \
                 /States/A/CallbackLinks",
            ],
        );
        ask(
            r#""CallbackLinks": {"ExpiresInSeconds": 0}"#,
            &["The field 'ExpiresInSeconds' should be between 1 and 7776000 at \
                 /States/A/CallbackLinks/ExpiresInSeconds"],
        );
        ask(
            r#""CallbackLinks": "Refund?""#,
            &["The field 'CallbackLinks' should be an object at /States/A/CallbackLinks"],
        );
    }
}
