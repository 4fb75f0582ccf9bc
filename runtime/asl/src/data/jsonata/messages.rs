//! The engine's error texts in the words of JSONata's reference implementation, which are those that AWS shows.
//!
//! Both begin with the same code. Where the reference also shows a value that the engine does not tell, the
//! sentence ends before it.

use super::analysis::Names;

/// Codes whose sentence is always the same, or whose values the engine does not tell.
const SENTENCES: [(&str, &str); 10] = [
    ("D1002", "Cannot negate a non-numeric value"),
    ("D3001", "Attempting to invoke string function on Infinity or NaN"),
    ("D3010", "Second argument of replace function cannot be an empty string"),
    ("T1005", "Attempted to invoke a non-function"),
    ("T1006", "Attempted to invoke a non-function"),
    ("T1007", "Attempted to partially apply a non-function"),
    ("T1008", "Attempted to partially apply a non-function"),
    ("T2003", "The left side of the range operator (..) must evaluate to an integer"),
    ("T2004", "The right side of the range operator (..) must evaluate to an integer"),
    ("D3138", "The $single() function expected exactly 1 matching result.  Instead it matched more."),
];

/// How many arguments functions take at the most.
const ARGUMENTS: [(&str, &[&str]); 3] = [
    (
        "1",
        &[
            "abs",
            "average",
            "base64decode",
            "base64encode",
            "boolean",
            "ceil",
            "count",
            "decodeUrl",
            "decodeUrlComponent",
            "distinct",
            "encodeUrl",
            "encodeUrlComponent",
            "error",
            "exists",
            "floor",
            "keys",
            "length",
            "lowercase",
            "max",
            "merge",
            "min",
            "not",
            "number",
            "reverse",
            "shuffle",
            "spread",
            "sqrt",
            "sum",
            "trim",
            "type",
            "uppercase",
        ],
    ),
    (
        "2",
        &[
            "append",
            "assert",
            "contains",
            "each",
            "filter",
            "formatBase",
            "formatInteger",
            "join",
            "lookup",
            "map",
            "now",
            "parseInteger",
            "power",
            "round",
            "sift",
            "single",
            "sort",
            "string",
            "substringAfter",
            "substringBefore",
            "toMillis",
        ],
    ),
    ("3", &["formatNumber", "fromMillis", "match", "pad", "reduce", "split", "substring"]),
];

