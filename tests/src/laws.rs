//! Laws of the data flow, held against a plain model on random definitions and inputs.
//!
//! Each law is tried with [`ROUNDS`] seeds; a failure names its seed.

use std::collections::BTreeMap;
use std::fmt::Write;

use asl::data::path::{ReferencePath, values};
use asl::definition::{MachineType, parse};
use asl::interpreter::{Ending, TaskRequest};
use asl::{Data, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Map, Value, json};

use crate::runner::{self, Options};
use crate::worker::{Attempt, Workers};

const ROUNDS: u64 = 400;
const NOW: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);
/// Few names, so that paths often lead somewhere.
const NAMES: [&str; 4] = ["a", "b", "c d", "e-f"];
/// Numbers in forms that a careless reader changes.
const NUMBERS: [&str; 8] =
    ["0", "-1", "1.0", "1.50", "12345678901234567890", "9007199254740993", "1e2", "0.30000000000000004"];

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u32()).unwrap() % bound
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.below(NAMES.len())]
    }

    /// A JSON text with blanks where they may be.
    fn text(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 4 } else { 7 }) {
            0 => ["null", "true", "false"][self.below(3)].to_owned(),
            1 => NUMBERS[self.below(NUMBERS.len())].to_owned(),
            2 => r#""é \" \\ \n""#.to_owned(),
            3 => r#""x""#.to_owned(),
            4 => {
                let items: Vec<String> = (0..self.below(4)).map(|_| self.text(depth - 1)).collect();
                format!("[ {} ]", items.join(" , "))
            }
            _ => self.object(depth),
        }
    }

    /// Members in any order, each name once.
    fn object(&mut self, depth: usize) -> String {
        let mut names: Vec<&str> = NAMES.to_vec();
        for at in (1..names.len()).rev() {
            names.swap(at, self.below(at + 1));
        }
        names.truncate(self.below(NAMES.len() + 1));
        let members: Vec<String> = names
            .into_iter()
            .map(|name| format!("\"{name}\" : {}", self.text(depth.saturating_sub(1))))
            .collect();
        format!("{{ {} }}", members.join(", "))
    }

    /// A reference path, and its steps.
    fn path(&mut self) -> (String, Vec<Step>) {
        let steps: Vec<Step> = (0..self.below(4))
            .map(|_| match self.below(4) {
                0 => Step::Index(i64::try_from(self.below(4)).unwrap() - 1),
                _ => Step::Name(self.name()),
            })
            .collect();
        let text = steps.iter().fold(String::from("$"), |text, step| match step {
            Step::Name(name) => text + &format!("['{name}']"),
            Step::Index(index) => text + &format!("[{index}]"),
        });
        (text, steps)
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Name(&'static str),
    Index(i64),
}

fn position(index: i64, items: &[Value]) -> Option<usize> {
    let length = i64::try_from(items.len()).unwrap();
    let at = if index < 0 { index + length } else { index };
    (0..length).contains(&at).then(|| usize::try_from(at).unwrap())
}

/// What a path means, said in the plainest way.
fn get(value: &Value, steps: &[Step]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value.clone()) };
    let next = match (step, value) {
        (Step::Name(name), Value::Object(members)) => members.get(*name)?,
        (Step::Index(index), Value::Array(items)) => &items[position(*index, items)?],
        _ => return None,
    };
    get(next, rest)
}

/// The value with another one put in, or none if it has no such place and none can be made.
fn set(value: Option<Value>, steps: &[Step], new: &Value) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(new.clone()) };
    match (step, value) {
        (Step::Name(name), Some(Value::Object(mut members))) => {
            let inner = set(members.get(*name).cloned(), rest, new)?;
            members.insert((*name).to_owned(), inner);
            Some(Value::Object(members))
        }
        (Step::Name(name), None) => {
            Some(Value::Object(Map::from_iter([((*name).to_owned(), set(None, rest, new)?)])))
        }
        (Step::Index(index), Some(Value::Array(mut items))) => {
            let at = position(*index, &items)?;
            items[at] = set(Some(items[at].clone()), rest, new)?;
            Some(Value::Array(items))
        }
        (Step::Name(_) | Step::Index(_), _) => None,
    }
}

