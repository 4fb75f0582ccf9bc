//! `stepwell config`: checks a configuration file, shows the settings in force, prints an example.

use std::path::Path;

use super::arguments::ConfigCommand;
use super::settings::{self, Environment, File, Resolved};
use super::{Failure, Terminal, Verdict};

pub(crate) fn run(command: ConfigCommand, terminal: &Terminal) -> Result<Verdict, Failure> {
    match command {
        ConfigCommand::Check { file } => check(file.as_deref(), terminal),
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

fn check(file: Option<&Path>, terminal: &Terminal) -> Result<Verdict, Failure> {
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
    let file = File::read(&path, &path, &named_by).map_err(|problem| anyhow::anyhow!("{}", problem.text))?;
    for problem in &file.problems {
        terminal.answer(&problem.to_string());
    }
    if file.problems.is_empty() {
        terminal.answer(&format!("{} is valid", path.display()));
        return Ok(Verdict::Good);
    }
    Ok(Verdict::Bad)
}
