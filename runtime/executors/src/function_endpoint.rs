//! Functions that are no modules here, called where there is a Lambda-compatible endpoint for them.

use std::time::{Duration, SystemTime};

use asl::Data;
use asl::interpreter::ErrorOutput;
use engine::arn::FunctionArn;
use outbound::http::{HeaderMap, HeaderName, HeaderValue, Request};
use outbound::{Bounds, Client, ClientError, Credentials, Policy, Response, SendError, Url};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Account;
use crate::failure::{guest_error, service_error, too_large};
use crate::invoke;
use crate::module::{SERVICE, rewritten};
use crate::resource::{Form, FunctionCall, Invocation, LogType};

/// AWS: the version of Lambda's API.
const API_VERSION: &str = "2015-03-31";
/// AWS: a function runs for 15 minutes at most; ours: and the answer may take one more.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(16 * 60);
/// AWS: the largest payload of a state. The request is already held to it.
const ANSWER_BYTES_MAX: usize = asl::limits::PAYLOAD_BYTES_MAX;

/// Header names as Lambda writes them; on the way they lose their capitals.
const SPELLINGS: [&str; 10] = [
    "X-Amz-Executed-Version",
    "X-Amz-Function-Error",
    "X-Amz-Log-Result",
    "x-amzn-Remapped-Content-Length",
    "x-amzn-RequestId",
    "Connection",
    "Content-Length",
    "Content-Type",
    "Date",
    "X-Amzn-Trace-Id",
];

/// Where the operator has Lambda, or what answers like it.
#[derive(Debug)]
pub struct FunctionEndpoint {
    url: Url,
    client: Client,
    credentials: Option<Credentials>,
}

impl FunctionEndpoint {
    /// Without credentials requests are not signed, which emulators take.
    pub fn new(url: Url, credentials: Option<Credentials>) -> Result<FunctionEndpoint, ClientError> {
        Ok(FunctionEndpoint { url, client: Client::new(Policy::Trusted)?, credentials })
    }

    pub(crate) async fn call(
        &self,
        call: &FunctionCall,
        account: &Account,
        cancel: &CancellationToken,
    ) -> Result<Data, ErrorOutput> {
        let task = match call.form {
            Form::Plain => call.function.to_string(),
            Form::Envelope { .. } => SERVICE.to_owned(),
        };
        let request = self.request(call, account).map_err(|why| client_error(&why))?;
        let bounds = Bounds { timeout: ANSWER_TIMEOUT, body_bytes_max: ANSWER_BYTES_MAX };
        let answer = tokio::select! {
            answer = self.client.send(request, bounds) => answer,
            () = cancel.cancelled() => return Err(client_error("the task was cancelled")),
        };
        match answer {
            Ok(answer) => result(call, &answer),
            Err(SendError::TooLarge { .. }) => Err(too_large(&task)),
            Err(
                error @ (SendError::Forbidden(_)
                | SendError::Connect(_)
                | SendError::TimedOut(_)
                | SendError::Broken(_)
                | SendError::Invalid(_)),
            ) => Err(client_error(&error.to_string())),
        }
    }

    fn request(&self, call: &FunctionCall, account: &Account) -> Result<Request<bytes::Bytes>, String> {
        let mut url = self.url.clone();
        let name = name(&call.function, account);
        let path = [API_VERSION, "functions", &name, "invocations"];
        url.path_segments_mut()
            .map_err(|()| "the endpoint has no path".to_owned())?
            .pop_if_empty()
            .extend(path);
        if let Some(qualifier) = call.function.qualifier() {
            url.query_pairs_mut().append_pair("Qualifier", qualifier);
        }
        let (invocation, log) = match call.form {
            Form::Plain => (Invocation::RequestResponse, LogType::None),
            Form::Envelope { invocation, log } => (invocation, log),
        };
        let mut request = Request::post(url.as_str())
            .header("content-type", "application/json")
            .header("x-amz-invocation-type", invocation.name())
            .header("x-amz-log-type", log.name());
        if let Some(context) = &call.client_context {
            request = request.header("x-amz-client-context", context);
        }
        let body = bytes::Bytes::from(call.payload.text().to_owned());
        let mut request = request.body(body).map_err(|error| error.to_string())?;
        if let Some(credentials) = &self.credentials {
            outbound::sign(&mut request, credentials, SERVICE, call.function.region(), SystemTime::now())
                .map_err(|error| error.to_string())?;
        }
        Ok(request)
    }
}

