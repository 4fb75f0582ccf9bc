//! `cargo xtask`: the project's own tools. Nothing here is part of what users run.

mod bench;
mod check;
mod command;
mod conformance;
mod demo;
mod guests;
mod http;
mod options;
mod polyglot;
mod server;
mod terminal;
mod toolchain;
mod toolchains;
mod workspace;

use std::process::ExitCode;

use options::Options;
use terminal::Terminal;

const HELP: &str = "\
The tools of this project.

Usage: cargo xtask COMMAND

  demo [--polyglot] [--once] [--port N]
                             build everything, start a server, run two workflows on it, kill the server in
                             their midst and see them finish; the server goes on until Ctrl-C.
                             --polyglot runs one order through tasks in Rust, Python and JavaScript instead;
                             --once ends it, with exit code 0 only if all went as promised;
                             --port chooses the port (otherwise 8083, or a free one if that is taken)
  check                      the quick part of `test`: format, tidy, clippy
  test                       every check and every test, what is quick to fail first
  guests [--polyglot]        build the task modules of guest-examples into target/guests; with --polyglot those in
                             Python, JavaScript and C as well, which installs what builds them
  conformance [--endpoint URL] [OPTION...]
                             replay the recorded cases of AWS against a server on an empty folder, or against
                             the one at URL; further options go to the tool that replays them, such as
                             -k TEXT, --needs LIST, --shape LIST, --jobs N, --json FILE, --verbose
  bench --loadgen PATH [--n N]
                             run a load generator, which you bring, against a release build and print the
                             results as a Markdown table; N is the number of executions (default 20000)

The first build takes some minutes, because it compiles a WebAssembly engine. Later ones take seconds.";

fn main() -> ExitCode {
    let terminal = Terminal::new();
    match run(&terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if command::is_interrupted() => {
            terminal.error(&format!("stopped ({error:#})"));
            ExitCode::from(130)
        }
        Err(error) => {
            terminal.error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(terminal: &Terminal) -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_else(|| "--help".to_owned());
    let mut options = Options::new(arguments.collect());
    if options.flag("--help") || options.flag("-h") || matches!(command.as_str(), "--help" | "-h" | "help") {
        terminal.line(HELP);
        return Ok(());
    }
    command::notice_interrupts()?;
    match command.as_str() {
        "demo" => {
            let (once, polyglot) = (options.flag("--once"), options.flag("--polyglot"));
            let wanted = demo::Wanted { once, port: options.number("--port")?, polyglot };
            options.finish()?;
            demo::run(terminal, &wanted)
        }
        "check" => options.finish().and_then(|()| check::quick(terminal)),
        "test" => options.finish().and_then(|()| check::all(terminal)),
        "guests" => {
            let all = options.flag("--polyglot");
            options.finish()?;
            guests::run(terminal, all)
        }
        "conformance" => conformance::run(terminal, options),
        "bench" => {
            let (loadgen, count) = (options.value("--loadgen")?, options.number("--n")?);
            options.finish()?;
            bench::run(terminal, loadgen, count)
        }
        other => anyhow::bail!("there is no command '{other}'; see `cargo xtask --help`"),
    }
}
