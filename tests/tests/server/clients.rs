//! The unmodified AWS CLI, boto3 and the AWS SDK for JavaScript, see `tests/clients/run`.

use std::process::Command;

use tests::process::{Home, root, target};

use super::keys::create_key;

/// The exit code of `run` when the clients cannot be installed.
const NOT_RUN: i32 = 77;

#[test]
fn the_aws_clients_find_what_they_know() {
    run_clients(false);
}

#[test]
fn the_aws_clients_sign_as_the_server_checks() {
    run_clients(true);
}

fn run_clients(has_keys: bool) {
    let python = Command::new("python3").args(["-c", "import venv, ensurepip"]).output();
    if !python.is_ok_and(|python| python.status.success()) {
        return println!("aws clients: not run: there is no python3 with venv and pip (1 skipped)");
    }
    let home = Home::new();
    let key = has_keys.then(|| create_key(&home));
    let server = home.start();
    let mut clients = Command::new("python3");
    clients
        .arg(root().join("tests/clients/run"))
        .arg(server.client().endpoint())
        .arg(target().join("clients"))
        .env("STEPWELL_GUESTS", target().join("guests"));
    if let Some(key) = key {
        clients.arg("with_keys").envs(key);
    }
    let clients = clients.output().unwrap();
    let told = [clients.stdout, clients.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    print!("{told}");
    if clients.status.code() == Some(NOT_RUN) {
        return println!("aws clients: 1 skipped");
    }
    assert!(clients.status.success(), "the AWS clients failed:\n{told}\n{}", home.log_tail());
}
