//! `stepwell dev`: the loop of a task's author. It builds a project, uploads the module or calls it here, runs a saved
//! input, and does so again whenever a file changes.

mod build;
mod project;
mod remote;
mod sources;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::client::Client;
use super::invoke::{self, LocalLimits, Once};
use super::module;
use super::terminal::{Terminal, read_text};
use super::{Failure, Verdict};
use crate::limits::{WATCH_INTERVAL, WATCH_QUIET};
use project::Project;
use sources::Sources;

/// A project's input, unless another is named.
const INPUT: &str = "input.json";
/// What the task is told of a state and an execution, when it is called here.
const STATE: &str = "Dev";
const EXECUTION: &str = "dev";
/// What the module asks for, in the project's folder.
const MANIFEST: &str = "module.toml";

#[derive(Debug, Args)]
#[command(after_help = "\
A project is a folder with a Cargo.toml, a task.py, or a package.json and a task.js or task.ts, as `stepwell new` makes \
them. While a server answers at --endpoint, the module is uploaded there under the folder's name and called there, so \
that workflows have it too; otherwise it is called on this machine. Ctrl-C ends it.

Examples:
  stepwell dev
  stepwell dev loyalty-points --input large-order.json --once")]
pub(crate) struct DevOptions {
    /// Folder of the project
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// File with the input, in the project's folder
    #[arg(long, value_name = "FILE", default_value = INPUT)]
    input: PathBuf,
    /// Name of the module; by default that of the folder
    #[arg(long)]
    name: Option<String>,
    /// Call the module on this machine, also when there is a server
    #[arg(long)]
    local: bool,
    /// Build and run once; the exit code is that of `stepwell invoke`
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    limits: LocalLimits,
}

/// One run of the loop.
struct Loop<'a> {
    project: Project,
    input: PathBuf,
    options: &'a DevOptions,
    client: Option<Client>,
    terminal: Terminal,
}

pub(crate) async fn run(
    options: &DevOptions,
    client: Client,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let project = Project::find(&options.folder, options.name.as_deref())?;
    let input = project.folder().join(&options.input);
    let client = (!options.local).then_some(client);
    let round = Loop { project, input, options, client, terminal: *terminal };
    if options.once {
        let component = round.build().await?;
        return round.call(&component).await;
    }
    tokio::select! {
        ended = round.go_on() => ended,
        interrupt = tokio::signal::ctrl_c() => {
            interrupt.context("signals cannot be received")?;
            Ok(Verdict::Good)
        }
    }
}

impl Loop<'_> {
    async fn go_on(&self) -> Result<Verdict, Failure> {
        let mut component = None;
        let mut built_of = None;
        loop {
            let sources = Sources::of(self.project.folder(), &self.input)?;
            if built_of != Some(sources.code) || component.is_none() {
                component = self.shown(self.build().await);
                built_of = Some(sources.code);
            }
            if let Some(component) = &component {
                self.shown(self.call(component).await);
            }
            self.terminal
                .note(&format!("Waiting for changes in {}. Ctrl-C ends.", self.project.folder().display()));
            self.change(&sources).await?;
        }
    }

    /// A mistake is told, and the loop goes on.
    fn shown<T>(&self, result: Result<T, Failure>) -> Option<T> {
        result.map_err(|error| self.terminal.note(&format!("error: {error:#}"))).ok()
    }

    async fn build(&self) -> Result<PathBuf, Failure> {
        self.terminal.note(&format!("Building {} ({}) …", self.project.name(), self.project.language()));
        build::run(&self.project, self.terminal).await
    }

    async fn call(&self, component: &Path) -> Result<Verdict, Failure> {
        let input =
            read_text(&self.input).context("there is no input; write one, or name a file with --input")?;
        serde_json::from_str::<serde_json::Value>(&input)
            .with_context(|| format!("{} is not valid JSON", self.input.display()))?;
        let manifest = Some(self.project.folder().join(MANIFEST)).filter(|manifest| manifest.is_file());
        if let Some(client) = &self.client {
            match client.get("/health").await {
                Ok(_answers) => {
                    let upload = module::upload(component, manifest.as_deref())?;
                    return remote::run(client, self.project.name(), upload, &input, self.terminal).await;
                }
                Err(_no_server) => {
                    self.terminal.note("No server answers: the module is called on this machine.")
                }
            }
        }
        let once = Once {
            component,
            manifest: manifest.as_deref(),
            name: self.project.name(),
            input,
            context: invoke::context(STATE, EXECUTION, 0),
            limits: &self.options.limits,
        };
        once.call(&self.terminal).await
    }

    /// Waits until files are other than they were, and then until nobody is writing any more.
    async fn change(&self, seen: &Sources) -> Result<(), Failure> {
        let now = || Sources::of(self.project.folder(), &self.input);
        let mut last = now()?;
        while last == *seen {
            tokio::time::sleep(WATCH_INTERVAL).await;
            last = now()?;
        }
        loop {
            tokio::time::sleep(WATCH_QUIET).await;
            let next = now()?;
            if next == last {
                return Ok(());
            }
            last = next;
        }
    }
}
