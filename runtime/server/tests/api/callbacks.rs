//! Callback links: pages for people, JSON for programs, and what a link cannot do.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{PREFIX, Server};

const AWAIT: &str = "arn:aws:states:::stepwell:awaitCallback.waitForTaskToken";
const ADDRESS: &str = "https://flows.example";
const FORM: &str = "application/x-www-form-urlencoded";

/// A machine of one state that asks, with more fields of that state.
fn asking(links: Value, more: Value) -> String {
    let mut ask = json!({
        "Type": "Task", "Resource": AWAIT, "End": true, "CallbackLinks": links,
        "Parameters": {"links.$": "$$.Task.CallbackLinks", "token.$": "$$.Task.Token"},
        "Catch": [{"ErrorEquals": ["NotApproved"], "ResultPath": "$.e", "Next": "Caught"}],
    });
    for (name, value) in more.as_object().unwrap() {
        ask[name] = value.clone();
    }
    json!({"StartAt": "Ask", "States": {"Ask": ask, "Caught": {"Type": "Pass", "End": true}}}).to_string()
}

/// An execution that asks.
struct Asking {
    arn: String,
    approve: String,
    reject: String,
    answer: String,
    token: String,
}

impl Server {
    /// What a link answers to a GET with or without a body: status, headers, and the body as text.
    async fn link(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, headers, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn page(&self, url: &str) -> (StatusCode, String) {
        let request = Request::get(path(url)).header(header::ACCEPT, "text/html").body(Body::empty());
        let (status, _, page) = self.link(request.unwrap()).await;
        (status, page)
    }

    async fn post_form(&self, url: &str, form: &str) -> (StatusCode, String) {
        let request = Request::post(path(url)).header(header::CONTENT_TYPE, FORM);
        let (status, _, page) = self.link(request.body(Body::from(form.to_owned())).unwrap()).await;
        (status, page)
    }

    async fn get_json(&self, url: &str) -> (StatusCode, Value) {
        let request = Request::get(path(url)).header(header::ACCEPT, "application/json");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post_json(&self, url: &str, answer: Value) -> (StatusCode, Value) {
        let request = Request::post(path(url)).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(answer.to_string())).unwrap()).await
    }

    async fn make_links(&self, wanted: Value) -> (StatusCode, Value) {
        self.send(Request::post("/callback-links").body(Body::from(wanted.to_string())).unwrap()).await
    }

    /// Starts a machine and waits until it asks.
    async fn ask(&self, name: &str, definition: &str) -> Asking {
        let machine = self.create(name, definition).await;
        let started = self.call("StartExecution", json!({"stateMachineArn": machine})).await;
        let arn = started["executionArn"].as_str().unwrap().to_owned();
        self.asked(&arn, 1).await
    }

    /// Waits until an execution asks for the nth time.
    async fn asked(&self, arn: &str, times: usize) -> Asking {
        loop {
            let history = self.call("GetExecutionHistory", json!({"executionArn": arn})).await;
            let events = history["events"].as_array().unwrap().iter();
            let mut submitted = events.filter(|event| event["type"] == "TaskSubmitted");
            let Some(event) = submitted.nth(times - 1) else {
                tokio::task::yield_now().await;
                continue;
            };
            let output = event["taskSubmittedEventDetails"]["output"].as_str().unwrap();
            let output: Value = serde_json::from_str(output).unwrap();
            let link = |name: &str| output["links"][name].as_str().unwrap().to_owned();
            return Asking {
                arn: arn.to_owned(),
                approve: link("ApproveUrl"),
                reject: link("RejectUrl"),
                answer: link("AnswerUrl"),
                token: output["token"].as_str().unwrap().to_owned(),
            };
        }
    }

    async fn ended(&self, arn: &str) -> Value {
        loop {
            let execution = self.call("DescribeExecution", json!({"executionArn": arn})).await;
            if execution["status"] != "RUNNING" {
                return execution;
            }
            tokio::task::yield_now().await;
        }
    }