/// The name alone where it is enough; else the ARN, without the qualifier, which stands in the query.
fn name(function: &FunctionArn, account: &Account) -> String {
    if function.account() == account.id && function.region() == account.region {
        return function.name().to_owned();
    }
    let arn = function.as_str();
    match function.qualifier() {
        Some(qualifier) => arn[..arn.len() - qualifier.len() - 1].to_owned(),
        None => arn.to_owned(),
    }
}

fn result(call: &FunctionCall, answer: &Response) -> Result<Data, ErrorOutput> {
    if !answer.status.is_success() {
        return Err(refusal(answer));
    }
    let body = String::from_utf8_lossy(&answer.body);
    if header(&answer.headers, "x-amz-function-error").is_some() {
        let error = function_error(&body);
        return Err(match call.form {
            Form::Plain => error,
            Form::Envelope { .. } => rewritten(error),
        });
    }
    let payload = if answer.body.is_empty() { None } else { Some(payload(&body)?) };
    Ok(match call.form {
        Form::Plain => payload.unwrap_or_else(|| Data::from(Value::Null)),
        Form::Envelope { .. } => envelope(answer, payload.as_ref()),
    })
}

fn payload(body: &str) -> Result<Data, ErrorOutput> {
    Data::parse(body).map_err(|error| {
        ErrorOutput::new(
            "Lambda.Unknown",
            format!("The function's answer is no JSON: {error}. Returned payload: {body}"),
        )
    })
}

fn envelope(answer: &Response, payload: Option<&Data>) -> Data {
    let headers: Vec<_> = answer.headers.iter().map(|(name, value)| (spelling(name), lossy(value))).collect();
    let version = header(&answer.headers, "x-amz-executed-version").unwrap_or_else(|| "$LATEST".to_owned());
    invoke::write(&invoke::Parts {
        status: answer.status.as_u16(),
        version: &version,
        payload,
        log: header(&answer.headers, "x-amz-log-result").as_deref(),
        headers: &headers,
        request_id: &request_id(&answer.headers),
    })
}

/// The function has failed, and says how.
fn function_error(body: &str) -> ErrorOutput {
    let name = serde_json::from_str::<Value>(body).ok();
    match name.as_ref().and_then(|body| body.get("errorType")).and_then(Value::as_str) {
        Some(name) if !name.is_empty() => guest_error(name, body),
        Some(_) | None => ErrorOutput::new(
            "Lambda.Unknown",
            format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: \
                 {body}"
            ),
        ),
    }
}

/// The service has refused the call. The name stands in a header, or in the body.
fn refusal(answer: &Response) -> ErrorOutput {
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let member = |names: &[&str]| {
        names.iter().find_map(|name| body.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    let code = header(&answer.headers, "x-amzn-errortype").or_else(|| member(&["__type", "Code", "code"]));
    let code = code.as_deref().map(|code| {
        let code = code.split(':').next().unwrap_or(code);
        code.rsplit('#').next().unwrap_or(code)
    });
    let message = member(&["message", "Message", "errorMessage"]).unwrap_or_else(|| "null".to_owned());
    service_error(answer.status.as_u16(), code, &message, &request_id(&answer.headers))
}

/// Nothing came back: the words of AWS's SDK.
fn client_error(why: &str) -> ErrorOutput {
    ErrorOutput::new("Lambda.SdkClientException", format!("Unable to execute HTTP request: {why}"))
}

fn request_id(headers: &HeaderMap) -> String {
    header(headers, "x-amzn-requestid").unwrap_or_else(|| Uuid::new_v4().to_string())
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(lossy)
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn spelling(name: &HeaderName) -> String {
    let known = SPELLINGS.into_iter().find(|known| known.eq_ignore_ascii_case(name.as_str()));
    known.unwrap_or(name.as_str()).to_owned()
}
