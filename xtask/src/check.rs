//! `cargo xtask check` and `cargo xtask test`: what must hold, what is quick to fail first.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::terminal::{Terminal, spoken};
use crate::toolchain::{self, WASM};
use crate::{command, conformance, guests, polyglot, workspace};

/// What has run so far.
struct Run {
    terminal: Terminal,
    begun: Instant,
    steps: Vec<(&'static str, Duration)>,
    tests: Counts,
    /// What could not run here, and why.
    skipped: Vec<String>,
}

/// Tests that passed and failed, as the test runners counted them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
}

/// Format, tidy and clippy: what to run before a commit.
pub(crate) fn quick(terminal: &Terminal) -> anyhow::Result<()> {
    let mut run = Run::new(*terminal);
    let outcome = run.quick_steps();
    run.summary(outcome.is_ok());
    outcome
}

/// Everything.
pub(crate) fn all(terminal: &Terminal) -> anyhow::Result<()> {
    let mut run = Run::new(*terminal);
    let outcome = run.all_steps();
    run.summary(outcome.is_ok());
    outcome
}

impl Run {
    fn new(terminal: Terminal) -> Run {
        Run {
            terminal,
            begun: Instant::now(),
            steps: Vec::new(),
            tests: Counts::default(),
            skipped: Vec::new(),
        }
    }

    fn quick_steps(&mut self) -> anyhow::Result<()> {
        toolchain::prepare()?;
        self.step("format", |run| {
            run.cargo(&["fmt", "--all", "--check"])?;
            run.guests(&["fmt", "--all", "--check"])
        })?;
        self.step("tidy", |run| run.tests(cargo().args(["test", "--package", "xtask", "--test", "tidy"])))?;
        self.step("clippy", |run| {
            run.cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
        })
    }

    fn all_steps(&mut self) -> anyhow::Result<()> {
        self.quick_steps()?;
        self.step("guests: clippy", |run| {
            run.guests(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
            // The side of the SDK that exists only in a module.
            let package =
                ["clippy", "--package", "stepwell-sdk", "--target", WASM, "--", "--deny", "warnings"];
            run.guests(&package)
        })?;
        self.step("guests: build", |run| guests::run(&run.terminal, false))?;
        self.step("guests: tests", |run| {
            let mut tests = command::cargo(&workspace::guests());
            run.tests(tests.args(["test", "--workspace"]))
        })?;
        self.step("other languages", Run::polyglot)?;
        // Programs and tests in one selection: tests that start `stepwell` find it built, with the same features.
        self.step("build", |run| run.cargo(&["build", "--workspace", "--bins", "--tests"]))?;
        self.step("documentation tests", |run| run.tests(cargo().args(["test", "--workspace", "--doc"])))?;
        self.step("tests", |run| {
            let mut tests = cargo();
            if command::output(cargo().args(["nextest", "--version"])).is_ok() {
                tests.args(["nextest", "run", "--workspace", "--no-fail-fast", "--status-level", "slow"]);
            } else {
                tests.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
            }
            run.tests(&mut tests)
        })?;
        self.step("recorded cases", |run| conformance::check(&run.terminal))
    }

    /// The SDKs and examples in other languages, as far as their toolchains can be had.
    fn polyglot(&mut self) -> anyhow::Result<()> {
        for language in polyglot::LANGUAGES {
            if let Err(why) = language.can_test() {
                self.skip(format!("tests and modules in {}: {why:#}", language.name()));
                continue;
            }
            for mut tests in language.tests()? {
                self.tests(&mut tests)?;
            }
            match language.toolchain() {
                Ok(toolchain) => {
                    let built = polyglot::build(language, &toolchain)?;
                    self.terminal.line(&built.told(language));
                }
                Err(why) => self.skip(format!("modules in {}: {why:#}", language.name())),
            }
        }
        Ok(())
    }

    fn skip(&mut self, what: String) {
        self.terminal.alarm(&format!("skipped: {what}"));
        self.skipped.push(what);
    }

    fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Run) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.terminal.heading(&format!("== {name}"));
        let begun = Instant::now();
        let outcome = work(self);
        let took = begun.elapsed();
        if outcome.is_ok() {
            self.steps.push((name, took));
        } else {
            self.terminal.line(&self.terminal.bad(&format!("{name} failed after {}", spoken(took))));
        }
        outcome
    }

    fn cargo(&self, arguments: &[&str]) -> anyhow::Result<()> {
        command::run(cargo().args(arguments))
    }

    fn guests(&self, arguments: &[&str]) -> anyhow::Result<()> {
        command::run(command::cargo(&workspace::guests()).args(arguments))
    }

    /// Runs tests and counts them by what their runner says.
    fn tests(&mut self, tests: &mut Command) -> anyhow::Result<()> {
        if self.terminal.has_colours() {
            // What it writes goes through this program, so it cannot see the terminal.
            tests.env("CARGO_TERM_COLOR", "always");
        }
        let mut counts = Counts::default();
        let outcome = command::run_watched(tests, |line| counts = counts.plus(count(line)));
        self.tests = self.tests.plus(counts);
        outcome
    }

    fn summary(&self, good: bool) {
        self.terminal.heading("== summary");
        for (name, took) in &self.steps {
            self.terminal.line(&format!("  {name:20} {:>12}", spoken(*took)));
        }
        for what in &self.skipped {
            self.terminal.alarm(&format!("  skipped: {what}"));
        }
        let verdict =
            if good { self.terminal.good("all is well") } else { self.terminal.bad("not all is well") };
        self.terminal.line(&format!("  {verdict} after {}", spoken(self.begun.elapsed())));
        let Counts { passed, failed } = self.tests;
        // A run that stopped early has counted only the tests before.
        if good || failed > 0 {
            self.terminal.line(&format!("{passed} passed, {failed} failed"));
        }
    }
}