    /// The parsed output of an execution that has succeeded.
    async fn output(&self, arn: &str) -> Value {
        let execution = self.ended(arn).await;
        assert_eq!(execution["status"], "SUCCEEDED", "{execution}");
        serde_json::from_str(execution["output"].as_str().unwrap()).unwrap()
    }

    /// Fails unless every link of a request says that it is closed, and takes no answer.
    async fn all_closed(&self, asking: &Asking) {
        for url in [&asking.approve, &asking.reject, &asking.answer] {
            assert_eq!(self.get_json(url).await, (StatusCode::GONE, json!({"status": "CLOSED"})));
            let (status, body) = self.post_json(url, json!({"decision": "approved"})).await;
            assert_eq!((status, &body["error"]), (StatusCode::GONE, &json!("RequestClosed")), "{body}");
        }
    }
}

fn path(url: &str) -> &str {
    let path = url.strip_prefix(ADDRESS).unwrap();
    assert!(path.starts_with("/callbacks/"), "{path}");
    path
}

#[tokio::test]
async fn a_person_approves_on_a_page() {
    let server = Server::start().await;
    let links = json!({"Title": "Refund 7 & more?", "Message": "Ann asks.", "Payload": {"amount": 12}});
    let asking = server.ask("m", &asking(links, json!({}))).await;
    let request = Request::get(path(&asking.approve)).header(header::ACCEPT, "text/html").body(Body::empty());
    let (status, headers, page) = server.link(request.unwrap()).await;
    assert_eq!(status, 200);
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(headers[name], value);
    }
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-")
            && policy.contains("frame-ancestors 'none'")
    );
    assert!(page.contains("<h1>Refund 7 &amp; more?</h1>") && page.contains("Ann asks."), "{page}");
    assert!(page.contains("&quot;amount&quot;: 12") && !page.contains(">Reject</button>"), "{page}");

    // Whoever only looks, as a mail scanner does, answers nothing.
    for url in [&asking.approve, &asking.reject, &asking.answer] {
        assert_eq!(server.page(url).await.0, 200);
        let head = Request::head(path(url)).body(Body::empty()).unwrap();
        assert_eq!(server.link(head).await.0, 200);
    }
    let running = server.call("DescribeExecution", json!({"executionArn": asking.arn})).await;
    assert_eq!(running["status"], "RUNNING");

    let (status, page) = server.post_form(&asking.approve, "decision=approved&comment=go+on").await;
    assert_eq!(status, 200);
    assert!(page.contains("<h1>Approved</h1>"), "{page}");
    let output = server.output(&asking.arn).await;
    assert_eq!((&output["decision"], &output["comment"]), (&json!("approved"), &json!("go on")));
    let at = output["at"].as_str().unwrap();

    // The second time it says politely that there is nothing to do, whichever link it is.
    for url in [&asking.approve, &asking.reject, &asking.answer] {
        let (status, page) = server.page(url).await;
        assert_eq!(status, 200);
        assert!(
            page.contains("<h1>Already answered</h1>") && page.contains(&format!("approved at {at}")),
            "{page}"
        );
        let (status, page) = server.post_form(url, "decision=rejected").await;
        assert_eq!(status, 409);
        assert!(page.contains("<h1>Already answered</h1>"), "{page}");
    }
    assert_eq!(server.output(&asking.arn).await, output);
}

