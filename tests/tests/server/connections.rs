//! Connections: made through EventBridge's API, kept sealed, and used by HTTP tasks.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tests::process::{Answer, Asked, Client, Home, Outside, Reply};

use crate::tasks::{failure, output, task};

const SECRET: &str = "s3cret-of-the-tests";

fn events(client: Client, operation: &str, members: &Value) -> Answer {
    let head = format!("POST / HTTP/1.1\r\nx-amz-target: AWSEvents.{operation}\r\n");
    client.send(&head, members.to_string().as_bytes()).unwrap()
}

#[track_caller]
fn done(client: Client, operation: &str, members: &Value) -> Value {
    let answer = events(client, operation, members);
    assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
    answer.body
}

fn basic(name: &str) -> Value {
    let pair =
        |key: &str, value: &str, secret: bool| json!({"Key": key, "Value": value, "IsValueSecret": secret});
    json!({"Name": name, "Description": "of tests", "AuthorizationType": "BASIC", "AuthParameters": {
        "BasicAuthParameters": {"Username": "ann", "Password": SECRET},
        "InvocationHttpParameters": {
            "HeaderParameters": [pair("X-Tenant", "t1", false)],
            "QueryStringParameters": [pair("key", "query-s3cret", true)],
            "BodyParameters": [pair("mode", "live", false)],
        },
    }})
}

/// An HTTP task with a connection.
fn call(url: &str, arn: &str) -> Value {
    let connection = json!({"ConnectionArn": arn});
    task(
        "arn:aws:states:::http:invoke",
        &json!({"Parameters":
        {"ApiEndpoint": url, "Method": "POST", "Authentication": connection, "RequestBody": {"mode": "test", "n": 1}}}),
    )
}

#[test]
fn a_connection_authorizes_requests_and_keeps_its_secrets() {
    let api = Outside::start(|_| Reply::json("200 OK", &json!({})));
    let home = Home::new().with("--http-allow", api.url("")).with_env("STEPWELL_LOG", "debug");
    let server = home.start();
    let client = server.client();
    let made = done(client, "CreateConnection", &basic("bank"));
    let arn = made["ConnectionArn"].as_str().unwrap().to_owned();
    assert!(arn.starts_with("arn:aws:events:us-east-1:123456789012:connection/bank/"), "{arn}");
    assert_eq!(made["ConnectionState"], "AUTHORIZED");

    let machine = client.create("m", &call(&api.url("/x"), &arn));
    let execution = client.start(&machine, &json!({}));
    assert_eq!(client.ended(&execution)["status"], "SUCCEEDED");
    let asked = api.asked().remove(0);
    assert_eq!(asked.header("authorization"), Some("Basic YW5uOnMzY3JldC1vZi10aGUtdGVzdHM="));
    assert_eq!((asked.header("x-tenant"), asked.target.as_str()), (Some("t1"), "/x?key=query-s3cret"));
    assert_eq!(asked.body, r#"{"mode":"live","n":1}"#);

    let shown = done(client, "DescribeConnection", &json!({"Name": "bank"}));
    assert_eq!(shown["AuthParameters"]["BasicAuthParameters"], json!({"Username": "ann"}));
    assert_eq!((&shown["Description"], &shown["AuthorizationType"]), (&json!("of tests"), &json!("BASIC")));
    let history = Value::from(client.history(&execution)).to_string();
    for (what, text) in [
        ("DescribeConnection", shown.to_string()),
        ("the history", history),
        ("the log", fs::read_to_string(home.path("server.log")).unwrap()),
    ] {
        assert!(
            !text.contains(SECRET) && !text.contains("query-s3cret") && !text.contains("YW5uOn"),
            "{what}: {text}"
        );
    }
    server.kill();
    let store = fs::read(home.path("data/stepwell.redb")).unwrap();
    assert!(
        !store.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()),
        "the secret is in the store"
    );

    // It survives the kill, is found without its UUID, and may be changed.
    let server = home.start();
    let client = server.client();
    let word = json!({"Name": "bank", "AuthParameters": {"BasicAuthParameters": {"Password": "another"}}});
    done(client, "UpdateConnection", &word);
    let short = arn.rsplit_once('/').unwrap().0;
    output(client, "short", &call(&api.url("/y"), short), &json!({}));
    assert_eq!(api.asked()[1].header("authorization"), Some("Basic YW5uOmFub3RoZXI="));
    done(client, "DeleteConnection", &json!({"Name": "bank"}));
    done(client, "CreateConnection", &basic("bank"));
    let failed = failure(client, "old", &call(&api.url("/z"), &arn));
    assert_eq!(failed.0, "Events.ConnectionResource.NotFound", "one of the same name is another one");
}

#[test]
fn connections_are_listed_and_refused_in_the_words_of_eventbridge() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    for name in ["a1", "a2", "b1", "a3"] {
        done(client, "CreateConnection", &basic(name));
    }
    let mut names = Vec::new();
    let mut request = json!({"NamePrefix": "a", "Limit": 2});
    for _page in 0..3 {
        let mut page = done(client, "ListConnections", &request);
        let list = page["Connections"].take();
        names.extend(list.as_array().unwrap().iter().map(|shown| shown["Name"].as_str().unwrap().to_owned()));
        request["NextToken"] = page["NextToken"].take();
        if request["NextToken"].is_null() {
            break;
        }
    }
    assert_eq!(names, ["a1", "a2", "a3"]);
    let refused = |operation: &str, members: &Value, code: &str, message: &str| {
        let refused = events(client, operation, members).refused();
        assert_eq!((refused.status, refused.code.as_str()), (400, code), "{}", refused.message);
        assert!(refused.message.contains(message), "{}", refused.message);
    };
    refused(
        "CreateConnection",
        &basic("a1"),
        "ResourceAlreadyExistsException",
        "Connection a1 already exists.",
    );
    refused("CreateConnection", &basic("a b"), "ValidationException", "regular expression pattern");
    refused("CreateConnection", &json!({"Name": "c"}), "ValidationException", "'AuthorizationType'");
    refused(
        "DescribeConnection",
        &json!({"Name": "c"}),
        "ResourceNotFoundException",
        "Connection 'c' does not exist.",
    );
    refused("DeleteConnection", &json!({"Name": "c"}), "ResourceNotFoundException", "'c'");
    refused("PutEvents", &json!({}), "UnknownOperationException", "connections only");
    refused("ListConnections", &json!({"NextToken": "x"}), "ValidationException", "NextToken");
}

