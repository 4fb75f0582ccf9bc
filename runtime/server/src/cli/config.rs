//! `stepwell config`: checks a configuration file, shows the settings in force, prints an example.

use std::ffi::OsStr;
use std::path::Path;

use super::arguments::ConfigCommand;
use super::settings::{self, Environment, File, Problem, Resolved};
use super::{Failure, Terminal, Verdict};
use crate::serve::{self, ServeError};

pub(crate) async fn run(command: ConfigCommand, terminal: &Terminal) -> Result<Verdict, Failure> {
    match command {
        ConfigCommand::Check { file } => check(file.as_deref(), terminal).await,
        ConfigCommand::Example => {
            terminal.answer(&settings::example());
            Ok(Verdict::Good)
        }
        ConfigCommand::Show(_) => anyhow::bail!("the settings are shown once they are resolved"),
    }
}

pub(crate) fn show(resolved: &Resolved, terminal: Terminal) {
    terminal.answer(&settings::show(resolved));
}

async fn check(file: Option<&Path>, terminal: &Terminal) -> Result<Verdict, Failure> {
    let environment = Environment::of_process();
    let Some((path, named_by)) =
        file.map_or_else(|| environment.file(None), |path| Some((path.to_owned(), "FILE".to_owned())))
    else {
        anyhow::bail!(
            "there is no {} in this folder and {} is not set; name a file: stepwell config check FILE",
            settings::FILE,
            settings::FILE_VARIABLE
        );
    };
    let read = File::read(&path, &path, &named_by).map_err(|problem| anyhow::anyhow!("{}", problem.text))?;
    let mut problems = read.problems;
    if problems.is_empty() {
        problems = together(&path, &environment, terminal).await;
    }
    for problem in &problems {
        terminal.answer(&problem.to_string());
    }
    if problems.is_empty() {
        terminal.answer(&format!("{} is valid", path.display()));
        return Ok(Verdict::Good);
    }
    Ok(Verdict::Bad)
}

/// What is wrong with the settings together, as `serve` would have them here with this file.
async fn together(path: &Path, environment: &Environment<'_>, terminal: &Terminal) -> Vec<Problem> {
    let flags = [OsStr::new("stepwell"), OsStr::new("serve"), OsStr::new("--config"), path.as_os_str()];
    let matches = settings::command().get_matches_from(flags);
    let (_, flags) = matches.subcommand().expect("it was named");
    let resolved = match settings::resolve(flags, environment) {
        Ok(resolved) => resolved,
        Err(problems) => return problems,
    };
    match serve::check_reach(&resolved.options).await {
        Ok(()) => Vec::new(),
        Err(error @ ServeError::Remote { .. }) => {
            vec![Problem { source: settings::origin(&resolved, "listen"), text: error.to_string() }]
        }
        Err(error) => {
            terminal.note(&format!("Whether there are access keys was not checked: {error}"));
            Vec::new()
        }
    }
}