#[tokio::test]
async fn a_program_reads_and_answers_json() {
    let server = Server::start().await;
    let links = json!({"Payload": [1], "AcceptsOutput": true});
    let asking = server.ask("m", &asking(links, json!({"TimeoutSeconds": 100}))).await;
    let (status, shown) = server.get_json(&asking.answer).await;
    assert_eq!((status, &shown["status"], &shown["payload"]), (StatusCode::OK, &json!("OPEN"), &json!([1])));
    assert_eq!((&shown["title"], &shown["acceptsOutput"]), (&Value::Null, &json!(true)));
    assert_eq!(shown["decisions"], json!(["approved", "rejected"]));
    assert_eq!(server.get_json(&asking.reject).await.1["decisions"], json!(["rejected"]));

    let (status, body) = server.post_json(&asking.answer, json!({})).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("InvalidAnswer")));
    let (status, body) = server.post_json(&asking.reject, json!({"decision": "approved"})).await;
    assert_eq!((status, &body["error"]), (StatusCode::FORBIDDEN, &json!("DecisionNotAllowed")));
    let answer = json!({"decision": "approved", "output": {"price": 3}});
    let (status, body) = server.post_json(&asking.answer, answer.clone()).await;
    assert_eq!(
        (status, &body["status"], &body["decision"]),
        (StatusCode::OK, &json!("ANSWERED"), &json!("approved"))
    );
    let output = server.output(&asking.arn).await;
    assert_eq!(
        (&output["output"], &output["comment"], &output["at"]),
        (&json!({"price": 3}), &Value::Null, &body["at"])
    );
    let (status, again) = server.post_json(&asking.answer, answer).await;
    assert_eq!(
        (status, &again["error"], &again["at"]),
        (StatusCode::CONFLICT, &json!("AlreadyAnswered"), &body["at"])
    );
    assert_eq!(server.get_json(&asking.approve).await.0, 200);
}

#[tokio::test]
async fn a_rejection_is_a_result_or_an_error_as_it_was_asked_for() {
    let server = Server::start().await;
    let plain = server.ask("plain", &asking(json!({}), json!({}))).await;
    assert_eq!(server.post_form(&plain.reject, "comment=no").await.0, 200);
    let output = server.output(&plain.arn).await;
    assert_eq!((&output["decision"], &output["comment"]), (&json!("rejected"), &json!("no")));

    let failing = server.ask("failing", &asking(json!({"RejectError": "NotApproved"}), json!({}))).await;
    assert_eq!(server.post_json(&failing.reject, json!({"comment": "no"})).await.0, 200);
    let output = server.output(&failing.arn).await;
    assert_eq!(output["e"]["Error"], "NotApproved");
    let cause: Value = serde_json::from_str(output["e"]["Cause"].as_str().unwrap()).unwrap();
    assert_eq!((&cause["decision"], &cause["comment"]), (&json!("rejected"), &json!("no")));
    assert_eq!(server.get_json(&failing.answer).await.1["decision"], "rejected");
}

#[tokio::test]
async fn one_of_many_answers_is_taken() {
    let server = Server::start().await;
    let asking = server.ask("m", &asking(json!({}), json!({}))).await;
    let answers = (0..32).map(|number| {
        let url = if number % 2 == 0 { &asking.approve } else { &asking.reject };
        server.post_json(url, json!({"comment": number.to_string()}))
    });
    let answers = futures::future::join_all(answers).await;
    let taken: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
    assert_eq!(taken.len(), 1);
    assert!(answers.iter().all(|(status, _)| *status == 200 || *status == 409), "{answers:?}");
    assert_eq!(server.output(&asking.arn).await["decision"], taken[0].1["decision"]);
    assert!(answers.iter().all(|(_, body)| body["decision"] == taken[0].1["decision"]));
}

