//! `stepwell callback`.

use std::io;

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::arguments::{CallbackCommand, LinksOptions};
use super::client::Client;
use super::execution::input;
use super::terminal::Terminal;
use super::{Failure, Verdict};

pub(crate) async fn run(
    client: &Client,
    command: CallbackCommand,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let CallbackCommand::Links(options) = command;
    let links = client.post("/callback-links", &wanted(options)?).await?;
    terminal.answer(&serde_json::to_string_pretty(&links)?);
    Ok(Verdict::Good)
}

fn wanted(options: LinksOptions) -> Result<Value, Failure> {
    let token = match options.token.as_str() {
        "-" => io::read_to_string(io::stdin()).context("the token cannot be read from standard input")?,
        _given => options.token,
    };
    let payload = options.payload.map(|payload| input(&payload)).transpose().context("--payload")?;
    let payload = payload.map(|text| serde_json::from_str(&text)).transpose()?;
    let mut wanted = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            wanted.insert(name.to_owned(), value);
        }
    };
    put("taskToken", Some(json!(token.trim())));
    put("title", options.title.map(Value::from));
    put("message", options.message.map(Value::from));
    put("payload", payload);
    put("expiresInSeconds", options.expires.map(Value::from));
    put("rejectError", options.reject_error.map(Value::from));
    put("acceptsOutput", options.accept_output.then_some(json!(true)));
    Ok(Value::Object(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_is_sent() {
        let options = LinksOptions {
            token: "AAAA\n".to_owned(),
            title: Some("Refund?".to_owned()),
            message: None,
            payload: Some(r#"{"amount": 12}"#.to_owned()),
            expires: Some(60),
            reject_error: None,
            accept_output: false,
        };
        let expected = json!({"taskToken": "AAAA", "title": "Refund?", "payload": {"amount": 12}, "expiresInSeconds": 60});
        assert_eq!(wanted(options).unwrap(), expected);
    }
}