/// An API that takes one token at a time, and who gives them out.
fn oauth_api() -> Outside {
    let granted = AtomicUsize::new(0);
    Outside::start(move |asked: &Asked| {
        if asked.target.starts_with("/token") {
            let number = granted.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::json(
                "200 OK",
                &json!({"access_token": format!("token-{number}"), "token_type": "bearer",
                "expires_in": 3600}),
            );
        }
        if asked.target.starts_with("/refused") {
            return Reply::json("401 Unauthorized", &json!("no"));
        }
        let current = format!("Bearer token-{}", granted.load(Ordering::SeqCst));
        // The first token is good for one request alone.
        let is_good = asked.header("authorization") == Some(&current) && !asked.target.starts_with("/stale");
        if is_good || current == "Bearer token-2" {
            return Reply::json("200 OK", &json!({"with": asked.header("authorization")}));
        }
        Reply::json("401 Unauthorized", &json!("no"))
    })
}

#[test]
fn tokens_are_fetched_once_kept_and_renewed_when_they_are_refused() {
    let api = oauth_api();
    let home = Home::new().with("--http-allow", api.url(""));
    let server = home.start();
    let client = server.client();
    let oauth = json!({"Name": "shop", "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS", "AuthParameters": {
        "OAuthParameters": {"ClientParameters": {"ClientID": "id", "ClientSecret": SECRET},
            "AuthorizationEndpoint": api.url("/token"), "HttpMethod": "POST"}}});
    let arn = done(client, "CreateConnection", &oauth)["ConnectionArn"].as_str().unwrap().to_owned();
    let body = |name: &str, path: &str| {
        output(client, name, &call(&api.url(path), &arn), &json!({}))["ResponseBody"].clone()
    };
    assert_eq!(body("one", "/a"), json!({"with": "Bearer token-1"}));
    assert_eq!(body("two", "/b"), json!({"with": "Bearer token-1"}));
    assert_eq!(body("three", "/stale"), json!({"with": "Bearer token-2"}));
    let failed = failure(client, "four", &call(&api.url("/refused"), &arn));
    assert_eq!(failed.0, "States.Http.StatusCode.401");
    let asked = api.asked();
    let paths: Vec<_> = asked.iter().map(|asked| asked.target.as_str()).collect();
    assert_eq!(paths, ["/token", "/a", "/b", "/stale", "/token", "/stale", "/refused", "/token", "/refused"]);
    assert_eq!(asked[0].body, format!("grant_type=client_credentials&client_id=id&client_secret={SECRET}"));
    assert_eq!(asked[0].header("content-type"), Some("application/x-www-form-urlencoded"));

    let role = "arn:aws:iam::123456789012:role/tests";
    let state = call(&api.url("/echo"), &arn)["States"]["T"].take();
    let test = |reveal: bool| {
        let request = json!({"definition": state.to_string(), "roleArn": role, "inspectionLevel": "TRACE",
            "revealSecrets": reveal});
        let seen = client.call("TestState", &request)["inspectionData"].take();
        // What the API answers is the state's data; of the exchange, what was secret is hidden there too.
        format!("{} {}", seen["request"], seen["response"])
    };
    let (hidden, revealed) = (test(false), test(true));
    assert!(!hidden.contains("token-3") && hidden.contains("authorization: [HIDDEN]"), "{hidden}");
    assert!(revealed.contains("authorization: Bearer token-3"), "{revealed}");
}

#[test]
fn a_connection_that_gets_no_token_says_why_without_its_secret() {
    let api = Outside::start(|_| Reply::json("400 Bad Request", &json!({"error": "invalid_client"})));
    let home = Home::new().with("--http-allow", api.url(""));
    let server = home.start();
    let client = server.client();
    let connection = |name: &str, endpoint: &str| {
        let oauth = json!({"Name": name, "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS", "AuthParameters": {
            "OAuthParameters": {"ClientParameters": {"ClientID": "id", "ClientSecret": SECRET},
                "AuthorizationEndpoint": endpoint, "HttpMethod": "GET"}}});
        done(client, "CreateConnection", &oauth)["ConnectionArn"].as_str().unwrap().to_owned()
    };
    for (name, endpoint, why) in [
        ("refused", api.url("/token"), "answered 400 Bad Request"),
        ("inside", "https://169.254.169.254/token".to_owned(), "not among the places"),
    ] {
        let failed = failure(client, name, &call(&api.url("/x"), &connection(name, &endpoint)));
        assert_eq!(failed.0, "Events.ConnectionResource.InvalidConnectionState");
        assert!(failed.1.contains(why) && !failed.1.contains(SECRET), "{}", failed.1);
    }
    assert!(api.asked().iter().all(|asked| asked.target.starts_with("/token")));
}