struct Nobody;

impl Workers for Nobody {
    fn attempt(&mut self, request: &TaskRequest) -> Attempt {
        panic!("there is no task: {request:?}")
    }
}

/// How a machine of these states ends: its output's text, or its error's name.
fn outcome(states: &Value, language: &str, input: &str) -> Result<String, String> {
    let text = json!({"QueryLanguage": language, "StartAt": "S0", "States": states}).to_string();
    let parsed = parse(&text, MachineType::Standard);
    let definition = parsed.definition.unwrap_or_else(|| panic!("{text}: {:?}", parsed.diagnostics));
    let info = runner::info(Data::parse(input).unwrap(), NOW);
    match runner::run(&definition, info, &mut Nobody, &Options::default()).ending.unwrap() {
        Ending::Succeeded { output } => Ok(output.text().to_owned()),
        Ending::Failed(error) => Err(error.error.unwrap()),
        other @ (Ending::TimedOut(_) | Ending::Aborted(_)) => panic!("{other:?}"),
    }
}

/// A Pass state with these fields.
fn pass(mut fields: Value, input: &str) -> Result<String, String> {
    let members = fields.as_object_mut().unwrap();
    members.insert("Type".to_owned(), json!("Pass"));
    members.insert("End".to_owned(), json!(true));
    outcome(&json!({"S0": fields}), "JSONPath", input)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Tries a law with every seed.
fn for_all(law: impl Fn(&mut Random) + std::panic::RefUnwindSafe) {
    for seed in 0..ROUNDS {
        let round = || law(&mut Random(ChaCha8Rng::seed_from_u64(seed)));
        if let Err(panic) = std::panic::catch_unwind(round) {
            let message = panic.downcast_ref::<String>().map_or("", String::as_str);
            panic!("the law is broken with seed {seed}: {message}");
        }
    }
}

/// A model's answer against the interpreter's: the same text, or the error that belongs to there being none.
fn agree(actual: &Result<String, String>, expected: Option<Value>, error: &str, what: &str) {
    let expected = expected.map(|value| value.to_string()).ok_or_else(|| error.to_owned());
    let actual = actual.as_ref().map(|text| parsed(text).to_string()).map_err(Clone::clone);
    assert_eq!(actual, expected, "{what}");
}

#[test]
fn what_nothing_touches_stays_as_it_was_written() {
    for_all(|random| {
        let input = random.text(4);
        assert_eq!(pass(json!({}), &input), Ok(input.clone()));
        assert_eq!(pass(json!({"Result": {"x": 1}, "ResultPath": null}), &input), Ok(input.clone()));
        assert_eq!(
            pass(json!({"InputPath": "$", "OutputPath": "$", "ResultPath": "$"}), &input),
            Ok(input.clone())
        );
        let jsonata = json!({"S0": {"Type": "Pass", "End": true}});
        assert_eq!(outcome(&jsonata, "JSONata", &input), Ok(input.clone()));
    });
}

#[test]
fn numbers_keep_their_form_and_members_their_order() {
    for_all(|random| {
        let input = random.object(4);
        // A copy is written anew: without blanks, and otherwise the same.
        let copy = pass(json!({"Parameters": {"copy.$": "$"}, "OutputPath": "$.copy"}), &input).unwrap();
        let plain: String = parsed(&input).to_string();
        assert_eq!(copy, plain);
        for number in NUMBERS.iter().filter(|number| input.contains(&format!(" {number} "))) {
            let kept = parsed(number).to_string();
            assert!(copy.contains(&kept), "{number} in {copy}");
        }
        let jsonata = json!({"S0": {"Type": "Pass", "Output": {"copy": "{% $states.input %}"}, "End": true}});
        assert_eq!(outcome(&jsonata, "JSONata", &input), Ok(format!("{{\"copy\":{plain}}}")));
    });
}

#[test]
fn input_path_selects_and_output_path_selects_again() {
    for_all(|random| {
        let (input, (first, steps), (second, then)) = (random.text(4), random.path(), random.path());
        let value = parsed(&input);
        let selected = get(&value, &steps);
        let actual = pass(json!({"InputPath": first}), &input);
        agree(&actual, selected.clone(), "States.Runtime", &format!("{first} of {input}"));
        let actual = pass(json!({"InputPath": first, "OutputPath": second}), &input);
        let both = selected.and_then(|value| get(&value, &then));
        agree(&actual, both, "States.Runtime", &format!("{second} of {first} of {input}"));
        assert_eq!(pass(json!({"InputPath": null}), &input), Ok("{}".to_owned()));
        assert_eq!(pass(json!({"OutputPath": null}), &input), Ok("{}".to_owned()));
    });
}

#[test]
fn result_path_puts_the_result_into_the_raw_input() {
    for_all(|random| {
        let (input, result, (path, steps)) = (random.text(4), parsed(&random.text(2)), random.path());
        let expected = set(Some(parsed(&input)), &steps, &result);
        let fields = json!({"InputPath": null, "Result": result, "ResultPath": path});
        let actual = pass(fields, &input);
        agree(&actual, expected, "States.ResultPathMatchFailure", &format!("{path} into {input}"));
    });
}

#[test]
fn templates_compute_each_field_from_the_selected_input() {
    for_all(|random| {
        let (input, (from, start)) = (random.text(4), random.path());
        let (mut template, mut expected) = (Map::new(), Some(Map::new()));
        let selected = get(&parsed(&input), &start);
        for number in 0..random.below(5) {
            let name = format!("f{number}");
            let literal = parsed(&random.text(1));
            let (path, steps) = random.path();
            let found = selected.as_ref().and_then(|value| get(value, &steps));
            let (field, computed) = match random.below(3) {
                0 => ((name.clone(), literal.clone()), Some(literal)),
                1 => ((format!("{name}.$"), json!(path)), found),
                _ => (
                    (name.clone(), json!({"deep": [{"x.$": path}, literal]})),
                    found.map(|found| json!({"deep": [{"x": found}, literal]})),
                ),
            };
            template.insert(field.0, field.1);
            expected = expected.zip(computed).map(|(mut members, value)| {
                members.insert(name, value);
                members
            });
        }
        let expected = selected.and(expected).map(Value::Object);
        let actual = pass(json!({"InputPath": from, "Parameters": template}), &input);
        agree(
            &actual,
            expected,
            "States.Runtime",
            &format!("{} on {from} of {input}", Value::Object(template)),
        );
    });
}

#[test]
fn a_reference_path_finds_what_it_has_set_and_leaves_the_rest() {
    for_all(|random| {
        let value = parsed(&random.text(4));
        let ((text, steps), (other, apart)) = (random.path(), random.path());
        let path = ReferencePath::parse(&text).unwrap();
        let new = parsed(&random.text(2));
        let mut changed = value.clone();
        let expected = set(Some(value.clone()), &steps, &new);
        assert_eq!(path.set(&mut changed, new.clone()).is_ok(), expected.is_some(), "{text} {value}");
        assert_eq!(changed, expected.clone().unwrap_or_else(|| value.clone()), "{text} {value}");
        if expected.is_some() {
            assert_eq!(path.get(&changed).ok(), Some(&new), "{text} {value}");
            let mut again = changed.clone();
            path.set(&mut again, new).unwrap();
            assert!(values::equal(&again, &changed), "to set twice is to set once: {text} {value}");
        }
        // Where the two ways part by name, the other one leads where it led.
        let parting = steps.iter().zip(&apart).find(|(left, right)| !is_same(left, right));
        if let Some((Step::Name(_), Step::Name(_))) = parting {
            let before = ReferencePath::parse(&other).unwrap();
            assert_eq!(before.get(&value).ok(), before.get(&changed).ok(), "{text} {other} {value}");
        }
    });
}

fn is_same(left: &Step, right: &Step) -> bool {
    match (left, right) {
        (Step::Name(left), Step::Name(right)) => left == right,
        (Step::Index(left), Step::Index(right)) => left == right,
        (Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_)) => false,
    }
}

