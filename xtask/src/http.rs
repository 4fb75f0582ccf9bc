//! The least of an HTTP client: one request on one connection to a server on this machine.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A long poll takes a minute at most.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(75);
const ANSWER_BYTES_MAX: u64 = 64 << 20;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    address: SocketAddr,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client { address }
    }

    /// Calls an operation of the AWS API.
    pub(crate) fn call(self, operation: &str, members: &Value) -> anyhow::Result<Value> {
        let body = members.to_string();
        let head = format!(
            "POST / HTTP/1.1\r\nx-amz-target: AWSStepFunctions.{operation}\r\ncontent-type: \
             application/x-amz-json-1.0\r\ncontent-length: {}\r\n",
            body.len()
        );
        self.send(&head, &body).with_context(|| operation.to_owned())
    }

    pub(crate) fn get(self, path: &str) -> anyhow::Result<Value> {
        self.send(&format!("GET {path} HTTP/1.1\r\n"), "").with_context(|| path.to_owned())
    }

    /// All events of an execution, oldest first.
    pub(crate) fn history(self, execution: &str) -> anyhow::Result<Vec<Value>> {
        let mut request = json!({"executionArn": execution, "maxResults": 1000});
        let mut events = Vec::new();
        loop {
            let mut page = self.call("GetExecutionHistory", &request)?;
            if let Value::Array(list) = page["events"].take() {
                events.extend(list);
            }
            match page["nextToken"].take() {
                Value::String(token) => request["nextToken"] = json!(token),
                _last_page => return Ok(events),
            }
        }
    }

    fn send(self, head: &str, body: &str) -> anyhow::Result<Value> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_nodelay(true)?;
        write!(stream, "{head}host: {}\r\nconnection: close\r\n\r\n{body}", self.address)?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        parse(&String::from_utf8_lossy(&answer))
    }
}

/// The JSON of an answer whose status is good.
fn parse(answer: &str) -> anyhow::Result<Value> {
    let (head, body) = answer.split_once("\r\n\r\n").context("the server hung up before it answered")?;
    let status: u16 =
        head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("the answer is not HTTP")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    if length.is_some_and(|length| length != body.len()) {
        bail!("the answer was cut off");
    }
    let value: Value = serde_json::from_str(body).context("the answer is not JSON")?;
    if status != 200 {
        let code = value["__type"].as_str().or_else(|| value["error"].as_str()).unwrap_or("no code");
        bail!("{code}: {}", value["message"].as_str().unwrap_or("no message"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let answer = parse("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}").unwrap();
        assert_eq!(answer, json!({"a": 1}));
        let check = |answer: &str, expected: &str| {
            assert_eq!(parse(answer).unwrap_err().to_string(), expected);
        };
        check(
            "HTTP/1.1 400 Bad Request\r\n\r\n{\"__type\": \"InvalidArn\", \"message\": \"no\"}",
            "InvalidArn: no",
        );
        check("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\":1}", "the answer was cut off");
        check("", "the server hung up before it answered");
    }
}
