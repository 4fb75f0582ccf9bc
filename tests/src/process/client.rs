//! A client that sees what is on the wire: one request on one connection.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::wait::{PATIENCE, wait_for};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A long poll takes a minute at most.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(75);
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Asks one server.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    address: SocketAddr,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// An operation that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub message: String,
}

/// Why there is no result.
#[derive(Debug)]
pub enum CallError {
    Refused(Refused),
    /// No answer, so nobody knows whether it was done.
    Lost(io::Error),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Refused(Refused { status, code, message }) => write!(f, "{status} {code}: {message}"),
            CallError::Lost(error) => write!(f, "no answer: {error}"),
        }
    }
}

impl Client {
    pub fn new(address: SocketAddr) -> Client {
        Client { address }
    }

    pub fn address(self) -> SocketAddr {
        self.address
    }

    pub fn endpoint(self) -> String {
        format!("http://{}", self.address)
    }

    /// An operation of the AWS API that may fail.
    pub fn try_call(self, operation: &str, members: &Value) -> Result<Value, CallError> {
        let answer = self.post(operation, &members.to_string()).map_err(CallError::Lost)?;
        if answer.status == 200 { Ok(answer.body) } else { Err(CallError::Refused(answer.refused())) }
    }

    /// An operation of the AWS API that must succeed.
    #[track_caller]
    pub fn call(self, operation: &str, members: &Value) -> Value {
        self.try_call(operation, members).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// An operation with a body as it is.
    pub fn post(self, operation: &str, body: &str) -> io::Result<Answer> {
        let head = format!(
            "POST / HTTP/1.1\r\nx-amz-target: AWSStepFunctions.{operation}\r\ncontent-type: \
             application/x-amz-json-1.0\r\n"
        );
        self.send(&head, body.as_bytes())
    }

    pub fn get(self, path: &str) -> io::Result<Answer> {
        self.send(&format!("GET {path} HTTP/1.1\r\n"), b"")
    }

    pub fn put_module(self, name: &str, component: &[u8]) -> io::Result<Answer> {
        self.send(&format!("PUT /modules/{name} HTTP/1.1\r\n"), component)
    }

    /// Uploads a module that must be taken.
    #[track_caller]
    pub fn push(self, name: &str, component: &[u8]) {
        let answer = self.put_module(name, component).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }

    /// Creates a state machine and gives its ARN.
    #[track_caller]
    pub fn create(self, name: &str, definition: &Value) -> String {
        let role = "arn:aws:iam::123456789012:role/tests";
        let machine = json!({"name": name, "definition": definition.to_string(), "roleArn": role});
        text(&self.call("CreateStateMachine", &machine)["stateMachineArn"])
    }

    /// Starts an execution and gives its ARN.
    #[track_caller]
    pub fn start(self, machine: &str, input: &Value) -> String {
        let request = json!({"stateMachineArn": machine, "input": input.to_string()});
        text(&self.call("StartExecution", &request)["executionArn"])
    }

    /// Runs an execution to its end and gives what DescribeExecution shows of it.
    #[track_caller]
    pub fn run(self, machine: &str, input: &Value) -> Value {
        let execution = self.start(machine, input);
        self.ended(&execution)
    }

    /// What DescribeExecution shows of an execution that ends.
    #[track_caller]
    pub fn ended(self, execution: &str) -> Value {
        wait_for("the execution to end", PATIENCE, || {
            let shown = self.describe(execution);
            (shown["status"] != "RUNNING").then_some(shown)
        })
    }

    #[track_caller]
    pub fn describe(self, execution: &str) -> Value {
        self.call("DescribeExecution", &json!({"executionArn": execution}))
    }

    /// All events of an execution, oldest first.
    #[track_caller]
    pub fn history(self, execution: &str) -> Vec<Value> {
        let request = json!({"executionArn": execution, "maxResults": 1000});
        self.all_pages("GetExecutionHistory", request, "events")
    }

    /// The items of every page.
    #[track_caller]
    pub fn all_pages(self, operation: &str, mut request: Value, member: &str) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let mut page = self.call(operation, &request);
            if let Value::Array(page) = page[member].take() {
                items.extend(page);
            }
            match page["nextToken"].take() {
                Value::String(token) => request["nextToken"] = json!(token),
                _last_page => return items,
            }
        }
    }

    /// Sends a head without its last lines, which are added, and a body.
    pub fn send(self, head: &str, body: &[u8]) -> io::Result<Answer> {
        self.send_cut_off(head, body.len(), body)
    }

    /// Announces `length` bytes and sends `body`; when that is less, the connection is closed for writing.
    pub fn send_cut_off(self, head: &str, length: usize, body: &[u8]) -> io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_nodelay(true)?;
        let head =
            format!("{head}host: {}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n", self.address);
        // A server that refuses a body may close before all of it is sent; its answer says why.
        let sent = stream.write_all(&[head.as_bytes(), body].concat());
        if body.len() < length {
            stream.shutdown(Shutdown::Write)?;
        }
        let mut answer = Vec::new();
        let received = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer);
        parse(&String::from_utf8_lossy(&answer)).or_else(|error| {
            received?;
            sent?;
            Err(error)
        })
    }
}

impl Answer {
    /// The refusal in an answer of the AWS API, or of Stepwell's own.
    pub fn refused(&self) -> Refused {
        let code = self.body["__type"].as_str().or_else(|| self.body["error"].as_str());
        Refused {
            status: self.status,
            code: code.unwrap_or("no code").to_owned(),
            message: self.body["message"].as_str().unwrap_or("no message").to_owned(),
        }
    }
}

fn parse(answer: &str) -> io::Result<Answer> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| bad("the server hung up"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| bad("the answer is not HTTP"))?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    if length.is_some_and(|length| length != body.len()) {
        return Err(bad("the answer is cut off"));
    }
    let body = serde_json::from_str(body).map_err(|_| bad(&format!("the answer is not JSON: {answer}")))?;
    Ok(Answer { status, body })
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