#[tokio::test]
async fn links_are_made_for_a_token() {
    let server = Server::start().await;
    let activity = server.call("CreateActivity", json!({"name": "a"})).await;
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Task", "Resource": activity["activityArn"], "End": true}}});
    let machine = server.create("m", &definition.to_string()).await;
    let started = server.call("StartExecution", json!({"stateMachineArn": machine})).await;
    let task = server.call("GetActivityTask", json!({"activityArn": activity["activityArn"]})).await;
    let token = task["taskToken"].as_str().unwrap();
    let wanted = json!({
        "taskToken": token, "title": "First", "message": "m", "payload": {"a": 1}, "expiresInSeconds": 60,
        "rejectError": "No", "acceptsOutput": false,
    });
    let (status, first) = server.make_links(wanted).await;
    assert_eq!(status, 200, "{first}");
    let (status, second) = server.make_links(json!({"taskToken": token, "title": "Second"})).await;
    assert_eq!(status, 200, "{second}");
    let url = |links: &Value, name: &str| links[name].as_str().unwrap().to_owned();
    for (links, title) in [(&first, "First"), (&second, "Second")] {
        for name in ["approveUrl", "rejectUrl", "answerUrl"] {
            // What stands in a link is no token, and nothing of the token's proof stands in it.
            assert!(!url(links, name).contains(token));
            assert_eq!(server.get_json(&url(links, name)).await.1["title"], title);
        }
        let forged = url(links, "answerUrl").rsplit('/').next().unwrap().to_owned();
        let answer = json!({"taskToken": forged, "output": "{}"});
        server.refused("SendTaskSuccess", answer, "InvalidToken", "Invalid Token: 'Invalid token'").await;
    }
    assert!(first["expiresAt"].as_str() < second["expiresAt"].as_str());
    assert_eq!(server.post_form(&url(&first, "rejectUrl"), "").await.0, 200);
    let execution = server.ended(started["executionArn"].as_str().unwrap()).await;
    assert_eq!((&execution["status"], &execution["error"]), (&json!("FAILED"), &json!("No")));
    assert_eq!(server.get_json(&url(&second, "approveUrl")).await.1["decision"], "rejected");
    let (status, body) = server.make_links(json!({"taskToken": token})).await;
    assert_eq!((status.as_u16(), body["error"].as_str().unwrap()), (400, "TaskTimedOut"));
}

