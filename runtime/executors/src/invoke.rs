//! The envelope in which `lambda:invoke` gives a module's answer, so that `$.Payload` and the fields beside it are
//! where AWS has them.

use asl::Data;
use chrono::Utc;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::resource::Invocation;

/// AWS's answer around a payload.
pub(crate) fn envelope(invocation: Invocation, version: &str, payload: Option<&Data>) -> Data {
    let status = match invocation {
        Invocation::RequestResponse => 200,
        Invocation::Event => 202,
        Invocation::DryRun => 204,
    };
    let request_id = Uuid::new_v4().to_string();
    let length = payload.map_or(0, Data::size).to_string();
    let trace = Uuid::new_v4().simple().to_string();
    let trace = format!("root=1-{}-{};sampled=0", &trace[..8], &trace[8..]);
    let headers = [
        ("X-Amz-Executed-Version", version.to_owned()),
        ("x-amzn-Remapped-Content-Length", "0".to_owned()),
        ("Connection", "keep-alive".to_owned()),
        ("x-amzn-RequestId", request_id.clone()),
        ("Content-Length", length),
        ("Date", Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("X-Amzn-Trace-Id", trace),
        ("Content-Type", "application/json".to_owned()),
    ];
    let single: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let lists: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    let mut answer = Map::new();
    answer.insert("ExecutedVersion".to_owned(), json!(version));
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
