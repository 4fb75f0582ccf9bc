//! `aggregate-csv`: groups the rows of a CSV text and aggregates their columns, like SQL's `GROUP BY`.
//!
//! Input `{"csv": "region,amount\n…", "groupBy": ["region"], "aggregations": [{"function": "sum", "column":
//! "amount", "as": "total"}]}`; `groupBy` may be empty (one group of all rows), `delimiter` is a comma unless
//! given. Groups come in the order of their first row. An empty cell doesn't count, as SQL's NULL doesn't.

mod accumulator;

use std::collections::HashMap;

use accumulator::{Accumulator, Function};
use csv::{ReaderBuilder, StringRecord};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stepwell::TaskError;

/// A result with more groups wouldn't fit into a task's output anyway.
const GROUPS_MAX: usize = 10_000;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    csv: String,
    #[serde(default)]
    group_by: Vec<String>,
    aggregations: Vec<Aggregation>,
    delimiter: Option<char>,
}

#[derive(Clone, Debug, Deserialize)]
struct Aggregation {
    function: Function,
    /// Only `count` does without a column: then it counts rows.
    column: Option<String>,
    /// The name in the result; `sum_amount` for the sum of `amount` unless given.
    r#as: Option<String>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    rows: usize,
    group_count: usize,
    groups: Vec<Map<String, Value>>,
}

#[derive(Debug, PartialEq, TaskError)]
enum Refusal {
    #[task_error(cause = "{0}")]
    InvalidCsv(String),
    #[task_error(cause = "{0}")]
    InvalidRequest(String),
    #[task_error(cause = "no column is called {column}; there are {header}")]
    MissingColumn { column: String, header: String },
    #[task_error(cause = "line {line}, column {column}: {text:?} is not a number")]
    NotANumber { line: u64, column: String, text: String },
    #[task_error(cause = "more than {GROUPS_MAX} groups; group by fewer columns")]
    TooManyGroups,
}

/// An aggregation whose column has been found.
struct Measure<'a> {
    name: String,
    function: Function,
    column: Option<(usize, &'a str)>,
}

struct Group {
    key: Vec<String>,
    accumulators: Vec<Accumulator>,
}

#[stepwell::task]
fn aggregate_csv(request: Request) -> Result<Report, Refusal> {
    let delimiter = match request.delimiter {
        None => b',',
        Some(character) if character.is_ascii() => character as u8,
        Some(other) => return Err(Refusal::InvalidRequest(format!("the delimiter {other} is not ASCII"))),
    };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(request.csv.as_bytes());
    let header = reader.headers().map_err(|error| Refusal::InvalidCsv(error.to_string()))?.clone();
    let keys = request.group_by.iter().map(|name| find(&header, name)).collect::<Result<Vec<_>, _>>()?;
    let measures = measures(&header, &request)?;

    let mut groups: Vec<Group> = Vec::new();
    let mut index_of: HashMap<Vec<String>, usize> = HashMap::new();
    let mut rows = 0;
    for record in reader.records() {
        let record = record.map_err(|error| Refusal::InvalidCsv(error.to_string()))?;
        rows += 1;
        let key: Vec<_> = keys.iter().map(|column| record[*column].to_owned()).collect();
        let index = *index_of.entry(key).or_insert_with_key(|key| {
            let accumulators = measures.iter().map(|measure| Accumulator::new(measure.function)).collect();
            groups.push(Group { key: key.clone(), accumulators });
            groups.len() - 1
        });
        if groups.len() > GROUPS_MAX {
            return Err(Refusal::TooManyGroups);
        }
        add_row(&record, &measures, &mut groups[index].accumulators)?;
    }
    let groups: Vec<_> = groups.iter().map(|group| result(&request.group_by, &measures, group)).collect();
    stepwell::log::info!("{rows} rows in {} groups", groups.len());
    Ok(Report { rows, group_count: groups.len(), groups })
}

fn find(header: &StringRecord, name: &str) -> Result<usize, Refusal> {
    header.iter().position(|column| column.trim() == name).ok_or_else(|| Refusal::MissingColumn {
        column: name.to_owned(),
        header: header.iter().collect::<Vec<_>>().join(", "),
    })
}

fn measures<'a>(header: &StringRecord, request: &'a Request) -> Result<Vec<Measure<'a>>, Refusal> {
    let mut measures = Vec::<Measure<'a>>::new();
    for Aggregation { function, column, r#as } in &request.aggregations {
        let column = match column {
            Some(name) => Some((find(header, name)?, name.as_str())),
            None if *function == Function::Count => None,
            None => return Err(Refusal::InvalidRequest(format!("{} needs a column", function.name()))),
        };
        let name = r#as.clone().unwrap_or_else(|| match column {
            Some((_, column)) => format!("{}_{column}", function.name()),
            None => "count".to_owned(),
        });
        if request.group_by.contains(&name) || measures.iter().any(|measure| measure.name == name) {
            return Err(Refusal::InvalidRequest(format!("two columns of the result are called {name}")));
        }
        measures.push(Measure { name, function: *function, column });
    }
    Ok(measures)
}

