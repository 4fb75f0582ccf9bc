//! `stepwell logs` and `stepwell module logs`: what tasks have logged.

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Method;
use serde_json::Value;
use tokio::time::timeout;

use super::arguments::LogsOptions;
use super::client::{Client, path_part, refused};
use super::log_line;
use super::terminal::Terminal;
use super::{Failure, Verdict};
use crate::limits::{CLIENT_ANSWER_BYTES_MAX, CLIENT_LINE_BYTES_MAX, CLIENT_SILENCE_MAX, PAGE_RESULTS_MAX};

/// How lines are printed.
#[derive(Debug, Clone, Copy)]
struct Printer {
    terminal: Terminal,
    json: bool,
    has_colours: bool,
}

impl Printer {
    fn new(terminal: Terminal, json: bool) -> Printer {
        Printer { terminal, json, has_colours: terminal.has_colours() }
    }

    fn print(self, line: &Value) {
        let text = if self.json { line.to_string() } else { log_line::text(line, self.has_colours) };
        self.terminal.answer(&text);
    }
}

pub(super) async fn run(
    client: &Client,
    options: &LogsOptions,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let arn = client.execution_arn(&options.execution).await?;
    let mut path = format!("{}?", path(&arn));
    if let Some(state) = &options.state {
        path.push_str(&format!("state={}&", path_part(state)));
    }
    if let Some(attempt) = options.attempt {
        path.push_str(&format!("attempt={attempt}&"));
    }
    let printer = Printer::new(*terminal, options.json);
    if !options.follow {
        show(client, &path, printer).await?;
        return Ok(Verdict::Good);
    }
    let followed = follow(client, &path, |line| printer.print(line));
    tokio::select! {
        status = followed => {
            let ended = status?.context("the server ended the log before the execution; ask again")?;
            terminal.note(&format!("The execution ended as {ended}."));
        }
        interrupt = tokio::signal::ctrl_c() => interrupt.context("signals cannot be received")?,
    }
    Ok(Verdict::Good)
}

pub(super) async fn of_module(
    client: &Client,
    name: &str,
    request: Option<&str>,
    json: bool,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let request = request.map_or_else(String::new, |id| format!("requestId={}&", path_part(id)));
    let path = format!("/modules/{}/logs?{request}", path_part(name));
    show(client, &path, Printer::new(*terminal, json)).await
}

/// Shows the lines of an execution that somebody watches, those since a moment, until it has ended. That they cannot be shown
/// is told.
pub(super) async fn beside(client: &Client, arn: &str, since: &str, terminal: Terminal) {
    let path = format!("{}?", path(arn));
    let followed = follow(client, &path, |line| {
        if line["at"].as_str().is_none_or(|at| at >= since) {
            terminal.note(&log_line::text(line, false));
        }
    });
    if let Err(error) = followed.await {
        terminal.note(&format!("The logs of its tasks cannot be shown: {error:#}"));
    }
}

/// Shows the lines of an execution that has ended. That they cannot be shown is told.
pub(super) async fn of_ended(client: &Client, arn: &str, terminal: Terminal) {
    let path = format!("{}?", path(arn));
    let shown = pages(client, &path, |line| terminal.note(&log_line::text(line, false))).await;
    if let Err(error) = shown {
        terminal.note(&format!("The logs of its tasks cannot be shown: {error:#}"));
    }
}

/// The lines of a call, all of them.
pub(super) async fn of_call(client: &Client, module: &str, request: &str) -> Result<Vec<Value>, Failure> {
    let path = format!("/modules/{}/logs?requestId={}&", path_part(module), path_part(request));
    let mut lines = Vec::new();
    pages(client, &path, |line| lines.push(line.clone())).await?;
    Ok(lines)
}

fn path(arn: &str) -> String {
    format!("/executions/{}/logs", path_part(arn))
}

/// Prints all that there is now.
async fn show(client: &Client, path: &str, printer: Printer) -> Result<(), Failure> {
    let mut count = 0;
    let lost = pages(client, path, |line| {
        count += 1;
        printer.print(line);
    });
    let lost = lost.await?;
    if count == 0 {
        printer.terminal.note("There are no lines like that: nothing was logged, or it is kept no more.");
    }
    if lost > 0 {
        printer
            .terminal
            .note(&format!("Since its start the server has lost {lost} lines, maybe some of these."));
    }
    Ok(())
}

/// Gives line after line, and how many lines the server has lost. The path ends where a query may go on.
async fn pages(client: &Client, path: &str, mut each: impl FnMut(&Value)) -> Result<u64, Failure> {
    let first = format!("{path}maxResults={PAGE_RESULTS_MAX}");
    let mut page = client.get(&first).await?;
    loop {
        page["lines"].as_array().into_iter().flatten().for_each(&mut each);
        let Some(next) = page["nextToken"].as_str() else { return Ok(page["lost"].as_u64().unwrap_or(0)) };
        page = client.get(&format!("{first}&nextToken={}", path_part(next))).await?;
    }
}

/// Gives line after line as they come, and then how the execution ended; none if the server stopped before that.
async fn follow(
    client: &Client,
    path: &str,
    mut each: impl FnMut(&Value),
) -> Result<Option<String>, Failure> {
    let request = client.request(Method::GET, &format!("{path}follow=true")).body(Bytes::new())?;
    let opened = timeout(CLIENT_SILENCE_MAX, client.open(request, Box::new(|_| {}))).await;
    let (head, mut body, _connection) = opened.context("the server is silent")??;
    if !head.status.is_success() {
        let answer = http_body_util::Limited::new(body, CLIENT_ANSWER_BYTES_MAX).collect().await;
        let answer = answer.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
        return Err(refused(head.status, &client.read(&answer)?).into());
    }
    let mut lines = Lines::default();
    let mut end = None;
    loop {
        let frame = timeout(CLIENT_SILENCE_MAX, body.frame()).await.context("the server is silent")?;
        let Some(frame) = frame else { return Ok(end) };
        let frame = frame.context("the log broke off")?;
        for line in lines.add(frame.data_ref().map_or(&[], |data| &**data))? {
            let line = client.read(&line)?;
            match line["executionStatus"].as_str() {
                Some(status) => end = Some(status.to_owned()),
                None => each(&line),
            }
        }
    }
}

/// Lines out of pieces that end anywhere.
#[derive(Debug, Default)]
struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// The lines that a piece completes, without empty ones.
    fn add(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
        self.partial.extend_from_slice(piece);
        let rest = match self.partial.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => self.partial.split_off(end + 1),
            None => std::mem::take(&mut self.partial),
        };
        let whole = std::mem::replace(&mut self.partial, rest);
        anyhow::ensure!(self.partial.len() <= CLIENT_LINE_BYTES_MAX, "a line of the log has no end");
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(lines.map(<[u8]>::to_vec).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines() {
        let mut lines = Lines::default();
        let mut check = |piece: &str, expected: &[&str]| {
            let found = lines.add(piece.as_bytes()).unwrap();
            let found: Vec<_> = found.iter().map(|line| std::str::from_utf8(line).unwrap()).collect();
            assert_eq!(found, expected, "{piece:?}");
        };
        check("{\"a\"", &[]);
        check(":1}\n\n{}\n[", &["{\"a\":1}", "{}"]);
        check("]", &[]);
        check("\n", &["[]"]);
        check("\n", &[]);
    }
}
