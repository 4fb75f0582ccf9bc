//! The service against its model over TCP, with a server that is killed while the clients wait for answers.

use std::thread;
use std::time::Duration;

use serde_json::Value;
use tests::model::{self, Answer, Options, Port, Ran};
use tests::process::{Client, Home, pause};

const CLIENTS: u64 = 4;
const KILLS: u64 = 6;
/// How long a server lives, at least; each a little longer than the one before.
const LIFE: Duration = Duration::from_millis(300);
/// Calls of each client that the last server answers.
const LAST_CALLS: u64 = 1_000;

struct OverTcp(Client);

impl Port for OverTcp {
    fn call(&self, operation: &str, members: &Value) -> Result<Answer, String> {
        match self.0.post(operation, &members.to_string()) {
            Ok(answer) => Ok(Answer { status: answer.status, body: answer.body }),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn client(number: u64) -> model::Client {
    let own = format!("c{number}-");
    let options = Options { own, always_named: true, polls_when_idle: false, has_broken_function: false };
    model::Client::new(options, number)
}

/// Lets the clients call until the server is gone or they have made so many calls more.
fn run(clients: &mut [model::Client], server: Client, more: u64, expected: Ran) {
    thread::scope(|scope| {
        let running: Vec<_> = clients
            .iter_mut()
            .map(|client| {
                let until = client.calls().saturating_add(more);
                scope.spawn(move || client.run(&OverTcp(server), until))
            })
            .collect();
        for client in running {
            let ran = client.join().unwrap().unwrap_or_else(|different| panic!("{different}"));
            assert_eq!(ran, expected);
        }
    });
}

#[test]
fn a_server_that_is_killed_agrees_with_the_model() {
    let home = Home::new();
    let mut clients: Vec<_> = (0..CLIENTS).map(client).collect();
    for kill in 0..KILLS {
        let server = home.start();
        let address = server.client();
        thread::scope(|scope| {
            scope.spawn(|| run(&mut clients, address, u64::MAX, Ran::Lost));
            pause(LIFE + Duration::from_millis(37 * kill));
            server.kill();
        });
    }
    let server = home.start();
    run(&mut clients, server.client(), LAST_CALLS, Ran::All);
    let calls: u64 = clients.iter().map(model::Client::calls).sum();
    println!("{calls} calls of {CLIENTS} clients, {KILLS} kills");
}