/// Rewrites a text. `names` are those of the expression. The engine does not say which function or which operator it
/// means, so that is known only where there is a single one.
pub(super) fn as_reference(text: &str, names: &Names) -> String {
    let Some((code, sentence)) = text.split_once(": ") else { return text.to_owned() };
    if let Some((_, words)) = SENTENCES.iter().find(|(known, _)| *known == code) {
        // The name of a function that is missing is left out too.
        return format!("{code}: {words}");
    }
    let words = match code {
        "T2001" | "T2002" => operand(sentence),
        "D3030" => between(sentence, "Cannot convert '", "' to number")
            .map(|value| format!("Unable to cast value to a number: \"{value}\"")),
        "D3100" => sentence.strip_prefix("Radix must be between 2 and 36, got ").map(|given| {
            format!("The radix of the formatBase function must be between 2 and 36.  It was given {given}")
        }),
        "D3130" => Some(format!(
            "Formatting or parsing an integer as a sequence starting with \"{sentence}\" is not supported by this \
             implementation"
        )),
        "T1010" => Some(sentence.replace("function $split", "function \"split\"")),
        // The reference shows the two values, of which the engine's own text says nothing.
        "T2009" => sentence
            .strip_prefix("The expressions on either side ")
            .map(|rest| format!("The values either side {rest}")),
        "T2010" => Some(match names.comparisons.first().filter(|_| names.comparisons.len() == 1) {
            Some(sign) => format!(
                "The expressions either side of operator \"{sign}\" must evaluate to numeric or string values"
            ),
            None => "The expressions either side of the operator must evaluate to numeric or string values"
                .to_owned(),
        }),
        "T0410" | "T0411" | "T0412" => argument(code, sentence, names),
        _other => None,
    };
    words.map_or_else(|| text.to_owned(), |words| format!("{code}: {words}"))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

/// The reference writes the operator in quotes.
fn operand(sentence: &str) -> Option<String> {
    let side = if sentence.starts_with("The left") { "left" } else { "right" };
    let operator =
        between(sentence, &format!("The {side} side of the "), " operator must evaluate to a number")?;
    Some(format!("The {side} side of the \"{operator}\" operator must evaluate to a number"))
}

/// What does not fit the signature of a function. The name that the engine gives, if it gives one, counts.
fn argument(code: &str, sentence: &str, names: &Names) -> Option<String> {
    let functions = &names.functions;
    let given = sentence.split_once(" of function ").map(|(_, rest)| rest.trim_start_matches(['$', '"']));
    let given = given.and_then(|rest| rest.split([' ', '"']).next()).filter(|name| functions.contains(*name));
    let only = functions.first().filter(|_| functions.len() == 1).map(String::as_str);
    let name = given.or(only)?;
    let index = sentence.split_once("rgument ").and_then(|(_, rest)| rest.split(' ').next());
    let index = index.filter(|index| index.bytes().all(|byte| byte.is_ascii_digit()));
    match code {
        "T0412" => {
            let kind = sentence.rsplit_once("must be an array of ")?.1.to_lowercase();
            Some(format!("Argument {} of function \"{name}\" must be an array of \"{kind}s\"", index?))
        }
        "T0411" => Some(format!(
            "Context value is not a compatible type with argument {} of function \"{name}\"",
            index.unwrap_or("1")
        )),
        _other => {
            let place = match index {
                Some(index) => index.to_owned(),
                None => misplaced(sentence, name)?.to_string(),
            };
            Some(format!("Argument {place} of function \"{name}\" does not match function signature"))
        }
    }
}

/// The first argument that is missing or too much, where there are not as many as the function takes.
fn misplaced(sentence: &str, name: &str) -> Option<usize> {
    let (expected, given) =
        between(sentence, "Argument count mismatch: expected ", "")?.split_once(", got ")?;
    let (expected, given): (usize, usize) = (expected.parse().ok()?, given.parse().ok()?);
    let known =
        ARGUMENTS.iter().find(|(_, names)| names.contains(&name)).and_then(|(most, _)| most.parse().ok());
    let most: usize = known.unwrap_or(expected);
    Some(if given > most { most + 1 } else { given + 1 })
}

#[cfg(test)]
mod tests {
    use super::super::tests::hostile::threw;
    use super::*;

    fn check(functions: &[&str], text: &str, expected: &str) {
        let functions = functions.iter().map(|name| (*name).to_owned()).collect();
        let names = Names { functions, comparisons: ["<="].into(), ..Names::default() };
        assert_eq!(as_reference(text, &names), expected);
    }

    #[test]
    fn says_what_the_reference_says() {
        check(
            &[],
            "T1006: Attempted to invoke a non-function: $f",
            "T1006: Attempted to invoke a non-function",
        );
        check(
            &[],
            "T2001: The left side of the - operator must evaluate to a number",
            "T2001: The left side of the \"-\" operator must evaluate to a number",
        );
        check(
            &["number"],
            "D3030: Cannot convert 'x' to number",
            "D3030: Unable to cast value to a number: \"x\"",
        );
        check(&[], "T2003: Left operand of range operator must be an integer", SENTENCE_OF_RANGE);
        check(
            &["sum"],
            "T0412: Argument 1 must be an array of Number",
            "T0412: Argument 1 of function \"sum\" must be an array of \"numbers\"",
        );
        check(
            &["uppercase"],
            "T0410: Argument 1 must be String",
            "T0410: Argument 1 of function \"uppercase\" does not match function signature",
        );
        check(
            &["keys"],
            "T0410: Argument count mismatch: expected 1, got 3",
            "T0410: Argument 2 of function \"keys\" does not match function signature",
        );
        check(
            &["sift", "map"],
            "T0410: Argument 2 of function sift does not match function signature",
            "T0410: Argument 2 of function \"sift\" does not match function signature",
        );
        check(
            &["filter"],
            "T0410: Argument count mismatch: expected 2, got 1",
            "T0410: Argument 2 of function \"filter\" does not match function signature",
        );
        check(
            &[],
            "T2010: Cannot compare null and number",
            "T2010: The expressions either side of operator \"<=\" must evaluate to numeric or string values",
        );
    }

    const SENTENCE_OF_RANGE: &str =
        "T2003: The left side of the range operator (..) must evaluate to an integer";

    #[test]
    fn keeps_what_it_does_not_know() {
        for text in
            ["no code", "D3137: boom", "D3137: a: b", "X9999: odd", "T0410: Argument 1 must be String"]
        {
            check(&["map", "sum"], text, text);
        }
        check(&[], "D3030: Cannot convert null to number", "D3030: Cannot convert null to number");
    }

    #[test]
    fn the_engine_gives_such_texts() {
        for (source, expected) in [
            ("1 < 'a'", "T2009: The values either side of operator \"<\" must be of the same data type"),
            ("1 + 'a'", "T2002: The right side of the \"+\" operator must evaluate to a number"),
            ("$number('x')", "D3030: Unable to cast value to a number: \"x\""),
            ("$length(1)", "T0410: Argument 1 of function \"length\" does not match function signature"),
            ("$sum(['a'])", "T0412: Argument 1 of function \"sum\" must be an array of \"numbers\""),
            ("[1..'a']", "T2004: The right side of the range operator (..) must evaluate to an integer"),
            (
                "$formatBase(1, 99)",
                "D3100: The radix of the formatBase function must be between 2 and 36.  It was given 99",
            ),
        ] {
            assert_eq!(threw(source), expected, "{source}");
        }
    }
}
