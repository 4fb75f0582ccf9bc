//! A name that leads to a permitted place when it is looked up first, and inside afterwards.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail like the tests themselves")]

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::client::{Bounds, Client, SendError};
use crate::guard::{Guard, Policy};
use crate::resolver::Lookup;

/// The operator lets requests go here, although it is no public address.
pub(crate) const PERMITTED: &str = "127.0.0.2";
pub(crate) const BOUNDS: Bounds = Bounds { timeout: Duration::from_secs(30), body_bytes_max: 1_000 };

/// Gives another answer each time, the last one for ever.
#[derive(Debug)]
struct Rebinding(Mutex<Vec<Vec<SocketAddr>>>);

impl Rebinding {
    fn new(answers: &[&[&str]]) -> Arc<Rebinding> {
        let address = |text: &&str| SocketAddr::new(text.parse::<IpAddr>().unwrap(), 0);
        let answers = answers.iter().rev().map(|answer| answer.iter().map(address).collect());
        Arc::new(Rebinding(Mutex::new(answers.collect())))
    }
}

impl Lookup for Rebinding {
    fn addresses(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        Ok(answer.unwrap_or_default())
    }
}

/// Answers each connection once and closes it; counts them.
pub(crate) fn listen(address: &str, port: u16) -> (u16, Arc<AtomicUsize>) {
    listen_to(TcpListener::bind((address, port)).unwrap(), "")
}

/// The same on any port, and counts those whose request has a text in it.
pub(crate) fn listen_for(address: &str, text: &'static str) -> (u16, Arc<AtomicUsize>) {
    listen_to(TcpListener::bind((address, 0)).unwrap(), text)
}

fn listen_to(listener: TcpListener, text: &'static str) -> (u16, Arc<AtomicUsize>) {
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0; 4_096];
            let length = stream.read(&mut asked).unwrap_or_default();
            let is_counted = String::from_utf8_lossy(&asked[..length]).contains(text);
            counted.fetch_add(usize::from(is_counted), Ordering::Relaxed);
            let _told =
                stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        }
    });
    (port, count)
}

#[tokio::test]
async fn a_name_is_held_against_the_guard_at_each_connection() {
    let (port, permitted) = listen(PERMITTED, 0);
    let (_, inside) = listen("127.0.0.1", port);
    let url = format!("http://rebind.example:{port}/");
    let guard = Guard {
        origins: Some(vec![url.parse().unwrap()]),
        addresses: vec![format!("{PERMITTED}/32").parse().unwrap()],
    };
    let lookup = Rebinding::new(&[
        &[PERMITTED],
        &["127.0.0.1"],
        &["127.0.0.1", PERMITTED],
        &["169.254.169.254", "::1", "::ffff:127.0.0.1"],
        &[PERMITTED],
        &["127.0.0.1"],
    ]);
    let client = Client::with_lookup(Policy::Guarded(guard), lookup).unwrap();
    let mut ends = Vec::new();
    for _ in 0..7 {
        let request = Request::get(&url).body(Bytes::new()).unwrap();
        ends.push(match client.send(request, BOUNDS).await {
            Ok(answer) => answer.status.to_string(),
            Err(SendError::Forbidden(why)) => why,
            Err(other) => panic!("{other}"),
        });
    }
    let is_let = |end: &String| end == "200 OK";
    assert_eq!(ends.iter().map(is_let).collect::<Vec<_>>(), [true, false, true, false, true, false, false]);
    assert!(ends[1].starts_with("The host rebind.example has a loopback address."), "{}", ends[1]);
    assert_eq!((permitted.load(Ordering::Relaxed), inside.load(Ordering::Relaxed)), (3, 0));
}
