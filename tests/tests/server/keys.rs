//! `stepwell keys` on a data folder and through a server, and servers that other machines could reach.

use std::process::{Command, Output};

use tests::process::{Home, program};

type Key = [(String, String); 2];

/// The command line without whatever keys and endpoints are in the environment.
fn stepwell(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "STEPWELL_ENDPOINT", "STEPWELL_SECRET_KEY"] {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

#[track_caller]
fn good(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(mut command: Command, expected: &str) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{command:?}: {}", told(&output));
    assert!(told(&output).contains(expected), "{}", told(&output));
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The two variables that `stepwell keys create` prints.
#[track_caller]
fn key(printed: &str) -> Key {
    let lines: Vec<_> = printed.lines().filter_map(|line| line.split_once('=')).collect();
    let [(id, _), (secret, _)] = lines[..] else { panic!("{printed}") };
    assert_eq!((id, secret), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"));
    [0, 1].map(|index| (lines[index].0.to_owned(), lines[index].1.to_owned()))
}

fn on_folder(home: &Home, arguments: &[&str]) -> Command {
    let mut command = stepwell(&["keys"]);
    command.args(arguments).arg("--data").arg(home.data());
    command
}

/// Makes a key on the data folder of a server that does not run.
#[track_caller]
pub(crate) fn create_key(home: &Home) -> Key {
    key(&good(on_folder(home, &["create", "--description", "of a test"])))
}

#[test]
fn keys_are_made_on_a_folder_and_through_the_server() {
    let home = Home::new();
    refused(on_folder(&home, &["list"]), "there is no data folder");
    let first = create_key(&home);
    let listed = good(on_folder(&home, &["list"]));
    assert!(listed.contains(&first[0].1) && listed.contains("of a test") && !listed.contains(&first[1].1));

    let server = home.start();
    let endpoint = server.client().endpoint();
    let ask = |arguments: &[&str], key: Option<&Key>| {
        let mut command = stepwell(&["--endpoint", &endpoint]);
        command.args(arguments).envs(key.into_iter().flatten().cloned());
        command
    };
    refused(on_folder(&home, &["list"]), "is in use by a server. Leave out --data");
    refused(
        ask(&["keys", "list"], None),
        "MissingAuthenticationTokenException: Missing Authentication Token",
    );
    refused(
        ask(&["keys", "list"], Some(&[first[0].clone(), (first[1].0.clone(), "wrong".to_owned())])),
        "does not match",
    );
    refused(
        ask(&["module", "list"], Some(&[first[0].clone(), (first[1].0.clone(), String::new())])),
        "without AWS_SECRET",
    );
    let second = key(&good(ask(&["keys", "create"], Some(&first))));
    let listed = good(ask(&["keys", "list"], Some(&second)));
    assert!(listed.contains(&first[0].1) && listed.contains(&second[0].1), "{listed}");
    good(ask(
        &["module", "list", "--access-key-id", &second[0].1, "--secret-access-key", &second[1].1],
        None,
    ));
    good(ask(&["keys", "remove", &first[0].1], Some(&second)));
    refused(ask(&["keys", "list"], Some(&first)), "UnrecognizedClientException");
    refused(ask(&["keys", "remove", "AKIANONE"], Some(&second)), "there is no access key AKIANONE");
    // The server listens on loopback, so its last key may go.
    good(ask(&["keys", "remove", &second[0].1], Some(&second)));
    good(ask(&["keys", "list"], None));
    server.kill();
    assert_eq!(good(on_folder(&home, &["list"])), "");
}

#[test]
fn an_address_that_other_machines_reach_needs_a_key() {
    let home = Home::new();
    let output = home.run_on("0.0.0.0:0");
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let expected = format!("`stepwell keys create --data {}`", home.data().display());
    assert!(told(&output).contains(&expected), "{}", told(&output));

    let first = create_key(&home);
    let server = home.start_on("0.0.0.0:0");
    let endpoint = format!("http://127.0.0.1:{}", server.client().address().port());
    let mut remove = stepwell(&["--endpoint", &endpoint, "keys", "remove", &first[0].1]);
    remove.envs(first.clone());
    refused(remove, "LastKey: this is the last access key");
    let mut list = stepwell(&["--endpoint", &endpoint, "keys", "list"]);
    list.envs(first);
    assert!(good(list).contains("of a test"));
}

#[test]
fn a_server_that_has_lost_its_key_makes_no_other() {
    let home = Home::new();
    create_key(&home);
    let path = home.data().join("secret.key");
    let kept = home.path("kept.key");
    std::fs::rename(&path, &kept).unwrap();
    let before = home.files("data");
    let output = home.run();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains(&format!("{} is missing", path.display())), "{}", told(&output));
    refused(on_folder(&home, &["create"]), "is missing");
    // Nothing was started and nothing written.
    assert_eq!(home.files("data"), before);

    std::fs::rename(&kept, &path).unwrap();
    home.start();

    let before = home.files("data");
    let home = home.with_env("STEPWELL_SECRET_KEY", "5e".repeat(32));
    let expected = "were sealed with another key than STEPWELL_SECRET_KEY has";
    let output = home.run();
    assert!(told(&output).contains(expected), "{}", told(&output));
    assert_eq!(home.files("data"), before);
}
