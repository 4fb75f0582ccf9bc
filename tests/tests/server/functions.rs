//! Functions that are no modules here, at an endpoint that answers as Lambda does and checks signatures.

use crate::tasks::{failure, output, task};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::process::{Asked, Home, Outside, PATIENCE, Reply, guest, history, wait_for};

const KEY: &str = "AKIDTESTS";
const SECRET: &str = "secret of the tests";
const SESSION: &str = "session of the tests";
const INVOKE: &str = "arn:aws:states:::lambda:invoke";

/// Answers by the function's name.
fn lambda() -> Outside {
    Outside::start(|asked| {
        if let Err(why) = check_signature(asked) {
            let headers = vec![("x-amzn-errortype", "InvalidSignatureException:".to_owned())];
            return Reply::Answer("403 Forbidden", headers, json!({"message": why}).to_string().into_bytes());
        }
        let path = asked.target.split('?').next().unwrap_or_default();
        let name = path
            .strip_prefix("/base/2015-03-31/functions/")
            .and_then(|path| path.strip_suffix("/invocations"));
        let name = name
            .unwrap_or_default()
            .rsplit("%3A")
            .next()
            .unwrap_or_default()
            .rsplit(':')
            .next()
            .unwrap_or_default();
        behave(name, asked)
    })
}

fn behave(name: &str, asked: &Asked) -> Reply {
    let headers = |extra: &[(&'static str, &str)]| {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-amzn-requestid", "11111111-2222-4333-8444-555555555555".to_owned()),
            ("x-amz-executed-version", "7".to_owned()),
        ];
        headers.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
        headers
    };
    let refused = |status, code: &str, message: &str| {
        let body = json!({"Type": "User", "Message": message}).to_string();
        Reply::Answer(status, headers(&[("x-amzn-errortype", code)]), body.into_bytes())
    };
    let failed = |body: Value| {
        Reply::Answer(
            "200 OK",
            headers(&[("x-amz-function-error", "Unhandled")]),
            body.to_string().into_bytes(),
        )
    };
    match name {
        "remote" | "other-account" => match asked.header("x-amz-invocation-type") {
            Some("Event") => Reply::Answer("202 Accepted", headers(&[]), Vec::new()),
            Some("DryRun") => Reply::Answer("204 No Content", headers(&[]), Vec::new()),
            _ => {
                let log = asked.header("x-amz-log-type").filter(|log| *log == "Tail");
                let extra: &[_] = if log.is_some() { &[("x-amz-log-result", "bG9n")] } else { &[] };
                Reply::Answer("200 OK", headers(extra), asked.body.clone().into_bytes())
            }
        },
        "failing" => failed(json!({"errorMessage": "no stock", "errorType": "OutOfStock", "stackTrace": []})),
        "dying" => failed(json!({"errorMessage": "2026-01-01T00:00:00Z Task timed out after 3.00 seconds"})),
        "busy" => refused("429 Too Many Requests", "TooManyRequestsException", "Rate Exceeded."),
        "broken" => Reply::Answer("502 Bad Gateway", Vec::new(), b"<html>".to_vec()),
        "large" => Reply::Answer("200 OK", headers(&[]), format!("\"{}\"", "a".repeat(262_144)).into_bytes()),
        "no-json" => Reply::Answer("200 OK", headers(&[]), b"pong".to_vec()),
        "hangs-up" => Reply::HangUp,
        "silent" => Reply::Silence,
        _ => refused("404 Not Found", "ResourceNotFoundException:http://internal/", "Function not found: it"),
    }
}

