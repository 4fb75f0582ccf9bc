//! Which value a setting has: a flag is stronger than the environment, that than the file, and that than the default.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::file::{File, Problem};
use super::table::Setting;
use crate::cli::arguments::ServeOptions;

/// The file that is read if none is named and it is there.
pub(crate) const FILE: &str = "stepwell.toml";
const FILE_FLAG: &str = "--config";
pub(crate) const FILE_VARIABLE: &str = "STEPWELL_CONFIG";

/// Variables of Step Functions Local that say where services are.
const ENDPOINTS_OF_LOCAL: &[&str] = &[
    "ATHENA_ENDPOINT",
    "BATCH_ENDPOINT",
    "DYNAMODB_ENDPOINT",
    "ECS_ENDPOINT",
    "EKS_ENDPOINT",
    "EMR_ENDPOINT",
    "EVENTS_ENDPOINT",
    "GLUE_ENDPOINT",
    "LAMBDA_ENDPOINT",
    "SAGE_MAKER_ENDPOINT",
    "SNS_ENDPOINT",
    "SQS_ENDPOINT",
    "STEP_FUNCTIONS_ENDPOINT",
];

/// What surrounds the program.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Where the program runs.
    pub(crate) folder: &'a Path,
}

/// All settings with their values.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) options: ServeOptions,
    pub(crate) values: Vec<Value>,
    pub(crate) file: Option<PathBuf>,
    /// Variables that somebody set and nobody reads.
    pub(crate) ignored: Vec<&'static str>,
}

/// The value of one setting; a list has several, an option that is not given none.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) setting: Setting,
    pub(crate) values: Vec<OsString>,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Variable(String),
    File { path: PathBuf, line: usize },
    Default,
}

impl Environment<'_> {
    pub(crate) fn of_process() -> Environment<'static> {
        Environment { variable: &|name| std::env::var_os(name), folder: Path::new("") }
    }

    /// A variable that is empty counts as not set.
    fn get(&self, name: &str) -> Option<OsString> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// The configuration file, and who named it.
    pub(crate) fn file(&self, flag: Option<&Path>) -> Option<(PathBuf, String)> {
        if let Some(path) = flag {
            return Some((path.to_owned(), FILE_FLAG.to_owned()));
        }
        if let Some(path) = self.get(FILE_VARIABLE) {
            return Some((path.into(), format!("environment variable {FILE_VARIABLE}")));
        }
        let usual = self.folder.join(FILE);
        usual.exists().then(|| (PathBuf::from(FILE), FILE.to_owned()))
    }

    fn read_file(&self, flag: Option<&Path>) -> Result<Option<File>, Problem> {
        let Some((path, named_by)) = self.file(flag) else { return Ok(None) };
        File::read(&self.folder.join(&path), &path, &named_by).map(Some)
    }
}

/// Gives every setting its value, or says all that is wrong.
pub(crate) fn resolve(flags: &ArgMatches, environment: &Environment<'_>) -> Result<Resolved, Vec<Problem>> {
    let named = flags.get_one::<PathBuf>("config").map(PathBuf::as_path);
    let (file, mut problems) = match environment.read_file(named) {
        Ok(Some(mut file)) => {
            let problems = std::mem::take(&mut file.problems);
            (Some(file), problems)
        }
        Ok(None) => (None, Vec::new()),
        Err(problem) => (None, vec![problem]),
    };
    let settings = Setting::all().into_iter();
    let values: Vec<Value> =
        settings.map(|setting| value(setting, flags, environment, file.as_ref(), &mut problems)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let arguments =
        values.iter().flat_map(|value| value.values.iter().map(|text| value.setting.argument(text)));
    let options = Setting::options(arguments.collect())
        .map_err(|error| vec![Problem { source: "settings".to_owned(), text: error.to_string() }])?;
    let is_read =
        |name: &str| values.iter().any(|value| value.setting.variables().iter().any(|read| read == name));
    let ignored = ENDPOINTS_OF_LOCAL.iter().copied();
    let ignored = ignored.filter(|name| environment.get(name).is_some() && !is_read(name)).collect();
    Ok(Resolved { options, file: file.map(|file| file.path), values, ignored })
}

fn value(
    setting: Setting,
    flags: &ArgMatches,
    environment: &Environment<'_>,
    file: Option<&File>,
    problems: &mut Vec<Problem>,
) -> Value {
    if flags.value_source(setting.id()) == Some(ValueSource::CommandLine) {
        let values = flags.get_raw(setting.id()).into_iter().flatten().map(OsStr::to_owned).collect();
        return checked(Value { values, setting, origin: Origin::Flag }, problems);
    }
    for variable in setting.variables() {
        if let Some(text) = environment.get(&variable) {
            let values = setting.split(text);
            return checked(Value { values, setting, origin: Origin::Variable(variable) }, problems);
        }
    }
    if let Some(file) = file
        && let Some(found) = file.values.iter().find(|found| found.id == setting.id())
    {
        // Checked where it was read.
        let origin = Origin::File { path: file.path.clone(), line: found.line };
        return Value { values: found.values.clone(), setting, origin };
    }
    Value { values: setting.default(), setting, origin: Origin::Default }
}

fn checked(value: Value, problems: &mut Vec<Problem>) -> Value {
    for text in &value.values {
        if let Err(why) = value.setting.check(text) {
            let source = match &value.origin {
                Origin::Variable(name) => format!("environment variable {name}"),
                Origin::Flag | Origin::File { .. } | Origin::Default => value.setting.flag(),
            };
            problems.push(Problem { source, text: why });
        }
    }
    value
}
