//! The command line: what is asked for, and the exit code.

mod alias;
mod arguments;
mod callback;
mod client;
mod config;
mod connection;
mod create;
mod dev;
mod execution;
mod express;
mod invoke;
mod keys;
mod local;
mod log_line;
mod logs;
mod module;
mod new;
mod outside;
mod progress;
mod secret;
mod settings;
mod terminal;
mod upload;
mod validate;

use std::process::ExitCode;

use clap::{ArgMatches, FromArgMatches};

pub(crate) use arguments::ServeOptions;
use arguments::{Arguments, Command};
use client::Client;
pub(crate) use outside::OutsideOptions;
use settings::{Environment, Problem, Resolved};
pub(crate) use terminal::Terminal;

use crate::serve;

/// Settings that cannot be used; clap's own code for wrong arguments.
const EXIT_SETTINGS: u8 = 2;

/// What went wrong, for a person: what it was and how to mend it.
type Failure = anyhow::Error;

/// A command that did what was asked, and whether the answer is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    /// The execution failed, or the definition is not valid.
    Bad,
    /// An exit code of the command's own.
    Exit(u8),
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let matches = settings::command().get_matches();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Terminal.fail(&format!("the program cannot start its threads: {error}")),
    };
    runtime.block_on(run(&matches))
}

async fn run(matches: &ArgMatches) -> ExitCode {
    let terminal = Terminal;
    match matches.subcommand() {
        Some(("serve", flags)) => return serve(flags).await,
        Some(("config", config)) => {
            if let Some(("show", flags)) = config.subcommand() {
                return match settings::resolve(flags, &Environment::of_process()) {
                    Ok(resolved) => {
                        config::show(&resolved, terminal);
                        ExitCode::SUCCESS
                    }
                    Err(problems) => refuse(&problems),
                };
            }
        }
        _ => {}
    }
    let arguments = match Arguments::from_arg_matches(matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match ask(arguments, &terminal).await {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        Ok(Verdict::Exit(code)) => ExitCode::from(code),
        Err(error) => terminal.fail(&format!("{error:#}")),
    }
}

async fn serve(flags: &ArgMatches) -> ExitCode {
    let resolved = match settings::resolve(flags, &Environment::of_process()) {
        Ok(resolved) => resolved,
        Err(problems) => return refuse(&problems),
    };
    serve::log_to_stderr();
    tell(&resolved);
    match serve::run(resolved.options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Terminal.fail_with(error.exit_code(), &error.to_string()),
    }
}

/// Logs what may surprise about the settings.
fn tell(resolved: &Resolved) {
    if let Some(file) = &resolved.file {
        tracing::info!("settings are read from {}", file.display());
    }
    if !resolved.ignored.is_empty() {
        let names = resolved.ignored.join(", ");
        tracing::warn!("{names}: set, but without effect, since these services are not called yet");
    }
}

fn refuse(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        Terminal.note(&format!("error: {problem}"));
    }
    ExitCode::from(EXIT_SETTINGS)
}

async fn ask(arguments: Arguments, terminal: &Terminal) -> Result<Verdict, Failure> {
    let client = || Ok(Client::new(&arguments.endpoint)?.signed_with(arguments.signing.credentials()?));
    match arguments.command {
        Command::Serve(_) => anyhow::bail!("serve is no request"),
        Command::Config(command) => config::run(command, terminal).await,
        Command::Module(command) => module::run(&client()?, command, terminal).await,
        Command::Secret(command) => secret::run(&client()?, command, terminal).await,
        Command::Keys(options) => keys::run(client, options, terminal).await,
        Command::Connection(command) => connection::run(&client()?, command, terminal).await,
        Command::Create(command) => create::run(&client()?, &command, terminal).await,
        Command::Start(command) => execution::start(&client()?, &command, terminal).await,
        Command::Redrive(command) => execution::redrive(&client()?, &command, terminal).await,
        Command::History(command) => execution::history(&client()?, &command, terminal).await,
        Command::Logs(command) => logs::run(&client()?, &command, terminal).await,
        Command::Express(command) => express::run(&client()?, command, terminal).await,
        Command::Callback(command) => callback::run(&client()?, command, terminal).await,
        Command::Invoke(command) => invoke::run(&command, terminal).await,
        Command::Dev(command) => dev::run(&command, client()?, terminal).await,
        Command::New(command) => new::run(&command, terminal),
        Command::Validate(command) => validate::run(&command, terminal),
    }
}