/// What AWS checks: the signature over the method, the path, the query, the headers that it names, and the body.
fn check_signature(asked: &Asked) -> Result<(), String> {
    let mac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let missing = |name: &str| format!("{name} is missing");
    let authorization = asked.header("authorization").ok_or_else(|| missing("authorization"))?;
    let part = |name: &str| {
        authorization.split([' ', ',']).find_map(|part| part.strip_prefix(name)).ok_or_else(|| missing(name))
    };
    let (credential, signed, signature) =
        (part("Credential=")?, part("SignedHeaders=")?, part("Signature=")?);
    let scope = credential.strip_prefix(KEY).and_then(|rest| rest.strip_prefix('/')).ok_or("another key")?;
    let [date, region, service, "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err(format!("the scope is {scope}"));
    };
    if asked.header("x-amz-security-token") != Some(SESSION) || service != "lambda" {
        return Err(format!("no session, or the service {service}"));
    }
    for name in ["host", "x-amz-date", "x-amz-security-token", "x-amz-invocation-type"] {
        if !signed.split(';').any(|signed| signed == name) {
            return Err(format!("{name} is not signed"));
        }
    }
    let mut canonical_headers = String::new();
    for name in signed.split(';') {
        canonical_headers.push_str(&format!("{name}:{}\n", asked.header(name).ok_or_else(|| missing(name))?));
    }
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let body = hex::encode(Sha256::digest(&asked.body));
    // Each part of the path is encoded once more; only the percent and the colon need it here.
    let path = path.replace('%', "%25").replace(':', "%3A");
    let request = format!("{}\n{path}\n{query}\n{canonical_headers}\n{signed}\n{body}", asked.method);
    let at = asked.header("x-amz-date").ok_or_else(|| missing("x-amz-date"))?;
    let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", hex::encode(Sha256::digest(&request)));
    let key = [date, region, service, "aws4_request"]
        .iter()
        .fold(format!("AWS4{SECRET}").into_bytes(), |key, part| mac(&key, part));
    if hex::encode(mac(&key, &to_sign)) == signature {
        Ok(())
    } else {
        Err(format!("the signature of\n{request}"))
    }
}

fn home(lambda: &Outside) -> Home {
    Home::new()
        .with("--lambda-endpoint", lambda.url("/base/"))
        .with_env("AWS_ACCESS_KEY_ID", KEY)
        .with_env("AWS_SECRET_ACCESS_KEY", SECRET)
        .with_env("AWS_SESSION_TOKEN", SESSION)
}

fn arn(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:123456789012:function:{name}")
}

#[test]
fn functions_without_a_module_are_called_at_the_endpoint() {
    let lambda = lambda();
    let home = home(&lambda);
    let server = home.start();
    let client = server.client();

    let machine = client.create("plain", &task(&arn("remote"), &json!({})));
    let execution = client.start(&machine, &json!({"a": [1.0, "ü"]}));
    let ended = client.ended(&execution);
    assert_eq!(ended["output"], "{\"a\":[1.0,\"ü\"]}");
    let events = client.history(&execution);
    assert_eq!(history::count(&events, "LambdaFunctionScheduled"), 1);
    assert_eq!(history::count(&events, "LambdaFunctionSucceeded"), 1);

    let parameters = json!({"FunctionName": "remote", "Qualifier": "live", "Payload": {"k": "v"}, "LogType": "Tail",
        "ClientContext": "eyJjdXN0b20iOnt9fQ=="});
    let answer = output(client, "invoke", &task(INVOKE, &json!({"Parameters": parameters})), &json!({}));
    assert_eq!(answer["Payload"], json!({"k": "v"}));
    assert_eq!((&answer["StatusCode"], &answer["ExecutedVersion"]), (&json!(200), &json!("7")));
    assert_eq!(answer["LogResult"], "bG9n");
    assert_eq!(answer["SdkResponseMetadata"]["RequestId"], "11111111-2222-4333-8444-555555555555");
    assert_eq!(answer["SdkHttpMetadata"]["HttpHeaders"]["X-Amz-Executed-Version"], "7");
    assert_eq!(answer["SdkHttpMetadata"]["AllHttpHeaders"]["Content-Type"], json!(["application/json"]));

    let asked = lambda.asked();
    let targets: Vec<_> = asked.iter().map(|asked| asked.target.as_str()).collect();
    let path = "/base/2015-03-31/functions/remote/invocations";
    assert_eq!(targets, [path.to_owned(), format!("{path}?Qualifier=live")]);
    assert_eq!(asked[0].header("x-amz-log-type"), Some("None"));
    assert_eq!(asked[1].header("x-amz-client-context"), Some("eyJjdXN0b20iOnt9fQ=="));
    assert!(!home.log_tail().contains(SECRET));
}

#[test]
fn other_accounts_invocation_types_and_express_machines_reach_the_endpoint_too() {
    let lambda = lambda();
    let home = home(&lambda);
    let server = home.start();
    let client = server.client();
    let other = "arn:aws:lambda:eu-west-1:999999999999:function:other-account:3";
    assert_eq!(output(client, "other", &task(other, &json!({})), &json!([1])), json!([1]));
    for (invocation, status) in [("Event", 202), ("DryRun", 204)] {
        let parameters = json!({"FunctionName": arn("remote"), "InvocationType": invocation});
        let answer =
            output(client, invocation, &task(INVOKE, &json!({"Parameters": parameters})), &json!({}));
        assert_eq!(answer["StatusCode"], status);
        assert_eq!(answer.get("Payload"), None);
    }
    let express = json!({"name": "express", "type": "EXPRESS", "roleArn": "arn:aws:iam::123456789012:role/tests",
        "definition": task(&arn("remote"), &json!({})).to_string()});
    let machine = client.call("CreateStateMachine", &express)["stateMachineArn"].take();
    let ended = client.call("StartSyncExecution", &json!({"stateMachineArn": machine, "input": "{\"x\":1}"}));
    assert_eq!((&ended["status"], &ended["output"]), (&json!("SUCCEEDED"), &json!("{\"x\":1}")));
    let asked = lambda.asked();
    assert!(
        asked[0].target.contains("999999999999") && asked[0].target.ends_with("?Qualifier=3"),
        "{}",
        asked[0].target
    );
    assert!(asked[0].header("authorization").unwrap().contains("/eu-west-1/lambda/"));
}

