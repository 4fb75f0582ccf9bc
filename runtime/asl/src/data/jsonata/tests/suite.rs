//! The official test suite of JSONata, run with every guard in place. It is kept beside the work tree.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonata_core::value::JValue;
use serde_json::Value;

use crate::data::allowance::{Allowance, stopped};

use super::super::{analysis, convert, engine, guard};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/jsonata-suite");
/// Groups of the language after the level that AWS documents (2.0.6), and of `$eval`, which it leaves out.
const OUTSIDE: [&str; 3] = ["coalescing-operator.json", "default-operator.json", "function-eval.json"];
/// Of a thousand cases this many must pass.
const PASSING_MIN: usize = 995;
/// The codes with which the engine and the suite name a limit on depth, time or length.
const LIMITS: [&str; 5] = ["U1001", "D1011", "D1012", "D2014", "D2015"];

struct Case {
    name: String,
    case: Value,
    source: String,
    data: Option<Value>,
}

/// None if the folder is not there.
fn cases() -> Option<Vec<Case>> {
    let folder = Path::new(FOLDER);
    let mut files: Vec<_> =
        fs::read_dir(folder.join("groups")).ok()?.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        if OUTSIDE.iter().any(|outside| file.ends_with(outside)) {
            continue;
        }
        let group = parsed(&file);
        for case in group["cases"].as_array().unwrap() {
            let source = match case["expr-file"].as_str() {
                Some(file) => group["expressions"][file].as_str().unwrap().to_owned(),
                None => case["expr"].as_str().unwrap_or_default().to_owned(),
            };
            let data = match case["dataset"].as_str() {
                Some(name) => Some(parsed(&folder.join("datasets").join(format!("{name}.json")))),
                None => case.get("data").cloned(),
            };
            let name = case["name"].as_str().unwrap_or_default().to_owned();
            all.push(Case { name, case: case.clone(), source, data });
        }
    }
    Some(all)
}

/// One case expects `$now` to agree with `$toMillis`, which fills a date that is not given with the system's.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// Two cases hold half of a surrogate pair, which no text in Rust can.
fn parsed(file: &Path) -> Value {
    let bytes = fs::read(file).unwrap();
    serde_json::from_str(&String::from_utf8_lossy(&bytes)).unwrap()
}

impl Case {
    /// A document of its own, and an operator of a later version, are no matter of this suite's run.
    fn run(&self) -> Result<Option<Value>, String> {
        let mut ast = engine::parse(&self.source)?;
        let bound = match analysis::analyse(&mut ast) {
            Ok(names) => names.bound,
            Err(objection) if objection.contains("'?") => return Err(format!("S0201: {objection}")),
            Err(_) => analysis::bound(&mut ast),
        };
        guard::guard(&mut ast, &bound);
        let document = self.data.as_ref().map_or(JValue::Undefined, convert::into_engine);
        let bindings = self.case["bindings"].as_object().into_iter().flatten();
        let bindings = bindings.map(|(name, value)| (name.clone(), convert::into_engine(value))).collect();
        let chance = engine::Chance { seed: [7; 32], milliseconds: now() };
        let value = engine::evaluate(&ast, &document, bindings, chance, &Allowance::new(stopped))?;
        Ok(if value.is_undefined() { None } else { convert::from_engine(&value).ok() })
    }

    fn difference(&self) -> Option<String> {
        let got = self.run();
        let wanted = if let Some(code) = self.case.get("code").or_else(|| self.case["error"].get("code")) {
            let code = code.as_str().unwrap_or_default();
            let is_limit = |text: &str| LIMITS.iter().any(|limit| text.starts_with(limit));
            match &got {
                Err(text) if text.starts_with(code) || is_limit(text) && is_limit(code) => return None,
                Err(_) | Ok(_) => code.to_owned(),
            }
        } else {
            let wanted = self.case.get("result").filter(|_| self.case["undefinedResult"] != true);
            if let Ok(value) = &got
                && is_equal(value.as_ref(), wanted)
            {
                return None;
            }
            format!("{wanted:?}")
        };
        Some(format!("{}: {}\n    wanted {wanted}\n    got    {got:?}", self.name, self.source))
    }
}

fn is_equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => convert::into_engine(left) == convert::into_engine(right),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[test]
fn official_cases() {
    let Some(cases) = cases() else {
        println!("SKIPPED: the JSONata suite is not there, so nothing was compared with it");
        return;
    };
    let failures: Vec<String> = cases.iter().filter_map(Case::difference).collect();
    let passed = cases.len() - failures.len();
    println!("{passed} of {} cases of the JSONata suite pass", cases.len());
    let shown = failures.join("\n");
    println!("{shown}");
    assert!(cases.len() > 1_200, "the suite is whole");
    assert!(passed * 1_000 >= cases.len() * PASSING_MIN, "{passed} of {}:\n{shown}", cases.len());
}
