//! The settings as the arguments of `serve` have them, and what `--help` says of them.

use std::any::TypeId;
use std::error::Error;
use std::ffi::{OsStr, OsString};

use asl::interpreter::TimeScale;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Args, Command, CommandFactory, value_parser};

use crate::cli::arguments::{Arguments, ServeOptions};

const VARIABLE_PREFIX: &str = "STEPWELL_";
/// More variables that set what an argument sets, beside its own and the one that the argument names.
const MORE_VARIABLES: &[(&str, &str)] = &[("lambda_endpoint", "LAMBDA_ENDPOINT")];

/// One setting.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    arg: Arg,
    kind: Kind,
}

/// What its value looks like in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    List,
}

impl Kind {
    fn of(arg: &Arg) -> Kind {
        let type_id = arg.get_value_parser().type_id();
        let is = |types: &[TypeId]| types.iter().any(|wanted| type_id == *wanted);
        match arg.get_action() {
            ArgAction::SetTrue => Kind::Boolean,
            ArgAction::Append => Kind::List,
            _ if is(&[TypeId::of::<bool>()]) => Kind::Boolean,
            _ if is(&[
                TypeId::of::<u16>(),
                TypeId::of::<u32>(),
                TypeId::of::<u64>(),
                TypeId::of::<usize>(),
            ]) =>
            {
                Kind::Integer
            }
            _ if is(&[TypeId::of::<f64>(), TypeId::of::<TimeScale>()]) => Kind::Number,
            _ => Kind::Text,
        }
    }

    pub(crate) fn wanted(self) -> &'static str {
        match self {
            Kind::Text => "text in quotes",
            Kind::Integer => "a whole number",
            Kind::Number => "a number",
            Kind::Boolean => "true or false",
            Kind::List => "a list of texts, such as [\"one\", \"two\"]",
        }
    }
}

