//! `cargo xtask bench`: a load generator, brought by whoever runs it, against a release build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::server::{self, Place, Server};
use crate::terminal::Terminal;
use crate::{command, guests, workspace};

const COUNT_DEFAULT: u64 = 20_000;
/// Executions that one client runs one after the other.
const SEQUENTIAL: u64 = 1_000;
const MAP_ITEMS: u64 = 1_000;
const TASK: &str = "echo";

struct Workload {
    name: &'static str,
    what: String,
    arguments: Vec<String>,
    /// Where the number stands in what the load generator prints: after one text, before another.
    results: &'static [(&'static str, &'static str, &'static str)],
}

pub(crate) fn run(terminal: &Terminal, loadgen: Option<String>, count: Option<u64>) -> anyhow::Result<()> {
    let Some(loadgen) = loadgen else {
        bail!(
            "the load generator is not part of this project: give the path of one with --loadgen PATH. It is called as \
             `PATH --endpoint URL --workload NAME --n N`."
        );
    };
    let loadgen = fs::canonicalize(&loadgen).with_context(|| format!("there is no program {loadgen}"))?;
    let guests = guests::build()?;
    let root = workspace::root();
    command::run(command::cargo(&root).args([
        "build",
        "--release",
        "--package",
        "server",
        "--bin",
        "stepwell",
    ]))?;
    let program = workspace::target(&root)?.join("release").join("stepwell");
    let mut rows = Vec::new();
    for workload in workloads(count.unwrap_or(COUNT_DEFAULT)) {
        terminal.heading(&format!("{}: {}", workload.name, workload.what));
        let output = measure(&program, &loadgen, &guests.file(TASK), &workload)?;
        terminal.line(output.trim_end());
        rows.push(row(&workload, &output));
    }
    terminal.heading("For docs/performance.md");
    terminal.line(&format!("{}\n", machine()));
    terminal.line("| Workload | What | Result |\n| --- | --- | --- |");
    terminal.line(&rows.join("\n"));
    Ok(())
}

fn workloads(count: u64) -> Vec<Workload> {
    let of = |name, what: String, n: u64, more: &[&str], results| {
        let mut arguments =
            vec!["--workload".to_owned(), String::from(name), "--n".to_owned(), n.to_string()];
        arguments.extend(more.iter().map(|text| String::from(*text)));
        Workload { name, what, arguments, results }
    };
    let task = format!("arn:aws:lambda:us-east-1:123456789012:function:{TASK}");
    const EXECUTIONS: &[(&str, &str, &str)] =
        &[("s = ", " executions/s", "executions/s"), ("executions/s, ", " transitions/s", "transitions/s")];
    vec![
        of("w1", format!("{count} executions of 10 Pass states, 64 clients"), count, &[], EXECUTIONS),
        of(
            "w1t",
            format!("{count} executions of 5 tasks, 64 clients"),
            count,
            &["--resource", &task],
            EXECUTIONS,
        ),
        of(
            "w2",
            format!("{SEQUENTIAL} executions one after the other, start to result"),
            SEQUENTIAL,
            &[],
            &[("p50 ", " ms", "ms in the median"), ("p99 ", " ", "ms at the 99th percentile")],
        ),
        of(
            "w3",
            format!("one Map over {MAP_ITEMS} items with one Pass each"),
            MAP_ITEMS,
            &[],
            &[("best ", " items/s", "items/s")],
        ),
        of(
            "w4",
            format!("{count} executions that wait 10 minutes"),
            count,
            &[],
            &[("s = ", " starts/s", "starts/s"), ("kB, ", " kB", "kB of memory for each")],
        ),
    ]
}

/// Each workload has a new server on an empty folder.
fn measure(program: &Path, loadgen: &Path, task: &Path, workload: &Workload) -> anyhow::Result<String> {
    let folder = std::env::temp_dir().join(format!("stepwell-bench-{}", std::process::id()));
    let place = Place { program: PathBuf::from(program), folder, address: server::choose_address(None)? };
    let server = Server::start(&place)?;
    command::output(place.client().args(["module", "push", TASK]).arg(task))?;
    let mut load = Command::new(loadgen);
    load.args(["--endpoint", &place.endpoint(), "--pid", &server.id().to_string()]).args(&workload.arguments);
    let output = command::output(&mut load);
    server.stop()?;
    fs::remove_dir_all(&place.folder)?;
    output
}

fn row(workload: &Workload, output: &str) -> String {
    let found = |(before, after, unit): &(&str, &str, &str)| {
        let mut numbers = output.lines().filter_map(|line| between(line, before, after));
        let number = numbers.next_back().unwrap_or("?");
        format!("{number} {unit}")
    };
    let results: Vec<_> = workload.results.iter().map(found).collect();
    format!("| {} | {} | {} |", workload.name, workload.what, results.join(", "))
}

/// The number that stands between two texts.
fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.match_indices(before).find_map(|(at, _)| {
        let (number, _) = line[at + before.len()..].split_once(after)?;
        let number = number.trim();
        number.parse::<f64>().is_ok().then_some(number)
    })
}

/// What the figures were measured on.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = processor.map_or("an unnamed processor", |(_, name)| name);
    format!("Measured on {cores} cores of {processor}, server and load generator together, release build.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_found_in_the_output() {
        let workloads = workloads(10);
        let check = |name: &str, output: &str, expected: &str| {
            let workload = workloads.iter().find(|workload| workload.name == name).unwrap();
            let row = row(workload, output);
            assert!(row.ends_with(&format!("| {expected} |")), "{row}");
        };
        check(
            "w1",
            "w1: started 10 (0 errors) in 0.00 s = 5.0 starts/s\nw1: 10 executions done in 0.01 s = 1234.5 executions/s, \
             12345 transitions/s",
            "1234.5 executions/s, 12345 transitions/s",
        );
        check(
            "w2",
            "w2: 10 sequential executions of 10 steps: p50 1.20 ms  p90 1.50  p99 2.00  max 3.00",
            "1.20 ms in the median, 2.00 ms at the 99th percentile",
        );
        check("w3", "w3: Map over 10 items, ms per run [3]; best 5000 items/s", "5000 items/s");
        check(
            "w4",
            "w4: started 9 (0 errors) in 1.00 s = 9.0 starts/s; start call p50\nw4: RSS 1 -> 2 kB, 0.50 kB per waiting",
            "9.0 starts/s, 0.50 kB of memory for each",
        );
    }
}