fn cargo() -> Command {
    command::cargo(&workspace::root())
}

impl Counts {
    fn plus(self, other: Counts) -> Counts {
        Counts { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// The tests that a line sums up: `test result: ok. 3 passed; 0 failed; …` of cargo, `Summary [ 1.0s] 3 tests run: 3
/// passed, 0 skipped` of nextest, `# pass 3` and `# fail 0` of node, `Ran 3 tests in 0.1s` of Python. Go has a line for each
/// test.
fn count(line: &str) -> Counts {
    let line = without_colours(line);
    // What is further in, nextest shows of a test of its own, which it counts itself.
    let is_shown = line.starts_with("    ") && !line.trim_start().starts_with("Summary [");
    if is_shown {
        return Counts::default();
    }
    let line = line.trim_start();
    let number = |beginning: &str| line.strip_prefix(beginning)?.split(' ').next()?.parse().ok();
    if let Some(passed) = number("# pass ") {
        return Counts { passed, failed: 0 };
    }
    if let Some(failed) = number("# fail ") {
        return Counts { passed: 0, failed };
    }
    if line.starts_with("--- PASS: ") || line.starts_with("--- FAIL: ") {
        let passed = u64::from(line.starts_with("--- PASS"));
        return Counts { passed, failed: 1 - passed };
    }
    // How many of them failed is on another line, and then the run ends there.
    if let Some(passed) = number("Ran ") {
        return Counts { passed, failed: 0 };
    }
    if !line.starts_with("test result:") && !line.starts_with("Summary [") {
        return Counts::default();
    }
    let words: Vec<_> = line.split_whitespace().collect();
    let before = |what: &str| {
        let at = words.iter().position(|word| word.trim_end_matches([',', ';']) == what);
        at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
    };
    Counts { passed: before("passed"), failed: before("failed") + before("timed") }
}

/// A line without the sequences that colour it.
fn without_colours(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_by_their_runners() {
        let check = |line: &str, passed: u64, failed: u64| {
            assert_eq!(count(line), Counts { passed, failed }, "{line}");
        };
        check("test result: ok. 31 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out", 31, 0);
        check("test result: FAILED. 3 passed; 2 failed; 0 ignored", 3, 2);
        check("     Summary [   6.030s] 812 tests run: 812 passed (3 slow), 0 skipped", 812, 0);
        check("     Summary [   6.030s] 9 tests run: 6 passed, 2 failed, 1 timed out, 0 skipped", 6, 3);
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m passed",
            2,
            0,
        );
        check("# pass 10", 10, 0);
        check("# fail 2", 0, 2);
        check("Ran 17 tests in 0.134s", 17, 0);
        check("--- PASS: TestTaxIsTakenOfSums (0.00s)", 1, 0);
        check("--- FAIL: TestWhatDoesNotFitIsTold (0.00s)", 0, 1);
        check("4 passed", 0, 0);
        check("    test result: FAILED. 0 passed; 1 failed; 0 ignored", 0, 0);
    }
}