impl Setting {
    pub(crate) fn all() -> Vec<Setting> {
        let command = ServeOptions::augment_args(Command::new("serve"));
        command.get_arguments().map(|arg| Setting { arg: arg.clone(), kind: Kind::of(arg) }).collect()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn id(&self) -> &str {
        self.arg.get_id().as_str()
    }

    fn name(&self) -> &str {
        self.arg.get_long().expect("every setting has a long flag")
    }

    pub(crate) fn flag(&self) -> String {
        format!("--{}", self.name())
    }

    /// Its name in a file.
    pub(crate) fn key(&self) -> String {
        self.name().replace('-', "_")
    }

    /// The environment variables that set it, the strongest first.
    pub(crate) fn variables(&self) -> Vec<String> {
        variables(&self.arg)
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.arg.is_hide_env_values_set()
    }

    pub(crate) fn help(&self) -> String {
        self.arg.get_help().map(ToString::to_string).unwrap_or_default()
    }

    /// What stands for a value in the help.
    pub(crate) fn placeholder(&self) -> &str {
        self.arg.get_value_names().and_then(|names| names.first()).map_or("VALUE", |name| name.as_str())
    }

    pub(crate) fn default(&self) -> Vec<OsString> {
        match self.kind {
            Kind::Boolean => vec!["false".into()],
            _ => self.arg.get_default_values().iter().map(OsString::from).collect(),
        }
    }

    /// The values in one text, as an environment variable has them.
    pub(crate) fn split(&self, text: OsString) -> Vec<OsString> {
        match (self.arg.get_value_delimiter(), text.to_str()) {
            (Some(delimiter), Some(text)) => text.split(delimiter).map(OsString::from).collect(),
            (Some(_) | None, _) => vec![text],
        }
    }

    /// The flag that gives it one value.
    pub(crate) fn argument(&self, value: &OsStr) -> OsString {
        let mut argument = OsString::from(self.flag());
        argument.push("=");
        argument.push(value);
        argument
    }

    /// Why it cannot have this value.
    pub(crate) fn check(&self, value: &OsStr) -> Result<(), String> {
        let command = Command::new("stepwell").no_binary_name(true).arg(dress(self.arg.clone()));
        let Err(error) = command.try_get_matches_from([self.argument(value)]) else { return Ok(()) };
        let shown = match self.is_secret() {
            true => "the value that is not shown".to_owned(),
            false => format!("'{}'", value.to_string_lossy()),
        };
        let why = match (error.source(), error.kind(), self.kind) {
            (_, ErrorKind::InvalidUtf8, _) => "it must be text".to_owned(),
            (_, _, Kind::Boolean) => format!("it must be {}", self.kind.wanted()),
            (Some(source), _, Kind::Integer)
                if !value.to_string_lossy().bytes().all(|b| b.is_ascii_digit()) =>
            {
                format!("it must be {}: {source}", self.kind.wanted())
            }
            (Some(source), ..) => source.to_string(),
            (None, ..) => {
                let possible = self.arg.get_possible_values();
                let names: Vec<_> = possible.iter().map(clap::builder::PossibleValue::get_name).collect();
                match names.is_empty() {
                    true => format!("it must be like {}", self.placeholder()),
                    false => format!("it must be one of {}", names.join(", ")),
                }
            }
        };
        // Some parsers name the value themselves.
        Err(if why.starts_with(&shown) { why } else { format!("{shown} cannot be used: {why}") })
    }

    /// The options of `serve`, of flags that all have been checked.
    pub(crate) fn options(arguments: Vec<OsString>) -> Result<ServeOptions, clap::Error> {
        let command = Command::new("stepwell").no_binary_name(true);
        let command = ServeOptions::augment_args(command).mut_args(dress);
        clap::FromArgMatches::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }
}

fn variables(arg: &Arg) -> Vec<String> {
    let name = arg.get_long().expect("every setting has a long flag").replace('-', "_");
    let mut variables = vec![format!("{VARIABLE_PREFIX}{}", name.to_uppercase())];
    let of_argument = arg.get_env().map(|variable| variable.to_string_lossy().into_owned());
    let more = MORE_VARIABLES.iter().filter(|(id, _)| arg.get_id() == id).map(|(_, name)| (*name).to_owned());
    for variable in of_argument.into_iter().chain(more) {
        if !variables.contains(&variable) {
            variables.push(variable);
        }
    }
    variables
}

/// The command line of the program. The values of settings are taken as they are, since they are checked together
/// with those of the environment and of the file.
pub(crate) fn command() -> Command {
    let loosen = |arg: Arg| {
        if arg.get_id() == "config" {
            return arg;
        }
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let help = format!("{help} [env: {}]", variables(&arg).join(", "));
        let arg = dress(arg).help(help);
        if arg.get_possible_values().is_empty() { arg.value_parser(value_parser!(OsString)) } else { arg }
    };
    Arguments::command()
        .mut_subcommand("serve", |serve| serve.mut_args(loosen))
        .mut_subcommand("config", |config| config.mut_subcommand("show", |show| show.mut_args(loosen)))
}

/// An argument that looks at no environment, and a switch that can be switched off, as a file may have switched it on.
fn dress(arg: Arg) -> Arg {
    let kind = Kind::of(&arg);
    let arg = arg.env(None::<&'static str>);
    match kind {
        Kind::Boolean => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_parser(value_parser!(bool))
            .value_name("true|false")
            .default_missing_value("true")
            .default_value("false")
            .hide_possible_values(true),
        Kind::Text | Kind::Integer | Kind::Number | Kind::List => arg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_one_name_in_three_forms() {
        let settings = Setting::all();
        assert!(settings.len() >= 8);
        for setting in &settings {
            assert_eq!(setting.id(), setting.key());
            assert_eq!(setting.flag(), format!("--{}", setting.key().replace('_', "-")));
            assert_eq!(setting.variables()[0], format!("STEPWELL_{}", setting.key().to_uppercase()));
            assert!(!setting.help().is_empty(), "{}", setting.key());
            for value in setting.default() {
                assert_eq!(setting.check(&value), Ok(()), "{}", setting.key());
            }
        }
        let region = settings.iter().find(|setting| setting.id() == "region").unwrap();
        assert_eq!(region.variables(), ["STEPWELL_REGION", "AWS_DEFAULT_REGION"]);
    }

    #[test]
    fn the_kinds_come_from_the_types() {
        let kind = |id: &str| Setting::all().iter().find(|setting| setting.id() == id).unwrap().kind();
        assert_eq!(kind("data"), Kind::Text);
        assert_eq!(kind("listen"), Kind::Text);
        assert_eq!(kind("allow_remote"), Kind::Boolean);
        assert_eq!(kind("module_timeout"), Kind::Integer);
        assert_eq!(kind("wait_time_scale"), Kind::Number);
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_value_that_cannot_be_used_is_refused_with_what_could() {
        for (id, value, why) in [
            ("listen", "localhost:1", "'localhost:1' cannot be used: it must be an IP address and a port"),
            ("allow_remote", "yes", "'yes' cannot be used: it must be true or false"),
            ("region", "US East", "cannot be used: it must be like us-east-1"),
            ("account", "12", "'12' cannot be used: it must have 12 digits"),
            ("module_timeout", "0", "'0' cannot be used: 0 is not in 1..=86400"),
            ("module_timeout", "soon", "'soon' cannot be used: it must be a whole number"),
            ("execution_logs", "x", "'x' cannot be used: it must be one of "),
            ("data", "", "'' cannot be used: it must be like DIR"),
            ("wait_time_scale", "2", "'2' cannot be used: it must be a number from 0 to 1"),
            (
                "secret_key",
                "abc",
                "the value that is not shown cannot be used: it must have 64 hexadecimal digits",
            ),
        ] {
            let setting = Setting::all().into_iter().find(|setting| setting.id() == id).unwrap();
            let error = setting.check(OsStr::new(value)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
