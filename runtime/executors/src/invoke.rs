//! The envelope in which `lambda:invoke` gives a module's answer, so that `$.Payload` and the fields beside it are
//! where AWS has them.

use asl::Data;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::Utc;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wasm_host::{LogLine, Usage};

use crate::resource::Invocation;

/// AWS: the end of a log that an answer can have.
const LOG_TAIL_BYTES_MAX: usize = 4 << 10;

/// What was called, and what it answered.
pub(crate) struct Answer<'a> {
    pub(crate) invocation: Invocation,
    pub(crate) version: &'a str,
    pub(crate) payload: Option<&'a Data>,
    /// The function's log and what the call used, if the caller asked for its end.
    pub(crate) log: Option<(&'a [LogLine], Usage)>,
}

/// AWS's answer around a payload.
pub(crate) fn envelope(answer: &Answer<'_>) -> Data {
    let Answer { invocation, version, payload, log } = *answer;
    let status = match invocation {
        Invocation::RequestResponse => 200,
        Invocation::Event => 202,
        Invocation::DryRun => 204,
    };
    let request_id = Uuid::new_v4().to_string();
    let log = log.map(|(lines, usage)| BASE64_STANDARD.encode(log_tail(&request_id, version, lines, usage)));
    let length = payload.map_or(0, Data::size).to_string();
    let trace = Uuid::new_v4().simple().to_string();
    let trace = format!("root=1-{}-{};sampled=0", &trace[..8], &trace[8..]);
    let mut headers = vec![
        ("X-Amz-Executed-Version", version.to_owned()),
        ("x-amzn-Remapped-Content-Length", "0".to_owned()),
        ("Connection", "keep-alive".to_owned()),
        ("x-amzn-RequestId", request_id.clone()),
        ("Content-Length", length),
        ("Date", Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("X-Amzn-Trace-Id", trace),
        ("Content-Type", "application/json".to_owned()),
    ];
    headers.extend(log.clone().map(|log| ("X-Amz-Log-Result", log)));
    let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    write(&Parts {
        status,
        version,
        payload,
        log: log.as_deref(),
        headers: &headers,
        request_id: &request_id,
    })
}

/// The members of the envelope.
pub(crate) struct Parts<'a> {
    pub(crate) status: u16,
    pub(crate) version: &'a str,
    pub(crate) payload: Option<&'a Data>,
    pub(crate) log: Option<&'a str>,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) request_id: &'a str,
}

pub(crate) fn write(parts: &Parts<'_>) -> Data {
    let Parts { status, version, payload, log, headers, request_id } = *parts;
    let single: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut lists: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let list = lists.entry(name.clone()).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(json!(value));
        }
    }
    let mut answer = Map::new();
    answer.insert("ExecutedVersion".to_owned(), json!(version));
    if let Some(log) = log {
        answer.insert("LogResult".to_owned(), json!(log));
    }
    if let Some(payload) = payload {
        answer.insert("Payload".to_owned(), payload.value().clone());
    }
    answer.insert(
        "SdkHttpMetadata".to_owned(),
        json!({ "AllHttpHeaders": lists, "HttpHeaders": single, "HttpStatusCode": status }),
    );
    answer.insert("SdkResponseMetadata".to_owned(), json!({ "RequestId": request_id }));
    answer.insert("StatusCode".to_owned(), json!(status));
    Value::Object(answer).into()
}

/// The end of the log, between the lines with which Lambda frames it.
pub(crate) fn log_tail(request: &str, version: &str, lines: &[LogLine], usage: Usage) -> Vec<u8> {
    let mut text = format!("START RequestId: {request} Version: {version}\n");
    for line in lines {
        text.push_str(&line.message);
        text.push('\n');
    }
    let milliseconds = usage.wall.as_secs_f64() * 1e3;
    let mebibytes = usage.memory_bytes_peak.div_ceil(1 << 20);
    text.push_str(&format!(
        "END RequestId: {request}\nREPORT RequestId: {request}\tDuration: {milliseconds:.2} ms\tMax Memory Used: \
         {mebibytes} MB\t\n"
    ));
    let start = text.ceil_char_boundary(text.len().saturating_sub(LOG_TAIL_BYTES_MAX));
    text.split_off(start).into_bytes()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use wasm_host::LogSource;

    use super::*;

    fn line(message: &str) -> LogLine {
        LogLine { at: SystemTime::UNIX_EPOCH, source: LogSource::Stdout, message: message.to_owned() }
    }

    #[test]
    fn the_answer_has_the_end_of_the_log_if_it_was_asked_for() {
        let usage = Usage { wall: Duration::from_millis(12), memory_bytes_peak: 3 << 20, ..Usage::default() };
        let answer = |lines: &[LogLine]| {
            let payload = Data::from(json!("é"));
            let answer = envelope(&Answer {
                invocation: Invocation::RequestResponse,
                version: "7",
                payload: Some(&payload),
                log: Some((lines, usage)),
            });
            let log = &answer.value()["LogResult"];
            assert_eq!(answer.value()["SdkHttpMetadata"]["HttpHeaders"]["X-Amz-Log-Result"], *log);
            assert_eq!(answer.value()["SdkHttpMetadata"]["HttpHeaders"]["Content-Length"], "4");
            String::from_utf8(BASE64_STANDARD.decode(log.as_str().unwrap()).unwrap()).unwrap()
        };
        let log = answer(&[line("one"), line("two")]);
        assert!(log.starts_with("START RequestId: ") && log.contains(" Version: 7\none\ntwo\nEND "), "{log}");
        assert!(log.ends_with("\tDuration: 12.00 ms\tMax Memory Used: 3 MB\t\n"), "{log}");
        let log = answer(&vec![line("éé"); 2_000]);
        assert!((4_095..=4_096).contains(&log.len()) && log.contains("éé\nEND"), "{}", log.len());
        let answer =
            envelope(&Answer { invocation: Invocation::Event, version: "$LATEST", payload: None, log: None });
        assert_eq!(answer.value()["StatusCode"], 202);
        assert!(answer.value().get("LogResult").is_none() && answer.value().get("Payload").is_none());
    }
}
