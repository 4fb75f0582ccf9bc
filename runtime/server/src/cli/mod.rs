//! The command line: what is asked for, and the exit code.

mod arguments;
mod callback;
mod client;
mod connection;
mod create;
mod execution;
mod keys;
mod module;
mod outside;
mod progress;
mod terminal;
mod validate;

use std::process::ExitCode;

use clap::Parser;

pub(crate) use arguments::ServeOptions;
use arguments::{Arguments, Command};
use client::Client;
pub(crate) use outside::OutsideOptions;
pub(crate) use terminal::Terminal;

use crate::serve;

/// What went wrong, for a person: what it was and how to mend it.
type Failure = anyhow::Error;

/// A command that did what was asked, and whether the answer is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    /// The execution failed, or the definition is not valid.
    Bad,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Terminal.fail(&format!("the program cannot start its threads: {error}")),
    };
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> ExitCode {
    let terminal = Terminal;
    if let Command::Serve(options) = arguments.command {
        return match serve::run(options).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => terminal.fail_with(error.exit_code(), &error.to_string()),
        };
    }
    match ask(arguments, &terminal).await {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        Err(error) => terminal.fail(&format!("{error:#}")),
    }
}

async fn ask(arguments: Arguments, terminal: &Terminal) -> Result<Verdict, Failure> {
    let client = || Ok(Client::new(&arguments.endpoint)?.signed_with(arguments.signing.credentials()?));
    match arguments.command {
        Command::Serve(_) => anyhow::bail!("serve is no request"),
        Command::Module(command) => module::run(&client()?, command, terminal).await,
        Command::Keys(options) => keys::run(client, options, terminal).await,
        Command::Connection(command) => connection::run(&client()?, command, terminal).await,
        Command::Create(command) => create::run(&client()?, &command, terminal).await,
        Command::Start(command) => execution::start(&client()?, &command, terminal).await,
        Command::History(command) => execution::history(&client()?, &command, terminal).await,
        Command::Callback(command) => callback::run(&client()?, command, terminal).await,
        Command::Validate(command) => validate::run(&command, terminal),
    }
}