fn add_row(record: &StringRecord, measures: &[Measure<'_>], into: &mut [Accumulator]) -> Result<(), Refusal> {
    for (measure, accumulator) in measures.iter().zip(into) {
        let Some((index, column)) = measure.column else {
            accumulator.add_presence();
            continue;
        };
        let text = record[index].trim();
        if text.is_empty() {
            continue;
        }
        if measure.function == Function::Count {
            accumulator.add_presence();
            continue;
        }
        // "inf" and "NaN" parse as numbers but are none that JSON could hold.
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        accumulator.add(number.ok_or_else(|| Refusal::NotANumber {
            line: record.position().map_or(0, csv::Position::line),
            column: column.to_owned(),
            text: text.to_owned(),
        })?);
    }
    Ok(())
}

fn result(group_by: &[String], measures: &[Measure<'_>], group: &Group) -> Map<String, Value> {
    let keys = group_by.iter().cloned().zip(group.key.iter().cloned().map(Value::String));
    let values = measures.iter().zip(&group.accumulators);
    keys.chain(values.map(|(measure, accumulator)| (measure.name.clone(), accumulator.value()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALES: &str = "region,product,amount\nEU,tea,1.25\nUS,tea,5\nEU,cake,2.50\nEU,tea,\n";

    fn check(input: &Value, expected: Result<&str, (&str, &str)>) {
        let output = aggregate_csv_json(&input.to_string());
        let output = output.as_deref().map_err(|error| (error.error(), error.cause()));
        assert_eq!(output, expected, "for {input}");
    }

    fn aggregation(function: &str) -> Value {
        serde_json::json!({ "function": function, "column": "amount" })
    }

    #[test]
    fn groups_come_in_the_order_of_their_first_row() {
        let all = ["sum", "avg", "min", "max", "count"].map(aggregation);
        check(
            &serde_json::json!({ "csv": SALES, "groupBy": ["region"], "aggregations": all }),
            Ok(concat!(
                r#"{"rows":4,"groupCount":2,"groups":["#,
                r#"{"region":"EU","sum_amount":3.75,"avg_amount":1.875,"min_amount":1.25,"#,
                r#""max_amount":2.5,"count_amount":2},"#,
                r#"{"region":"US","sum_amount":5,"avg_amount":5,"min_amount":5,"max_amount":5,"count_amount":1}]}"#
            )),
        );
    }

    #[test]
    fn no_group_by_is_one_group_and_count_without_a_column_counts_rows() {
        let count = serde_json::json!([{ "function": "count", "as": "sales" }]);
        check(
            &serde_json::json!({ "csv": SALES, "aggregations": count }),
            Ok(r#"{"rows":4,"groupCount":1,"groups":[{"sales":4}]}"#),
        );
    }

    #[test]
    fn other_delimiters_and_quoted_cells_are_read() {
        let csv = "name;n\n\"a;b\";1\n\"a;b\";2\n";
        let sum = [serde_json::json!({ "function": "sum", "column": "n", "as": "n" })];
        check(
            &serde_json::json!({ "csv": csv, "delimiter": ";", "groupBy": ["name"], "aggregations": sum }),
            Ok(r#"{"rows":2,"groupCount":1,"groups":[{"name":"a;b","n":3}]}"#),
        );
    }

    #[test]
    fn a_group_of_empty_cells_has_no_average() {
        check(
            &serde_json::json!({ "csv": "a,amount\nx,\n", "aggregations": [aggregation("avg"), aggregation("sum")] }),
            Ok(r#"{"rows":1,"groupCount":1,"groups":[{"avg_amount":null,"sum_amount":0}]}"#),
        );
    }

    #[test]
    fn faults_are_named_with_their_place() {
        let sum = [aggregation("sum")];
        let request = |csv: &str| serde_json::json!({ "csv": csv, "aggregations": sum });
        check(&request("a,b\n1,2\n"), Err(("MissingColumn", "no column is called amount; there are a, b")));
        check(
            &request("amount\n1\nNaN\n"),
            Err(("NotANumber", r#"line 3, column amount: "NaN" is not a number"#)),
        );
        check(
            &request("amount,b\n1,2\n3\n"),
            Err((
                "InvalidCsv",
                "CSV error: record 2 (line: 3, byte: 13): found record with 1 fields, but the previous record \
                 has 2 fields",
            )),
        );
        check(
            &serde_json::json!({ "csv": "a\n", "aggregations": [{ "function": "sum" }] }),
            Err(("InvalidRequest", "sum needs a column")),
        );
        check(
            &serde_json::json!({ "csv": SALES, "aggregations": [aggregation("sum"), aggregation("sum")] }),
            Err(("InvalidRequest", "two columns of the result are called sum_amount")),
        );
    }
}