/// Every expression of one Assign sees the variables as they were before it, in either language.
#[test]
fn variables_are_assigned_at_once() {
    const VARIABLES: [&str; 3] = ["x", "y", "z"];
    for_all(|random| {
        for (language, written) in [("JSONPath", "$"), ("JSONata", "")] {
            let mut model: BTreeMap<&str, String> =
                VARIABLES.iter().map(|name| (*name, format!("{name}0"))).collect();
            let first: Map<String, Value> =
                model.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            let mut states = json!({"S0": {"Type": "Pass", "Assign": first, "Next": "S1"}});
            let rounds = 1 + random.below(4);
            for round in 1..=rounds {
                let before = model.clone();
                let mut assign = Map::new();
                for name in VARIABLES {
                    if random.below(3) == 0 {
                        continue;
                    }
                    let from = VARIABLES[random.below(VARIABLES.len())];
                    model.insert(name, before[from].clone());
                    if written.is_empty() {
                        assign.insert(name.to_owned(), json!(format!("{{% ${from} %}}")));
                    } else {
                        assign.insert(format!("{name}.$"), json!(format!("${from}")));
                    }
                }
                states[format!("S{round}")] =
                    json!({"Type": "Pass", "Assign": assign, "Next": format!("S{}", round + 1)});
            }
            let show = |field: &str| match language {
                "JSONata" => json!(VARIABLES.map(|name| format!("{{% ${name} %}}"))),
                _ => {
                    json!({field: format!("States.Array({})", VARIABLES.map(|name| format!("${name}")).join(", "))})
                }
            };
            states[format!("S{}", rounds + 1)] = match language {
                "JSONata" => json!({"Type": "Succeed", "Output": show("")}),
                _ => json!({"Type": "Pass", "Parameters": show("all.$"), "OutputPath": "$.all", "End": true}),
            };
            let expected: Vec<&String> = VARIABLES.iter().map(|name| &model[name]).collect();
            assert_eq!(outcome(&states, language, "{}"), Ok(json!(expected).to_string()), "{states}");
        }
    });
}

/// Whatever is asked of whatever input: an output that fits into a payload, or an error with a name.
#[test]
fn what_is_computed_fits_or_fails() {
    let large = "x".repeat(60_000);
    for_all(|random| {
        let mut input = String::from("{");
        for (at, name) in NAMES.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(input, "{comma}\"{name}\":[\"{large}\",{}]", random.text(2)).unwrap();
        }
        input.push('}');
        let mut template = Map::new();
        for number in 0..random.below(8) {
            let (path, _) = random.path();
            let call = match random.below(4) {
                0 => path,
                1 => format!("States.Array({path}, {path}, {path})"),
                2 => format!("States.Format('{{}}{{}}', {path}, {path})"),
                _ => format!("States.JsonToString({path})"),
            };
            template.insert(format!("f{number}.$"), json!(call));
        }
        match pass(json!({"Parameters": template}), &input) {
            Ok(output) => assert!(output.len() <= asl::limits::PAYLOAD_BYTES_MAX, "{}", output.len()),
            Err(error) => assert!(
                ["States.Runtime", "States.IntrinsicFailure", "States.DataLimitExceeded"]
                    .contains(&error.as_str()),
                "{error}"
            ),
        }
    });
}