#[tokio::test]
async fn links_are_not_made_for_nonsense() {
    let server = Server::start().await;
    let asking = server.ask("m", &asking(json!({}), json!({}))).await;
    let refused = async |wanted: Value, error: &str, message: &str| {
        let (status, body) = server.make_links(wanted).await;
        assert_eq!((status.as_u16(), body["error"].as_str().unwrap()), (400, error), "{body}");
        assert!(body["message"].as_str().unwrap().starts_with(message), "{body}");
    };
    refused(json!([]), "InvalidRequest", "The body is not a request for links: ").await;
    refused(json!({"taskToken": "x"}), "InvalidToken", "Invalid Token: 'Invalid token'").await;
    let mut forged = asking.token.clone();
    let changed = forged.len() - 2..forged.len() - 1;
    let other = if forged[changed.clone()] == *"A" { "B" } else { "A" };
    forged.replace_range(changed, other);
    refused(json!({"taskToken": forged}), "InvalidToken", "Invalid Token: 'Invalid token'").await;
    let with = |name: &str, value: Value| {
        let mut wanted = json!({"taskToken": asking.token});
        wanted[name] = value;
        wanted
    };
    refused(
        with("titel", json!("t")),
        "InvalidRequest",
        "The body is not a request for links: unknown field",
    )
    .await;
    refused(
        with("title", json!("t".repeat(201))),
        "InvalidRequest",
        "The member 'title' can have at most 200",
    )
    .await;
    refused(with("expiresInSeconds", json!(0)), "InvalidRequest", "The member 'expiresInSeconds' should be")
        .await;
    refused(
        with("payload", json!("p".repeat(40_000))),
        "InvalidRequest",
        "The member 'payload' can have at most",
    )
    .await;
    refused(
        with("rejectError", json!("States.Timeout")),
        "InvalidRequest",
        "The member 'rejectError' should be",
    )
    .await;
    let (status, _) = server.make_links(with("message", json!("m".repeat(200_000)))).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn a_link_is_dead_when_its_attempt_has_ended() {
    let server = Server::start().await;
    let stopped = server.ask("stopped", &asking(json!({}), json!({}))).await;
    server.call("StopExecution", json!({"executionArn": stopped.arn})).await;
    server.all_closed(&stopped).await;

    let answered = server.ask("answered", &asking(json!({}), json!({}))).await;
    server.call("SendTaskSuccess", json!({"taskToken": answered.token, "output": "{}"})).await;
    server.all_closed(&answered).await;

    let late = server.ask("late", &asking(json!({}), json!({"TimeoutSeconds": 1}))).await;
    assert_eq!(server.ended(&late.arn).await["error"], "States.Timeout");
    server.all_closed(&late).await;

    let silent = server.ask("silent", &asking(json!({}), json!({"HeartbeatSeconds": 1}))).await;
    assert_eq!(server.ended(&silent.arn).await["status"], "FAILED");
    server.all_closed(&silent).await;

    let retry = json!({"Retry": [{"ErrorEquals": ["Again"], "IntervalSeconds": 1}]});
    let first = server.ask("retried", &asking(json!({}), retry)).await;
    server.call("SendTaskFailure", json!({"taskToken": first.token, "error": "Again"})).await;
    server.all_closed(&first).await;
    let second = server.asked(&first.arn, 2).await;
    server.all_closed(&first).await;
    assert_ne!(first.answer, second.answer);
    assert_eq!(server.post_json(&second.approve, json!({})).await.0, 200);
    assert_eq!(server.output(&first.arn).await["decision"], "approved");
    server.all_closed(&first).await;
}

#[tokio::test]
async fn a_redrive_asks_anew() {
    let server = Server::start().await;
    let first = server.ask("m", &asking(json!({"Title": "Again?"}), json!({}))).await;
    server.call("StopExecution", json!({"executionArn": first.arn})).await;
    server.call("RedriveExecution", json!({"executionArn": first.arn})).await;
    let second = server.asked(&first.arn, 2).await;
    server.all_closed(&first).await;
    assert_eq!(server.get_json(&second.answer).await.1["title"], "Again?");
    assert_eq!(server.post_json(&second.approve, json!({})).await.0, 200);
    assert_eq!(server.output(&first.arn).await["decision"], "approved");
    server.all_closed(&first).await;
}

#[tokio::test]
async fn a_link_expires_while_its_task_goes_on() {
    let server = Server::start().await;
    let asking = server.ask("m", &asking(json!({"ExpiresInSeconds": 1}), json!({}))).await;
    loop {
        let (status, body) = server.get_json(&asking.approve).await;
        if status == 410 {
            assert_eq!(body, json!({"status": "EXPIRED"}));
            break;
        }
        assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("OPEN")));
        tokio::task::yield_now().await;
    }
    let (status, body) = server.post_json(&asking.approve, json!({})).await;
    assert_eq!((status, &body["error"]), (StatusCode::GONE, &json!("LinkExpired")));
    let (_, page) = server.post_form(&asking.answer, "decision=approved").await;
    assert!(page.contains("<h1>Link expired</h1>"), "{page}");
    // A new link does what the old one cannot.
    let (_, links) = server.make_links(json!({"taskToken": asking.token})).await;
    assert_eq!(server.post_json(links["approveUrl"].as_str().unwrap(), json!({})).await.0, 200);
    assert_eq!(server.get_json(&asking.approve).await.1["status"], "ANSWERED");
}

#[tokio::test]
async fn what_is_no_link_leads_nowhere() {
    let server = Server::start().await;
    let asking = server.ask("m", &asking(json!({}), json!({}))).await;
    let mut changed = asking.approve.clone();
    let last = if changed.ends_with('A') { "Q" } else { "A" };
    changed.replace_range(changed.len() - 1.., last);
    let cut = asking.approve[..asking.approve.len() - 4].to_owned();
    let token = format!("{ADDRESS}/callbacks/{}", asking.token);
    for url in [&changed, &cut, &token, &format!("{ADDRESS}/callbacks/favicon.ico")] {
        let (status, body) = server.get_json(url).await;
        assert_eq!((status, &body["error"]), (StatusCode::NOT_FOUND, &json!("InvalidLink")));
        let (status, page) = server.page(url).await;
        assert_eq!(status, 404);
        assert!(page.contains("<h1>That did not work</h1>"), "{page}");
        assert_eq!(server.post_form(url, "decision=approved").await.0, 404);
    }
    let running = server.call("DescribeExecution", json!({"executionArn": asking.arn})).await;
    assert_eq!(running["status"], "RUNNING");
    assert!(asking.arn.starts_with(PREFIX));
}
