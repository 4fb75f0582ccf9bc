//! What an answer must look like. What only the server knows, such as a date, is learnt when it is first seen and is the
//! same from then on.

use serde_json::{Map, Value, json};

use super::Answer;

/// A value that the server chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(usize);

/// What was learnt.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots(Vec<Option<Value>>);

#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Is(Value),
    Slot(Slot),
    /// A text that is this JSON, however it is written.
    Json(Value),
    /// A text that begins so, such as a message with the parser's own words.
    Begins(&'static str),
    /// A text with something in its midst that the server chose.
    Around(String, Slot, &'static str),
    /// These members and no others.
    Object(Vec<(&'static str, Pattern)>),
    List(Vec<Pattern>),
}

/// What a call must answer.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) status: u16,
    pub(super) body: Pattern,
    /// What goes on after the answer and must be over before the next call.
    pub(super) settles: Vec<Settle>,
}

/// What the server does in its own time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settle {
    /// The machine is deleted once its executions are stopped.
    Deletion(String),
    /// The execution ends by itself.
    End(String),
}

impl Slots {
    pub(super) fn fresh(&mut self) -> Slot {
        self.0.push(None);
        Slot(self.0.len() - 1)
    }

    pub(super) fn known(&self, slot: Slot) -> Option<&Value> {
        self.0[slot.0].as_ref()
    }

    pub(super) fn known_text(&self, slot: Slot) -> Option<&str> {
        self.known(slot).and_then(Value::as_str)
    }
}

impl Expected {
    pub(super) fn answer(members: Vec<(&'static str, Pattern)>) -> Expected {
        Expected { status: 200, body: Pattern::Object(members), settles: Vec::new() }
    }

    pub(super) fn refusal(code: &str, message: impl Into<String>) -> Expected {
        Expected::refused(code, Pattern::from(message.into()), Vec::new())
    }

    /// A refusal that also tells a `reason` or a `resourceName`.
    pub(super) fn refused(code: &str, message: Pattern, more: Vec<(&'static str, Pattern)>) -> Expected {
        let members =
            [("__type", Pattern::from(code)), ("message", message)].into_iter().chain(more).collect();
        let status = if code == "ServiceQuotaExceededException" { 402 } else { 400 };
        Expected { status, body: Pattern::Object(members), settles: Vec::new() }
    }

    pub(super) fn invalid_arn(arn: &str) -> Expected {
        Expected::refusal("InvalidArn", format!("Invalid Arn: 'Invalid ARN prefix: {arn}'"))
    }

    pub(super) fn then(mut self, settle: Settle) -> Expected {
        self.settles.push(settle);
        self
    }

    /// Compares, and learns.
    pub(super) fn check(&self, answer: &Answer, slots: &mut Slots) -> Result<(), String> {
        if self.status != answer.status {
            return Err(format!("the status is not {}", self.status));
        }
        self.body.check(&answer.body, slots, "the answer")
    }
}

impl Pattern {
    pub(super) fn check(&self, found: &Value, slots: &mut Slots, place: &str) -> Result<(), String> {
        let differs = |wanted: &dyn std::fmt::Display| Err(format!("{place} is {found} and not {wanted}"));
        match self {
            Pattern::Is(wanted) if wanted == found => Ok(()),
            Pattern::Is(wanted) => differs(wanted),
            Pattern::Slot(slot) => match &mut slots.0[slot.0] {
                Some(known) if known == found => Ok(()),
                Some(known) => differs(known),
                unknown => {
                    *unknown = Some(found.clone());
                    Ok(())
                }
            },
            Pattern::Json(wanted) => {
                let parsed = found.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
                if parsed.as_ref() == Some(wanted) {
                    Ok(())
                } else {
                    differs(&format!("the text of {wanted}"))
                }
            }
            Pattern::Begins(start) if found.as_str().is_some_and(|text| text.starts_with(start)) => Ok(()),
            Pattern::Begins(start) => differs(&format!("'{start}…'")),
            Pattern::Around(before, slot, after) => {
                let text = found.as_str().and_then(|text| text.strip_prefix(before.as_str()));
                match text.and_then(|text| text.strip_suffix(after)) {
                    Some(chosen) => Pattern::Slot(*slot).check(&json!(chosen), slots, place),
                    None => differs(&format!("'{before}…{after}'")),
                }
            }
            Pattern::Object(members) => check_members(members, found, slots, place),
            Pattern::List(items) => match found.as_array() {
                Some(found) if found.len() == items.len() => {
                    let mut pairs = items.iter().zip(found).enumerate();
                    pairs.try_for_each(|(at, (item, found))| {
                        item.check(found, slots, &format!("{place}[{at}]"))
                    })
                }
                _other => differs(&format!("a list of {}", items.len())),
            },
        }
    }
}

fn check_members(
    members: &[(&'static str, Pattern)],
    found: &Value,
    slots: &mut Slots,
    place: &str,
) -> Result<(), String> {
    let Some(object) = found.as_object() else { return Err(format!("{place} is {found} and no object")) };
    if let Some(more) = object.keys().find(|name| members.iter().all(|(known, _)| known != name)) {
        return Err(format!("{place} has a member {more}"));
    }
    members.iter().try_for_each(|(name, pattern)| {
        let found = object.get(*name).ok_or_else(|| format!("{place} has no member {name}"))?;
        pattern.check(found, slots, &format!("{place}.{name}"))
    })
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Pattern {
        Pattern::Is(json!(text))
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Pattern {
        Pattern::Is(Value::String(text))
    }
}

impl From<Value> for Pattern {
    fn from(value: Value) -> Pattern {
        Pattern::Is(value)
    }
}

impl From<Slot> for Pattern {
    fn from(slot: Slot) -> Pattern {
        Pattern::Slot(slot)
    }
}

/// A member of a request, as a text; none if it is not there.
pub(super) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &Pattern, found: &Value, slots: &mut Slots) -> String {
        pattern.check(found, slots, "it").err().unwrap_or_else(|| "same".to_owned())
    }

    #[test]
    fn what_the_server_chooses_stays_the_same() {
        let mut slots = Slots::default();
        let slot = slots.fresh();
        let pattern = Pattern::Object(vec![("at", slot.into())]);
        assert_eq!(check(&pattern, &json!({"at": 1.5}), &mut slots), "same");
        assert_eq!(check(&pattern, &json!({"at": 1.5}), &mut slots), "same");
        assert_eq!(check(&pattern, &json!({"at": 2.5}), &mut slots), "it.at is 2.5 and not 1.5");
    }

    #[test]
    fn what_the_server_chooses_is_learnt_from_a_message_too() {
        let mut slots = Slots::default();
        let slot = slots.fresh();
        let pattern = Pattern::Around("it is at ".to_owned(), slot, ".");
        assert_eq!(
            check(&pattern, &json!("it is there"), &mut slots),
            "it is \"it is there\" and not 'it is at ….'"
        );
        assert_eq!(check(&pattern, &json!("it is at r1."), &mut slots), "same");
        assert_eq!(slots.known_text(slot), Some("r1"));
        assert_eq!(check(&pattern, &json!("it is at r2."), &mut slots), "it is \"r2\" and not \"r1\"");
    }

    #[test]
    fn differences_are_told_with_their_place() {
        let pattern = Pattern::Object(vec![
            ("a", Pattern::List(vec![json!(1).into()])),
            ("b", Pattern::Json(json!({"c": 2}))),
            ("d", Pattern::Begins("Unexpected")),
        ]);
        let mut slots = Slots::default();
        let mut check =
            |found: Value, expected: &str| assert_eq!(check(&pattern, &found, &mut slots), expected);
        check(json!({"a": [1], "b": "{ \"c\": 2 }", "d": "Unexpected end"}), "same");
        check(json!({"a": [2], "b": "{\"c\":2}", "d": "Unexpected"}), "it.a[0] is 2 and not 1");
        check(json!({"a": [], "b": "{\"c\":2}", "d": "Unexpected"}), "it.a is [] and not a list of 1");
        check(json!({"a": [1], "b": "{}", "d": ""}), "it.b is \"{}\" and not the text of {\"c\":2}");
        check(json!({"a": [1], "b": "{\"c\":2}", "d": ""}), "it.d is \"\" and not 'Unexpected…'");
        check(json!({"a": [1], "b": "{\"c\":2}"}), "it has no member d");
        check(json!({"a": [1], "b": "{\"c\":2}", "d": "Unexpected", "e": 1}), "it has a member e");
    }
}
