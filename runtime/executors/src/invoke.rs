//! The envelope in which `lambda:invoke` gives a module's answer, so that `$.Payload` and the fields beside it are
//! where AWS has them.

use std::time::Duration;

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
    pub(crate) log: Option<(&'a [LogLine], Cost)>,
}

/// What a call used, and what memory it could have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) usage: Usage,
    pub(crate) memory_bytes: usize,
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
    let log = log.map(|(lines, cost)| BASE64_STANDARD.encode(log_tail(&request_id, version, lines, cost)));
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

/// The end of the log, between the lines with which Lambda frames it. CPU time and fuel are ours, behind what Lambda
/// writes.
pub(crate) fn log_tail(request: &str, version: &str, lines: &[LogLine], cost: Cost) -> Vec<u8> {
    let mut text = format!("START RequestId: {request} Version: {version}\n");
    for line in lines {
        text.push_str(&line.message);
        text.push('\n');
    }
    text.push_str(&format!("END RequestId: {request}\nREPORT RequestId: {request}\t{}\t\n", report(cost)));
    let start = text.ceil_char_boundary(text.len().saturating_sub(LOG_TAIL_BYTES_MAX));
    text.split_off(start).into_bytes()
}

/// What Lambda reports of a call. It bills whole milliseconds.
fn report(Cost { usage, memory_bytes }: Cost) -> String {
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
    let mebibytes = |bytes: usize| bytes.div_ceil(1 << 20);
    format!(
        "Duration: {:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\tCPU Time: {:.2} \
         ms\tFuel: {}",
        milliseconds(usage.wall),
        milliseconds(usage.wall).ceil(),
        mebibytes(memory_bytes),
        mebibytes(usage.memory_bytes_peak),
        milliseconds(usage.cpu),
        usage.fuel,
    )
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use wasm_host::LogSource;

    use super::*;

    fn line(message: &str) -> LogLine {
        LogLine { at: SystemTime::UNIX_EPOCH, source: LogSource::Stdout, message: message.to_owned() }
    }

    #[test]
    fn the_answer_has_the_end_of_the_log_if_it_was_asked_for() {
        let (wall, cpu) = (Duration::from_micros(12_340), Duration::from_millis(3));
        let usage = Usage { wall, cpu, memory_bytes_peak: 3 << 20, fuel: 7, ..Usage::default() };
        let cost = Cost { usage, memory_bytes: 128 << 20 };
        let answer = |lines: &[LogLine]| {
            let payload = Data::from(json!("é"));
            let answer = envelope(&Answer {
                invocation: Invocation::RequestResponse,
                version: "7",
                payload: Some(&payload),
                log: Some((lines, cost)),
            });
            let log = &answer.value()["LogResult"];
            assert_eq!(answer.value()["SdkHttpMetadata"]["HttpHeaders"]["X-Amz-Log-Result"], *log);
            assert_eq!(answer.value()["SdkHttpMetadata"]["HttpHeaders"]["Content-Length"], "4");
            String::from_utf8(BASE64_STANDARD.decode(log.as_str().unwrap()).unwrap()).unwrap()
        };
        let log = answer(&[line("one"), line("two")]);
        assert!(log.starts_with("START RequestId: ") && log.contains(" Version: 7\none\ntwo\nEND "), "{log}");
        let report = "\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 3 MB\tCPU \
                      Time: 3.00 ms\tFuel: 7\t\n";
        assert!(log.ends_with(report), "{log}");
        let log = answer(&vec![line("éé"); 2_000]);
        assert!((4_095..=4_096).contains(&log.len()) && log.contains("éé\nEND"), "{}", log.len());
        let answer =
            envelope(&Answer { invocation: Invocation::Event, version: "$LATEST", payload: None, log: None });
        assert_eq!(answer.value()["StatusCode"], 202);
        assert!(answer.value().get("LogResult").is_none() && answer.value().get("Payload").is_none());
    }
}
