//! `stepwell invoke`: one call of a module on this machine, without a server, under the limits of one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use engine::arn::{FunctionArn, is_valid_function_name};
use serde_json::Value;
use wasm_host::{Call, Context, Limits, Outcome};

use super::execution;
use super::local::{self, LocalModule, cache_folder};
use super::terminal::{Terminal, printable};
use super::{Failure, Verdict};
use crate::limits::MODULE_TIMEOUT_SECONDS_MAX;

/// The task failed with an error of its own.
pub(crate) const EXIT_TASK_FAILED: u8 = 3;
/// The sandbox ended the call, or could not take its result.
const EXIT_ENDED: u8 = 4;
/// What the ARNs of such a call begin with; nothing is asked of them.
const ACCOUNT: &str = "us-east-1:123456789012";
const MEMORY_MIB_MAX: u64 = wasm_host::limits::MEMORY_BYTES_MAX_DEFAULT as u64 >> 20;

#[derive(Debug, Args)]
#[command(after_help = "\
The result goes to standard output; the log and the cost go to standard error. The exit code is 0 with a result, 3 if the \
task failed with an error of its own, 4 if the sandbox ended it, and 1 if it could not be called. The call has the limits \
and the grants that a server without a policy would give it by its manifest, FILE with the ending .toml; there are no secrets \
and no requests to the outside. The limits can be narrowed further.

Examples:
  stepwell invoke charge.wasm --input '{\"order\": 7}'
  stepwell invoke charge.wasm --input order.json --attempt 2 | jq .total")]
pub(crate) struct InvokeOptions {
    /// The component, a .wasm file
    file: PathBuf,
    /// Input: JSON, or the name of a JSON file; - reads standard input
    #[arg(long, value_name = "JSON|FILE", default_value = "{}")]
    input: String,
    /// Manifest of the module; by default the file of the same name with the ending .toml, if it is there
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: LocalLimits,
    /// Which attempt the task is told that it is: 0 is the first
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    attempt: u32,
    /// Name of the state that the task is told
    #[arg(long, value_name = "NAME", default_value = "Task")]
    state: String,
    /// Name of the execution that the task is told
    #[arg(long, value_name = "NAME", default_value = "local")]
    execution: String,
}

/// What a call may use, and where compiled modules are kept.
#[derive(Debug, Args)]
pub(crate) struct LocalLimits {
    /// Units of CPU that the call may use at most
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    fuel: Option<u64>,
    /// MiB of memory that it may have at most
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=MEMORY_MIB_MAX))]
    memory: Option<u64>,
    /// Seconds that it may take at most
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=MODULE_TIMEOUT_SECONDS_MAX))]
    timeout: Option<u64>,
    /// Folder for compiled modules; by default one of the user's, such as ~/.cache/stepwell
    #[arg(long, value_name = "DIR", env = "STEPWELL_CACHE")]
    pub(crate) cache: Option<PathBuf>,
}

impl LocalLimits {
    /// Limits that are no wider than these.
    fn narrow(&self, limits: &mut Limits) {
        let bytes = self.memory.and_then(|mebibytes| usize::try_from(mebibytes << 20).ok());
        limits.fuel = limits.fuel.min(self.fuel.unwrap_or(u64::MAX));
        limits.memory_bytes = limits.memory_bytes.min(bytes.unwrap_or(usize::MAX));
        limits.timeout = limits.timeout.min(self.timeout.map_or(Duration::MAX, Duration::from_secs));
    }
}

pub(crate) async fn run(options: &InvokeOptions, terminal: &Terminal) -> Result<Verdict, Failure> {
    let input = execution::input(&options.input)?;
    let name = options.file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = options.file.with_extension("toml");
    let once = Once {
        component: &options.file,
        manifest: options.manifest.as_deref().or_else(|| beside.is_file().then_some(&*beside)),
        name: &name,
        input,
        context: context(&options.state, &options.execution, options.attempt),
        limits: &options.limits,
    };
    once.call(terminal).await
}

/// One call of a component on this machine.
pub(crate) struct Once<'a> {
    pub(crate) component: &'a Path,
    pub(crate) manifest: Option<&'a Path>,
    pub(crate) name: &'a str,
    pub(crate) input: String,
    pub(crate) context: Context,
    pub(crate) limits: &'a LocalLimits,
}

impl Once<'_> {
    /// Performs the call and tells all about it.
    pub(crate) async fn call(self, terminal: &Terminal) -> Result<Verdict, Failure> {
        let effective = local::effective(self.manifest, self.name)?;
        for withheld in &effective.withheld {
            terminal.note(&format!("Withheld: {withheld}"));
        }
        let module = LocalModule::load(self.component, &cache_folder(self.limits.cache.as_deref())?).await?;
        let mut call = Call::new(module.digest(), self.input);
        (call.limits, call.grants, call.context) = (effective.limits, effective.grants, self.context);
        self.limits.narrow(&mut call.limits);
        let limits = call.limits.clone();
        let outcome = module.call(call).await;
        let verdict = tell(&outcome, &limits, self.name, terminal);
        terminal.note(&format!("The module was ready after {}.", spoken(module.ready_in)));
        module.close().await;
        Ok(verdict)
    }
}

