//! Which of several values is taken, told by one table.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use tempfile::TempDir;

use super::resolve::{Environment, FILE, Resolved, resolve};
use super::table::{Setting, command};
use super::{Problem, example, show};

struct World {
    folder: TempDir,
    variables: BTreeMap<&'static str, &'static str>,
}

impl World {
    fn new(file: Option<&str>, variables: &[(&'static str, &'static str)]) -> World {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = file {
            std::fs::write(folder.path().join(FILE), text).unwrap();
        }
        World { folder, variables: variables.iter().copied().collect() }
    }

    fn resolve(&self, flags: &[&str]) -> Result<Resolved, Vec<Problem>> {
        let arguments = ["stepwell", "serve"].iter().chain(flags);
        let matches = command().try_get_matches_from(arguments).unwrap_or_else(|error| panic!("{error}"));
        let variable = |name: &str| self.variables.get(name).map(OsString::from);
        let environment = Environment { variable: &variable, folder: self.folder.path() };
        resolve(matches.subcommand().unwrap().1, &environment)
    }

    /// The line of `config show` for a setting.
    #[track_caller]
    fn line(&self, key: &str, flags: &[&str]) -> String {
        let resolved = self.resolve(flags).unwrap_or_else(|problems| panic!("{problems:?}"));
        let shown = show(&resolved);
        let line = shown.lines().find(|line| line.trim_start_matches("# ").starts_with(key)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn refused(&self, flags: &[&str]) -> Vec<String> {
        let problems = self.resolve(flags).unwrap_err();
        problems.iter().map(ToString::to_string).collect()
    }
}

/// Key, value in the file, flag with its value, variables with theirs, default.
type Row =
    (&'static str, &'static str, [&'static str; 2], &'static [(&'static str, &'static str)], &'static str);

#[test]
fn a_flag_beats_the_environment_and_that_the_file_and_that_the_default() {
    let rows: &[Row] = &[
        (
            "region",
            "eu-west-1",
            ["--region", "eu-west-2"],
            &[("STEPWELL_REGION", "eu-west-3"), ("AWS_DEFAULT_REGION", "eu-north-1")],
            "us-east-1",
        ),
        (
            "account",
            "000000000001",
            ["--account", "000000000002"],
            &[("STEPWELL_ACCOUNT", "000000000003"), ("AWS_ACCOUNT_ID", "000000000004")],
            "123456789012",
        ),
        (
            "listen",
            "127.0.0.1:1",
            ["--listen", "127.0.0.1:2"],
            &[("STEPWELL_LISTEN", "127.0.0.1:3")],
            "127.0.0.1:8083",
        ),
        ("data", "a b", ["--data", "c"], &[("STEPWELL_DATA", "d")], "./stepwell-data"),
    ];
    for (key, in_file, flags, variables, default) in rows {
        let file = format!("[serve]\n{key} = \"{in_file}\"\n");
        let flag = flags[0];
        let all = World::new(Some(&file), variables);
        assert_eq!(all.line(key, &flags[..]), format!("{key} = \"{}\" # {flag}", flags[1]));
        for (at, (variable, value)) in variables.iter().enumerate() {
            let world = World::new(Some(&file), &variables[at..]);
            let expected = format!("{key} = \"{value}\" # environment variable {variable}");
            assert_eq!(world.line(key, &[]), expected);
        }
        let only_file = World::new(Some(&file), &[]);
        assert_eq!(only_file.line(key, &[]), format!("{key} = \"{in_file}\" # stepwell.toml:2"));
        assert_eq!(World::new(None, &[]).line(key, &[]), format!("{key} = \"{default}\" # default"));
        let empty = World::new(None, &[(variables[0].0, "")]);
        assert_eq!(empty.line(key, &[]), format!("{key} = \"{default}\" # default"));
    }
}

#[test]
fn numbers_and_switches_take_the_same_way() {
    let file = "[serve]\nallow_remote = true\nwait_time_scale = 0.5\nmodule_timeout = 5\n";
    let world = World::new(Some(file), &[("WAIT_TIME_SCALE", "0.25"), ("STEPWELL_MODULE_TIMEOUT", "6")]);
    assert_eq!(
        world.line("wait_time_scale", &[]),
        "wait_time_scale = 0.25 # environment variable WAIT_TIME_SCALE"
    );
    assert_eq!(world.line("allow_remote", &[]), "allow_remote = true # stepwell.toml:2");
    assert_eq!(
        world.line("allow_remote", &["--allow-remote=false"]),
        "allow_remote = false # --allow-remote"
    );
    let resolved = world.resolve(&["--module-timeout", "7"]).unwrap();
    assert!(resolved.options.allow_remote);
    assert_eq!(resolved.options.module_timeout, 7);
    assert_eq!(resolved.options.wait_time_scale.to_string(), "0.25");

    let world = World::new(None, &[("STEPWELL_ALLOW_REMOTE", "true")]);
    assert!(world.resolve(&[]).unwrap().options.allow_remote);
    assert!(World::new(None, &[]).resolve(&["--allow-remote"]).unwrap().options.allow_remote);
}

#[test]
fn a_file_is_named_by_the_flag_or_the_environment() {
    let world = World::new(Some("[serve]\nregion = \"eu-west-1\""), &[("STEPWELL_CONFIG", "other.toml")]);
    let other = world.folder.path().join("other.toml");
    std::fs::write(&other, "[serve]\n\nregion = \"eu-west-2\"").unwrap();
    assert_eq!(world.line("region", &[]), "region = \"eu-west-2\" # other.toml:3");
    let flags = ["--config", "third.toml"];
    assert!(
        world.refused(&flags)[0].starts_with("--config: the configuration file third.toml cannot be read: ")
    );
    std::fs::remove_file(&other).unwrap();
    let refused = world.refused(&[]);
    assert!(
        refused[0].starts_with("environment variable STEPWELL_CONFIG: the configuration file"),
        "{refused:?}"
    );
}

#[test]
fn every_bad_value_is_named_with_its_source() {
    let world = World::new(
        Some("[serve]\nregion = 7\nlisten = \"x\""),
        &[("AWS_ACCOUNT_ID", "12"), ("WAIT_TIME_SCALE", "9")],
    );
    let refused = world.refused(&["--module-timeout", "0", "--secret-key", "hush"]);
    let sources: Vec<_> = refused.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
    assert_eq!(
        sources,
        [
            "stepwell.toml:2:10",
            "stepwell.toml:3:10",
            "environment variable AWS_ACCOUNT_ID",
            "--module-timeout",
            "environment variable WAIT_TIME_SCALE",
            "--secret-key",
        ]
    );
    assert!(!refused.iter().any(|problem| problem.contains("hush")), "{refused:?}");
}

#[test]
fn secrets_are_not_shown() {
    let key = "ab".repeat(32);
    let world = World::new(Some(&format!("[serve]\nsecret_key = \"{key}\"")), &[]);
    assert_eq!(world.line("secret_key", &[]), "# secret_key is set and not shown # stepwell.toml:2");
    assert_eq!(World::new(None, &[]).line("secret_key", &[]), "# secret_key is not set # default");
}

#[test]
fn endpoints_of_services_that_are_not_called_are_told() {
    let world = World::new(None, &[("SQS_ENDPOINT", "http://127.0.0.1:1"), ("SNS_ENDPOINT", "")]);
    assert_eq!(world.resolve(&[]).unwrap().ignored, ["SQS_ENDPOINT"]);
}

#[test]
fn what_is_shown_is_a_file_that_says_the_same() {
    let world = World::new(None, &[("AWS_DEFAULT_REGION", "eu-west-1")]);
    let shown = show(&world.resolve(&["--data", "a \"b\"\\c"]).unwrap());
    let again = World::new(Some(&shown), &[]);
    assert!(again.line("region", &[]).starts_with("region = \"eu-west-1\" # stepwell.toml:"));
    assert_eq!(again.resolve(&[]).unwrap().options.data, Path::new("a \"b\"\\c"));
}

#[test]
fn the_example_is_a_file_of_the_defaults() {
    assert!(super::File::parse(Path::new(FILE), &example()).problems.is_empty());
    // With every line that sets something to its default.
    let unset = Setting::all().into_iter().filter(|setting| setting.default().is_empty());
    let unset: Vec<_> = unset.map(|setting| setting.key()).collect();
    let text: Vec<_> = example()
        .lines()
        .filter(|line| !unset.iter().any(|key| line.starts_with(&format!("# {key} = "))))
        .map(|line| match line.strip_prefix("# ").and_then(|rest| rest.split_once(" = ")) {
            Some((key, value)) if !key.contains(' ') => format!("{key} = {value}"),
            _ => line.to_owned(),
        })
        .collect();
    let world = World::new(Some(&text.join("\n")), &[]);
    assert!(world.line("module_timeout", &[]).contains("# stepwell.toml:"));
    let (given, usual) = (world.resolve(&[]).unwrap(), World::new(None, &[]).resolve(&[]).unwrap());
    assert_eq!(format!("{:?}", given.options), format!("{:?}", usual.options));
    assert!(example().lines().all(|line| line.chars().count() <= 100));
}