#[test]
fn what_goes_wrong_has_the_names_of_aws() {
    let lambda = lambda();
    let home = home(&lambda);
    let server = home.start();
    let client = server.client();
    let table = [
        (
            "failing",
            "OutOfStock",
            "{\"errorMessage\":\"no stock\",\"errorType\":\"OutOfStock\",\"stackTrace\":[]}",
        ),
        (
            "dying",
            "Lambda.Unknown",
            "did not return an error type. Returned payload: {\"errorMessage\":\"2026-01",
        ),
        (
            "busy",
            "Lambda.TooManyRequestsException",
            "Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: \
            TooManyRequestsException; Request ID: 11111111-2222-4333-8444-555555555555; Proxy: null)",
        ),
        ("broken", "Lambda.AWSLambdaException", "Status Code: 502; Error Code: null;"),
        ("missing", "Lambda.ResourceNotFoundException", "Error Code: ResourceNotFoundException;"),
        ("large", "States.DataLimitExceeded", "exceeding the maximum number of bytes service limit"),
        ("no-json", "Lambda.Unknown", "Returned payload: pong"),
        ("hangs-up", "Lambda.SdkClientException", "Unable to execute HTTP request: "),
    ];
    for (name, error, cause) in table {
        let plain = failure(client, name, &task(&arn(name), &json!({})));
        assert_eq!(plain.0, error, "{name}: {}", plain.1);
        assert!(plain.1.contains(cause), "{name}: {}", plain.1);
        let invoked = task(INVOKE, &json!({"Parameters": {"FunctionName": name}}));
        let invoked = failure(client, &format!("{name}-invoke"), &invoked);
        assert_eq!(invoked.0, error, "{name}: {}", invoked.1);
        assert!(invoked.1.contains(cause), "{name}: {}", invoked.1);
    }
}

#[test]
fn a_task_that_times_out_hangs_up() {
    let lambda = lambda();
    let home = home(&lambda);
    let server = home.start();
    let client = server.client();
    let definition = task(&arn("silent"), &json!({"TimeoutSeconds": 1}));
    assert_eq!(failure(client, "silent", &definition).0, "States.Timeout");
    wait_for("the server to hang up", PATIENCE, || (lambda.gone() == 1).then_some(()));
}

#[test]
fn a_module_goes_before_the_endpoint() {
    let lambda = lambda();
    let home = home(&lambda);
    let server = home.start();
    let client = server.client();
    client.push("remote", &guest("echo"));
    output(client, "module", &task(&arn("remote"), &json!({})), &json!({}));
    assert_eq!(
        failure(client, "version", &task(&arn("remote:9"), &json!({}))).0,
        "Lambda.ResourceNotFoundException"
    );
    assert_eq!(lambda.asked(), []);
}

#[test]
fn without_keys_calls_are_not_signed_and_a_variable_names_the_endpoint() {
    let lambda = Outside::start(|asked| {
        let is_signed = asked.header("authorization").is_some();
        Reply::json("200 OK", &json!({"signed": is_signed}))
    });
    let home = Home::new()
        .with_env("LAMBDA_ENDPOINT", lambda.url(""))
        .with_env("AWS_ACCESS_KEY_ID", "")
        .with_env("HTTP_PROXY", "http://127.0.0.1:9")
        .with_env("http_proxy", "http://127.0.0.1:9");
    let server = home.start();
    let client = server.client();
    assert_eq!(
        output(client, "unsigned", &task(&arn("f"), &json!({})), &json!({})),
        json!({"signed": false})
    );
    assert!(home.log_tail().contains("not signed"), "{}", home.log_tail());

    let home = Home::new().with_env("LAMBDA_ENDPOINT", "localhost:3001");
    let refused = home.run();
    assert_eq!(refused.status.code(), Some(2));
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("LAMBDA_ENDPOINT: 'localhost:3001' is neither an http"), "{message}");
}
