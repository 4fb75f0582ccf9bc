//! The settings of `serve`: a file, the environment and flags, and what `stepwell config` says of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;
use tests::process::{Home, PATIENCE, history, program, wait_for};

/// The program in a folder of its own, with no variable that it could read.
fn stepwell(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder).env_clear().envs(variables.iter().copied());
    command.output().unwrap()
}

fn folder(file: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("stepwell.toml"), file).unwrap();
    folder
}

fn lines(output: &[u8]) -> Vec<String> {
    String::from_utf8(output.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_file_is_checked_with_every_mistake_and_its_place() {
    let folder = folder("[serve]\nregoin = \"eu-west-1\"\nlisten = 8083\n");
    for arguments in [&["config", "check"][..], &["config", "check", "stepwell.toml"]] {
        let output = stepwell(folder.path(), arguments, &[]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            lines(&output.stdout),
            [
                "stepwell.toml:2:1: unknown setting 'regoin'; did you mean 'region'?",
                "stepwell.toml:3:10: listen must be text in quotes, not a whole number",
            ]
        );
    }
    fs::write(folder.path().join("good.toml"), "[serve]\nregion = \"eu-west-1\"\n").unwrap();
    let output = stepwell(folder.path(), &["config", "check"], &[("STEPWELL_CONFIG", "good.toml")]);
    assert_eq!(
        (output.status.code(), lines(&output.stdout)),
        (Some(0), vec!["good.toml is valid".to_owned()])
    );

    let absent = stepwell(folder.path(), &["config", "check", "absent.toml"], &[]);
    assert_eq!(absent.status.code(), Some(1));
    assert!(lines(&absent.stderr)[0].contains("absent.toml cannot be read"), "{absent:?}");
    let nothing = tempfile::tempdir().unwrap();
    let output = stepwell(nothing.path(), &["config", "check"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(lines(&output.stderr)[0].contains("name a file: stepwell config check FILE"), "{output:?}");
}

#[test]
fn a_file_for_a_server_that_others_reach_needs_keys() {
    let folder = folder("[serve]\ndata = \"d\"\nlisten = \"0.0.0.0:8083\"\n");
    let check = |variables: &[(&str, &str)]| stepwell(folder.path(), &["config", "check"], variables);
    let output = check(&[]);
    let found = lines(&output.stdout);
    let expected = "stepwell.toml:3: listen: 0.0.0.0:8083 can be reached from other machines, and there are no access keys";
    assert_eq!((output.status.code(), found.len()), (Some(1), 1), "{output:?}");
    assert!(
        found[0].starts_with(expected) && found[0].contains("`stepwell keys create --data d`"),
        "{found:?}"
    );
    assert!(!folder.path().join("d").exists());
    // As the server would, the check takes the environment into account.
    let output = check(&[("STEPWELL_LISTEN", "0.0.0.0:1")]);
    let expected = "environment variable STEPWELL_LISTEN: listen: 0.0.0.0:1 can be reached";
    assert!(lines(&output.stdout)[0].starts_with(expected), "{output:?}");
    for variable in [("STEPWELL_ALLOW_REMOTE", "true"), ("STEPWELL_LISTEN", "127.0.0.1:0")] {
        assert_eq!(lines(&check(&[variable]).stdout), ["stepwell.toml is valid"]);
    }

    assert!(stepwell(folder.path(), &["keys", "create", "--data", "d"], &[]).status.success());
    assert_eq!(lines(&check(&[]).stdout), ["stepwell.toml is valid"]);
}

#[test]
fn the_options_of_requests_have_a_heading_of_their_own() {
    let output = stepwell(Path::new("."), &["serve", "--help"], &[]);
    let help = String::from_utf8(output.stdout).unwrap();
    let (own, requests) = help.split_once("\nRequests to a server:\n").unwrap();
    for option in ["--endpoint", "--access-key-id", "--secret-access-key"] {
        assert!(!own.contains(&format!("{option} ")) && requests.contains(option), "{option}: {help}");
    }
    assert!(own.contains("--secret-key "), "{help}");
}

#[test]
fn the_settings_are_shown_with_where_they_come_from() {
    let folder =
        folder("[serve]\nregion = \"eu-west-1\"\naccount = \"000000000001\"\nwait_time_scale = 0.5\n");
    let secret = "5e".repeat(32);
    let variables = [("AWS_ACCOUNT_ID", "000000000002"), ("STEPWELL_SECRET_KEY", secret.as_str())];
    let output = stepwell(folder.path(), &["config", "show", "--listen", "127.0.0.1:9"], &variables);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let shown = lines(&output.stdout);
    let words = |key: &str| {
        let line = shown.iter().find(|line| line.trim_start_matches("# ").starts_with(key)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(words("listen"), "listen = \"127.0.0.1:9\" # --listen");
    assert_eq!(words("account"), "account = \"000000000002\" # environment variable AWS_ACCOUNT_ID");
    assert_eq!(words("region"), "region = \"eu-west-1\" # stepwell.toml:2");
    assert_eq!(words("wait_time_scale"), "wait_time_scale = 0.5 # stepwell.toml:4");
    assert_eq!(words("module_timeout"), "module_timeout = 60 # default");
    assert_eq!(
        words("secret_key"),
        "# secret_key is set and not shown # environment variable STEPWELL_SECRET_KEY"
    );
    assert!(!shown.join("\n").contains(&secret));
}

#[test]
fn the_example_is_a_valid_file() {
    let folder = tempfile::tempdir().unwrap();
    let example = stepwell(folder.path(), &["config", "example"], &[]);
    fs::write(folder.path().join("stepwell.toml"), &example.stdout).unwrap();
    let output = stepwell(folder.path(), &["config", "check"], &[]);
    assert_eq!(lines(&output.stdout), ["stepwell.toml is valid"]);
    for key in ["listen", "data", "wait_time_scale", "lambda_endpoint"] {
        assert!(lines(&example.stdout).iter().any(|line| line.starts_with(&format!("# {key} = "))), "{key}");
    }
}

#[test]
fn a_server_does_not_start_with_settings_that_cannot_be_used() {
    let folder = folder("[serve]\nlisten = \"localhost\"\n");
    let output = stepwell(folder.path(), &["serve", "--module-timeout=0"], &[("AWS_ACCOUNT_ID", "me")]);
    assert_eq!(output.status.code(), Some(2));
    let shown = lines(&output.stderr);
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert!(
        shown[0]
            .starts_with("error: stepwell.toml:2:10: listen: 'localhost' cannot be used: it must be an IP")
    );
    assert!(
        shown[1]
            .starts_with("error: environment variable AWS_ACCOUNT_ID: 'me' cannot be used: it must have 12")
    );
    assert!(shown[2].starts_with("error: --module-timeout: '0' cannot be used: 0 is not in 1..=86400"));
    assert!(!folder.path().join("stepwell-data").exists());
}

#[test]
fn a_scaled_server_does_not_wait_and_says_so() {
    let home = Home::new().with_env("WAIT_TIME_SCALE", "0").with_env("SQS_ENDPOINT", "http://127.0.0.1:1");
    let server = home.start();
    let client = server.client();
    let machine = client.create(
        "waits",
        &json!({"StartAt": "W", "States": {
            "W": {"Type": "Wait", "Seconds": 86400, "Next": "T"},
            "T": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:absent",
                "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 86400, "MaxAttempts": 2}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "E"}], "End": true},
            "E": {"Type": "Succeed"},
        }}),
    );
    let execution = client.start(&machine, &json!({}));
    let shown = wait_for("the execution to end", PATIENCE, || {
        let shown = client.describe(&execution);
        (shown["status"] != "RUNNING").then_some(shown)
    });
    assert_eq!(shown["status"], "SUCCEEDED");
    let events = client.history(&execution);
    assert_eq!(history::problems(&events), [""; 0]);
    assert_eq!(history::count(&events, "LambdaFunctionScheduled"), 3);

    let tested = client
        .call("TestState", &json!({"definition": "{\"Type\": \"Wait\", \"Seconds\": 86400, \"End\": true}"}));
    assert_eq!(tested["status"], "SUCCEEDED");
    let log = home.log_tail();
    assert!(
        log.contains("time is scaled: Wait states and delays before retries last 0 of their time"),
        "{log}"
    );
    assert!(log.contains("SQS_ENDPOINT: set, but without effect"), "{log}");
}
