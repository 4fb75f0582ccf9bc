//! The unmodified AWS CLI, boto3 and the AWS SDK for JavaScript, see `tests/clients/run`.

use std::process::Command;

use tests::process::{Home, root, target};

/// The exit code of `run` when the clients cannot be installed.
const NOT_RUN: i32 = 77;

#[test]
fn the_aws_clients_find_what_they_know() {
    let python = Command::new("python3").args(["-c", "import venv, ensurepip"]).output();
    if !python.is_ok_and(|python| python.status.success()) {
        return println!("aws clients: not run: there is no python3 with venv and pip (1 skipped)");
    }
    let home = Home::new();
    let server = home.start();
    let clients = Command::new("python3")
        .arg(root().join("tests/clients/run"))
        .arg(server.client().endpoint())
        .arg(target().join("clients"))
        .output()
        .unwrap();
    let told = [clients.stdout, clients.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    print!("{told}");
    if clients.status.code() == Some(NOT_RUN) {
        return println!("aws clients: 1 skipped");
    }
    assert!(clients.status.success(), "the AWS clients failed:\n{told}\n{}", home.log_tail());
}
