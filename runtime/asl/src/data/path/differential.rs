//! Compares the evaluator with a plain recursive one, on random paths and values, and parses mangled texts.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};

use super::{Path, Segment};

/// What stands after the root, in the alphabet of the random values.
const PARTS: [&str; 14] = [
    ".a",
    ".b",
    "['a','b']",
    "[0]",
    "[-1]",
    "[0,2]",
    "[1:]",
    "[:-1]",
    "[::2]",
    "[*]",
    "..a",
    "..[0]",
    "[?(@.a == 1)]",
    "[?(@.b || @.a > 1)]",
];

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u32()).unwrap() % bound
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 3 } else { 7 }) {
            0 => Value::Null,
            1 => json!(1),
            2 => json!(2),
            3 | 4 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let names = ["a", "b", "c"].into_iter().take(self.below(4));
                Value::Object(names.map(|name| (name.to_owned(), self.value(depth - 1))).collect())
            }
        }
    }

    fn path(&mut self) -> String {
        (0..=self.below(4)).fold("$".to_owned(), |path, _| path + PARTS[self.below(PARTS.len())])
    }
}

/// Depth first, as Jayway goes, and without regard to what is definite.
fn oracle(segments: &[Segment], value: &Value, found: &mut Vec<Value>) {
    let Some((segment, rest)) = segments.split_first() else {
        found.push(value.clone());
        return;
    };
    let index = |items: &[Value], at: i64| {
        let length = i64::try_from(items.len()).unwrap();
        let at = if at < 0 { length + at } else { at };
        (0..length).contains(&at).then(|| items[usize::try_from(at).unwrap()].clone())
    };
    let accepts = |item: &Value| {
        if format!("{segment:?}").contains("Any") {
            item.get("b").is_some() || item.get("a").and_then(Value::as_i64).is_some_and(|a| a > 1)
        } else {
            item.get("a") == Some(&json!(1))
        }
    };
    let mut next = Vec::new();
    match (segment, value) {
        (Segment::Property(name), value) => next.extend(value.get(name).cloned()),
        (Segment::Properties(names), Value::Object(fields)) if rest.is_empty() => {
            let chosen = names.iter().filter_map(|name| Some((name.clone(), fields.get(name)?.clone())));
            next.push(Value::Object(chosen.collect()));
        }
        (Segment::Properties(names), value) => {
            next.extend(names.iter().filter_map(|name| value.get(name)).cloned())
        }
        (Segment::Index(at), Value::Array(items)) => next.extend(index(items, *at)),
        (Segment::Indices(list), Value::Array(items)) => {
            next.extend(list.iter().filter_map(|at| index(items, *at)))
        }
        (Segment::Slice { start, end, step }, Value::Array(items)) => {
            let length = items.len();
            let bound = |bound: i64| if bound < 0 { length.saturating_sub(1) } else { 1.min(length) };
            let (start, end) = (start.map_or(0, bound), end.map_or(length, bound));
            next.extend((start..end).step_by(*step).map(|at| items[at].clone()));
        }
        (Segment::Wildcard, Value::Array(items)) => next.extend(items.iter().cloned()),
        (Segment::Wildcard, Value::Object(fields)) => next.extend(fields.values().cloned()),
        (Segment::Filter(_), Value::Array(items)) => {
            next.extend(items.iter().filter(|item| accepts(item)).cloned())
        }
        (Segment::Filter(_), Value::Object(_)) if accepts(value) => next.push(value.clone()),
        (Segment::Descend, _) => {
            oracle(rest, value, found);
            let children: Vec<&Value> = match value {
                Value::Array(items) => items.iter().collect(),
                Value::Object(fields) => fields.values().collect(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
            };
            children.into_iter().for_each(|child| oracle(segments, child, found));
        }
        _ => {}
    }
    next.iter().for_each(|value| oracle(rest, value, found));
}

#[test]
fn gives_what_a_plain_evaluator_gives() {
    let mut random = Random(ChaCha8Rng::seed_from_u64(1));
    for _ in 0..20_000 {
        let (text, value) = (random.path(), random.value(4));
        let path = Path::parse(&text).unwrap();
        let mut expected = Vec::new();
        oracle(path.segments(), &value, &mut expected);
        match path.find(&value) {
            Ok(found) if path.is_definite() => assert_eq!(vec![found.to_value()], expected, "{text} {value}"),
            Ok(found) => assert_eq!(found.to_value(), Value::Array(expected), "{text} {value}"),
            Err(missing) => {
                assert_eq!(expected, Vec::<Value>::new(), "{text} {value}");
                let cut_root = matches!(path.segments(), [Segment::Slice { .. } | Segment::Indices(_), ..]);
                assert!(path.is_definite() || cut_root, "{text} {value} {missing}");
            }
        }
    }
}

#[test]
fn mangled_texts_never_panic() {
    const EXAMPLES: [&str; 6] = [
        "$.a.['b c','d'][0][-1:2:3]..*",
        "$[?(@.a == 'x' && !(@.b >= -1.5e3 || $.c['d'] != null))].length()",
        "$$.Execution.Input[?(@.Name==Receipt)]",
        "$größe['\\u00e9\\n'].delivery-partner",
        "$[0, 1 , 2].[*].[?(@[?(@.a.length() < 2)])]",
        "$..[?(@.a =~ /x/i || @.b in ['c'])]",
    ];
    let mut random = Random(ChaCha8Rng::seed_from_u64(2));
    for _ in 0..50_000 {
        let mut characters: Vec<char> = EXAMPLES[random.below(EXAMPLES.len())].chars().collect();
        for _ in 0..=random.below(4) {
            let (from, to) = (random.below(characters.len()), random.below(characters.len()));
            match random.below(3) {
                0 => characters.swap(from, to),
                1 if characters.len() > 1 => drop(characters.remove(from)),
                _ => characters.insert(to, characters[from]),
            }
        }
        let text: String = characters.into_iter().collect();
        match Path::parse(&text) {
            Ok(path) => {
                assert_eq!(Path::parse(path.source()).as_ref(), Ok(&path), "{text}");
                let _ = path.find(&random.value(4));
            }
            Err(error) => assert!(error.offset <= text.len(), "{text} {error}"),
        }
    }
}