/// What a task is told of a call that belongs to no execution.
pub(crate) fn context(state: &str, execution: &str, attempt: u32) -> Context {
    Context {
        execution_arn: format!("arn:aws:states:{ACCOUNT}:execution:local:{execution}").into(),
        execution_name: execution.into(),
        state_machine_arn: format!("arn:aws:states:{ACCOUNT}:stateMachine:local").into(),
        state_name: state.into(),
        attempt,
        ..Context::default()
    }
}

/// Shows the log, the result and the cost of a call of the module `name`.
fn tell(outcome: &Outcome, limits: &Limits, name: &str, terminal: &Terminal) -> Verdict {
    for line in &outcome.log {
        terminal.note(&printable(&format!("{:6} {}", line.source.name(), line.message)));
    }
    let verdict = match &outcome.result {
        Ok(output) => {
            terminal.answer(&pretty(output));
            Verdict::Good
        }
        Err(failure) => {
            terminal.note(&failed(failure, &outcome.denied, name));
            let is_its_own =
                matches!(failure, wasm_host::Failure::Task { .. } | wasm_host::Failure::Exited { .. });
            Verdict::Exit(if is_its_own { EXIT_TASK_FAILED } else { EXIT_ENDED })
        }
    };
    terminal.note(&cost(outcome, limits));
    verdict
}

/// JSON as a person reads it.
pub(crate) fn pretty(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text);
    value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| text.to_owned())
}

/// The error under the name that Retry and Catch see, and why.
fn failed(failure: &wasm_host::Failure, denied: &[String], name: &str) -> String {
    let name = if is_valid_function_name(name) { name } else { "module" };
    let function = FunctionArn::parse(&format!("arn:aws:lambda:{ACCOUNT}:function:{name}"))
        .expect("the name was looked at, and the rest is right");
    let output = executors::call_error(failure, denied, &function);
    let cause = output.cause.as_deref().unwrap_or_default();
    let told = serde_json::from_str::<Value>(cause).unwrap_or_default();
    told_failure(output.error.as_deref().unwrap_or("?"), cause, &told, denied.iter().map(String::as_str))
}

/// A failure by its name, with what its cause tells; `plain` stands for a cause that is no object.
pub(crate) fn told_failure<'a>(
    error: &str,
    plain: &str,
    cause: &Value,
    denied: impl Iterator<Item = &'a str>,
) -> String {
    let message = cause["errorMessage"].as_str().unwrap_or(plain);
    let trace = cause["trace"].as_array().into_iter().flatten();
    let trace: String = trace.filter_map(Value::as_str).map(|frame| format!("\n  at {frame}")).collect();
    let denied: String = denied.map(|access| format!("\nDenied: {access}")).collect();
    printable(&format!("Failed as {error}: {message}{trace}{denied}"))
}

fn cost(outcome: &Outcome, limits: &Limits) -> String {
    let usage = outcome.usage;
    format!(
        "Cost: {} of {} fuel, {} of CPU, {:.1} of {} MiB, {}.",
        grouped(usage.fuel),
        grouped(limits.fuel),
        spoken(usage.cpu),
        mebibytes(usage.memory_bytes_peak),
        limits.memory_bytes >> 20,
        spoken(usage.wall),
    )
}

#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for start in (first..digits.len()).step_by(3) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&digits[start..start + 3]);
    }
    text
}

/// A duration for people.
fn spoken(duration: Duration) -> String {
    match duration.as_millis() {
        0..1_000 => format!("{:.1} ms", duration.as_secs_f64() * 1e3),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (10_000_000_000, "10,000,000,000")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(spoken(Duration::from_micros(12_340)), "12.3 ms");
        assert_eq!(spoken(Duration::from_millis(3_210)), "3.2 s");
    }

    #[test]
    fn a_failure_has_the_name_that_a_workflow_sees() {
        let own =
            wasm_host::Failure::Task { error: "Declined".to_owned(), cause: "no\u{1b} money".to_owned() };
        assert_eq!(failed(&own, &[], "charge"), "Failed as Declined: no\u{fffd} money");
        let trap =
            wasm_host::Failure::Trap { message: "unreachable".to_owned(), trace: vec!["a".to_owned()] };
        let denied = ["no file".to_owned()];
        let told = "Failed as Runtime.Trap: unreachable\n  at a\nDenied: no file";
        assert_eq!(failed(&trap, &denied, "a module"), told);
    }
}
