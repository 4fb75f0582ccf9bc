//! What leaves the server when a module tries to put a second request, another host or another end into its own: the
//! bytes, as a server of the outside reads them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tests::process::{Client, Home, Server, guest};

use crate::tasks::task;

const HANDLER: &str = "arn:aws:lambda:us-east-1:123456789012:function:handler";
/// No test sends more.
const REQUEST_BYTES_MAX: usize = 1 << 16;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
/// Any request that hides in another one has this in its first line.
const HIDDEN: &str = "/hidden";

/// Answers each connection once, after as many bytes as the request has by its own account, and keeps all of them.
struct Recorder {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn start() -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut bytes = Vec::new();
                while !is_whole(&bytes) && bytes.len() < REQUEST_BYTES_MAX {
                    let mut buffer = [0; 4_096];
                    match stream.read(&mut buffer) {
                        Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
                        Ok(_) | Err(_) => break,
                    }
                }
                kept.lock().unwrap().push(String::from_utf8_lossy(&bytes).into_owned());
                let _hung_up = stream.write_all(ANSWER);
            }
        });
        Recorder { address, seen }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    header(head, "content-length").is_none_or(|length| body.len() >= length.parse().unwrap())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A server whose module `handler` may make any request of the recorder.
struct Setup {
    recorder: Recorder,
    authority: String,
    client: Client,
    machine: String,
    _server: (Home, Server),
}

impl Setup {
    fn new() -> Setup {
        let recorder = Recorder::start();
        let authority = recorder.address.to_string();
        let port = recorder.address.port();
        let home = Home::new();
        let policy = format!(
            "[modules.handler.grants]\nhttp = [{{ scheme = \"http\", host = \"127.0.0.1\", port = {port}, methods = [\"*\"] }}]\n"
        );
        std::fs::write(home.path("policy.toml"), policy).unwrap();
        let file = home.path("policy.toml").display().to_string();
        let home = home.with("--module-policy", file).with("--http-allow", format!("http://{authority}"));
        let server = home.start();
        let client = server.client();
        client.push("handler", &guest("http-handler"));
        let machine = client.create("handler", &task(HANDLER, &json!({})));
        Setup { recorder, authority, client, machine, _server: (home, server) }
    }

    /// A plain request with other members.
    fn with(&self, changes: Value) -> Value {
        let plain = json!({"do": "post", "scheme": "http", "authority": self.authority, "path": "/a", "text": "hello"});
        let (Value::Object(mut input), Value::Object(changes)) = (plain, changes) else { unreachable!() };
        input.extend(changes);
        input.into()
    }

    /// It goes out as one request, without what is not the module's to say.
    fn goes_out(&self, input: &Value) {
        let ended = self.client.run(&self.machine, input);
        assert_eq!(ended["status"], "SUCCEEDED", "{input}: {ended}");
        let [seen] = self.recorder.take().try_into().expect("one request");
        let (head, body) = seen.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /a HTTP/1.1\r\n"), "{seen}");
        assert_eq!(body, input["text"].as_str().unwrap());
        assert_eq!(header(head, "content-length"), Some(body.len().to_string().as_str()), "{head}");
        assert_eq!(header(head, "host"), Some(self.authority.as_str()), "{head}");
        for name in ["transfer-encoding", "te", "trailer", "expect", "connection", "upgrade"] {
            assert_eq!(header(head, name), None, "{head}");
        }
    }

    /// Nothing that anybody could take for a request goes out.
    fn stays_here(&self, input: &Value) {
        let ended = self.client.run(&self.machine, input);
        assert_eq!(ended["error"], "Http.StatusCode.502", "{input}: {ended}");
        let seen = self.recorder.take();
        let is_request = |seen: &String| seen.contains(HIDDEN) || is_whole(seen.as_bytes());
        assert!(!seen.iter().any(is_request), "{input}: {seen:?}");
    }
}

#[test]
fn one_request_leaves_as_one_request() {
    let setup = Setup::new();
    let harmless =
        [["content-length", "5"], ["te", "trailers"], ["expect", "100-continue"], ["trailer", "x"]];
    setup.goes_out(&setup.with(json!({})));
    setup.goes_out(&setup.with(json!({"headers": harmless})));
    let hidden = format!("GET {HIDDEN} HTTP/1.1\r\nHost: x\r\n\r\n");
    setup.goes_out(&setup.with(json!({"text": format!("hello\r\n\r\n{hidden}")})));
    setup.goes_out(
        &setup.with(json!({"text": format!("0\r\n\r\n{hidden}"), "headers": [["x-own", "chunked"]]})),
    );
}

#[test]
fn a_request_that_would_be_read_as_another_does_not_leave() {
    let setup = Setup::new();
    for (name, value) in [
        ("content-length", "50"),
        ("content-length", "2"),
        ("content-length", "5, 5"),
        ("transfer-encoding", "chunked"),
        ("Transfer-Encoding ", "chunked"),
        ("host", "example.com"),
        ("connection", "content-length"),
        ("upgrade", "h2c"),
        ("x-own", "1\r\n\r\nGET /hidden HTTP/1.1"),
        ("x-own", "1\nhost: example.com"),
        ("x-own: 1\r\nhost", "example.com"),
    ] {
        setup.stays_here(&setup.with(json!({"headers": [[name, value]]})));
    }
    let authority = &setup.authority;
    for changes in [
        json!({"headers": [["content-length", "5"], ["content-length", "5"]]}),
        json!({"method": format!("GET {HIDDEN} HTTP/1.1\r\nhost: x\r\n\r\nPOST")}),
        json!({"method": "PO ST"}),
        json!({"path": format!("/a HTTP/1.1\r\nhost: x\r\n\r\nGET {HIDDEN}")}),
        json!({"path": "/a b"}),
        json!({"path": "http://example.com/"}),
        json!({"path": "@example.com/"}),
        json!({"path": ":80@example.com/"}),
        json!({"authority": format!("{authority}\r\nx: y")}),
        json!({"authority": format!("{authority}#@example.com")}),
        json!({"authority": format!("example.com@{authority}")}),
        json!({"authority": format!("{authority}/b?c")}),
    ] {
        setup.stays_here(&setup.with(changes));
    }
}
