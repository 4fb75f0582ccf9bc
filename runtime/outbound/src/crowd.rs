//! One who asks for more than its part, and others who go on.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail like the tests themselves")]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::task::JoinSet;

use crate::client::{Bounds, Client, Response, SendError};
use crate::guard::{Guard, Policy};
use crate::limits::{KEPT_PLACES_OF_ONE_MAX, LOOKUPS_MAX, LOOKUPS_OF_ONE_MAX};
use crate::rebinding::{BOUNDS, PERMITTED, listen, listen_for};
use crate::resolver::Lookup;

/// How long what must happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers for `slow.example` only when it is told to, and at once for all other names.
#[derive(Debug, Default)]
struct Slow {
    asked: AtomicUsize,
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Lookup for Slow {
    fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        if name == "slow.example" {
            self.asked.fetch_add(1, Ordering::Relaxed);
            drop(self.over.wait_while(self.is_over.lock().unwrap(), |is_over| !*is_over));
        }
        Ok(vec![SocketAddr::new(PERMITTED.parse::<IpAddr>().unwrap(), 0)])
    }
}

impl Slow {
    fn end(&self) {
        *self.is_over.lock().unwrap() = true;
        self.over.notify_all();
    }

    async fn are_asked(&self, count: usize) {
        let all = async {
            while self.asked.load(Ordering::Relaxed) < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, all).await.expect("they are asked");
    }
}

/// A client that may reach everything at `PERMITTED`.
fn client(lookup: Arc<dyn Lookup>, port: u16) -> Client {
    let origins = [format!("http://slow.example:{port}"), format!("http://*.quick.example:{port}")];
    let guard = Guard {
        origins: Some(origins.iter().map(|origin| origin.parse().unwrap()).collect()),
        addresses: vec![format!("{PERMITTED}/32").parse().unwrap()],
    };
    Client::with_lookup(Policy::Guarded(guard), lookup).unwrap()
}

async fn get(client: &Client, who: &str, host: &str, port: u16) -> Result<Response, SendError> {
    let request = Request::get(format!("http://{host}:{port}/")).body(Bytes::new()).unwrap();
    let bounds = Bounds { timeout: PATIENCE, ..BOUNDS };
    client.send_for(who.into(), request, bounds).await
}

#[tokio::test]
async fn slow_look_ups_of_one_hold_nobody_else_up() {
    let (port, _) = listen(PERMITTED, 0);
    let slow = Arc::new(Slow::default());
    let client = client(Arc::clone(&slow) as _, port);
    let mut hostile = JoinSet::new();
    for _ in 0..2 * LOOKUPS_MAX {
        let client = client.clone();
        hostile.spawn(async move { get(&client, "hostile", "slow.example", port).await });
    }
    slow.are_asked(LOOKUPS_OF_ONE_MAX).await;
    let answer = get(&client, "neighbour", "a.quick.example", port).await;
    // Whoever gives up leaves the line; what has begun keeps its place until it is over.
    hostile.shutdown().await;
    let other = get(&client, "hostile", "b.quick.example", port);
    let other = tokio::join!(other, async { slow.end() }).0;
    assert_eq!((answer.unwrap().status, other.unwrap().status.as_u16()), (http::StatusCode::OK, 200));
    assert_eq!(slow.asked.load(Ordering::Relaxed), LOOKUPS_OF_ONE_MAX);
}

#[tokio::test]
async fn connections_to_many_places_are_not_kept() {
    let (port, closed) = listen_for(PERMITTED, "connection: close");
    let client = client(Arc::new(Slow::default()), port);
    for number in 0..KEPT_PLACES_OF_ONE_MAX + 3 {
        get(&client, "hostile", &format!("{number}.quick.example"), port).await.unwrap();
    }
    get(&client, "neighbour", "a.quick.example", port).await.unwrap();
    assert_eq!(closed.load(Ordering::Relaxed), 3);
}
