//! Tasks that call HTTP APIs, and what they may not reach.

use serde_json::{Value, json};
use tests::process::{Home, Outside, PATIENCE, Reply, history, wait_for};

use crate::tasks::{failure, output, task};
use crate::tls::Tls;

const INVOKE: &str = "arn:aws:states:::http:invoke";

/// Answers by the path.
fn api() -> Outside {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    Outside::start(move |asked| {
        let path = asked.target.split('?').next().unwrap_or_default();
        let text = |status, body: &str| {
            Reply::Answer(status, vec![("content-type", "text/plain".to_owned())], body.into())
        };
        match path {
            "/json" => Reply::json("200 Fine", &json!({"n": 1.0, "list": ["ü"]})),
            "/moved" => Reply::Answer("302 Found", vec![("location", "/json".to_owned())], Vec::new()),
            "/missing" => text("404 Not Found", "no such thing"),
            "/busy" if calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => text("503 Busy", ""),
            "/large" => text("200 OK", &"a".repeat(262_145)),
            "/image" => Reply::Answer("200 OK", vec![("content-type", "image/png".to_owned())], vec![0x89]),
            "/hangs-up" => Reply::HangUp,
            "/silent" => Reply::Silence,
            _ => text("200 OK", &asked.body),
        }
    })
}

fn http(method: &str, url: &str, more: &Value) -> Value {
    let mut parameters = json!({"ApiEndpoint": url, "Method": method});
    if let (Value::Object(parameters), Value::Object(more)) = (&mut parameters, more) {
        parameters.extend(more.clone());
    }
    task(INVOKE, &json!({"Parameters": parameters}))
}

#[test]
fn a_task_calls_an_api() {
    let api = api();
    let home = Home::new()
        .with("--http-allow", api.url(""))
        .with_env("HTTP_PROXY", "http://127.0.0.1:9")
        .with_env("http_proxy", "http://127.0.0.1:9");
    let server = home.start();
    let client = server.client();
    let more = json!({"Headers": {"X-One": "1"}, "QueryParameters": {"q": ["a b", "c"], "n": 7}});
    let machine = client.create("get", &http("GET", &api.url("/json?z=0"), &more));
    let execution = client.start(&machine, &json!({}));
    let ended = client.ended(&execution);
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    let result: Value = serde_json::from_str(ended["output"].as_str().unwrap()).unwrap();
    assert_eq!(result["ResponseBody"], json!({"n": 1.0, "list": ["ü"]}));
    assert_eq!((&result["StatusCode"], &result["StatusText"]), (&json!(200), &json!("Fine")));
    assert_eq!(result["Headers"]["content-type"], json!(["application/json"]));
    let events = client.history(&execution);
    let scheduled = &events[2]["taskScheduledEventDetails"];
    assert_eq!((&scheduled["resourceType"], &scheduled["resource"]), (&json!("http"), &json!("invoke")));
    assert_eq!(history::count(&events, "TaskSucceeded"), 1);

    let form =
        json!({"RequestBody": {"a": ["x", {"y": 2}]}, "Transform": {"RequestBodyEncoding": "URL_ENCODED"}});
    let posted = output(client, "post", &http("POST", &api.url("/echo"), &form), &json!({}));
    assert_eq!(posted["ResponseBody"], "a%5B0%5D=x&a%5B1%5D%5By%5D=2");
    let head = output(client, "head", &http("HEAD", &api.url("/json"), &json!({})), &json!({}));
    assert_eq!(head["ResponseBody"], "");

    let asked = api.asked();
    assert_eq!(asked[0].target, "/json?z=0&q=a+b&q=c&n=7");
    assert_eq!((asked[0].header("x-one"), asked[0].header("range")), (Some("1"), Some("bytes=0-262144")));
    assert_eq!(asked[1].header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[test]
fn what_goes_wrong_is_an_error_that_a_workflow_can_name() {
    let api = api();
    let home = Home::new().with("--http-allow", api.url("")).with("--http-allow", "http://127.0.0.1:1");
    let server = home.start();
    let client = server.client();
    let table = [
        (api.url("/missing"), "States.Http.StatusCode.404", "no such thing"),
        (api.url("/moved"), "States.Http.StatusCode.302", "Found"),
        (api.url("/large"), "States.DataLimitExceeded", "The state/task 'http' returned a result"),
        (api.url("/image"), "States.Runtime", "'image/png', which is not supported"),
        (api.url("/hangs-up"), "States.Http.Socket", "The request failed"),
        ("http://127.0.0.1:1/".to_owned(), "States.Http.Socket", "The connection failed"),
    ];
    for (index, (url, error, cause)) in table.iter().enumerate() {
        let failed = failure(client, &format!("m{index}"), &http("GET", url, &json!({})));
        assert_eq!(failed.0, *error, "{url}: {}", failed.1);
        assert!(failed.1.contains(cause), "{url}: {}", failed.1);
    }
    assert_eq!(api.asked().len(), 5, "a redirect is not followed, and nothing is sent twice");
    let failed = failure(client, "bad", &http("GET", &api.url("/json"), &json!({"Headers": "none"})));
    assert_eq!(failed.0, "States.Runtime");
    assert!(failed.1.ends_with("[The value of the field 'Headers' has an invalid format]"), "{}", failed.1);
    let missing =
        json!({"Authentication": {"ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/none"}});
    let failed = failure(client, "none", &http("GET", &api.url("/json"), &missing));
    assert_eq!(failed.0, "Events.ConnectionResource.NotFound");

    let mut retried = http("GET", &api.url("/busy"), &json!({}));
    retried["States"]["T"]["Retry"] =
        json!([{"ErrorEquals": ["States.Http.StatusCode.503"], "IntervalSeconds": 1}]);
    assert_eq!(output(client, "retried", &retried, &json!({}))["StatusCode"], 200);
    let mut silent = http("GET", &api.url("/silent"), &json!({}));
    silent["States"]["T"]["TimeoutSeconds"] = json!(1);
    assert_eq!(failure(client, "silent", &silent).0, "States.Timeout");
    wait_for("the server to hang up", PATIENCE, || (api.gone() == 1).then_some(()));
}

#[test]
fn certificates_are_checked_against_those_that_the_machine_trusts() {
    let (tls, folder) = (Tls::new(), tempfile::tempdir().unwrap());
    let authority = tls.write_authority(&folder).display().to_string();
    let api = Outside::start_over(tls, |_| Reply::json("200 OK", &json!(true)));
    let port = api.address().port();
    let url = format!("https://localhost:{port}/");
    let call = http("GET", &url, &json!({}));

    let home = Home::new().with("--http-allow", url.as_str()).with_env("SSL_CERT_FILE", authority.as_str());
    let server = home.start();
    assert_eq!(output(server.client(), "trusted", &call, &json!({}))["ResponseBody"], true);
    // By its address, it needs another word of the operator.
    let by_address = http("GET", &format!("https://127.0.0.1:{port}/"), &json!({}));
    assert_eq!(failure(server.client(), "address", &by_address).0, "States.Permissions");

    let home = Home::new().with_env("STEPWELL_HTTP_ALLOW", url.as_str());
    let server = home.start();
    let failed = failure(server.client(), "unknown", &call);
    assert_eq!(failed.0, "States.Http.Socket");
    assert!(failed.1.contains("certificate"), "{}", failed.1);
}

#[test]
fn addresses_that_are_not_public_are_not_reached() {
    let (tls, folder) = (Tls::new(), tempfile::tempdir().unwrap());
    let authority = tls.write_authority(&folder).display().to_string();
    let api = Outside::start_over(tls, |_| Reply::json("200 OK", &json!(true)));
    let port = api.address().port();
    let home = Home::new().with_env("SSL_CERT_FILE", authority.as_str());
    let server = home.start();
    let client = server.client();
    let refused = [
        (format!("https://127.0.0.1:{port}/"), "a loopback address"),
        (format!("https://localhost:{port}/"), "The host localhost has a loopback address"),
        (format!("https://2130706433:{port}/"), "a loopback address"),
        (format!("https://[::ffff:127.0.0.1]:{port}/"), "an IPv4-mapped address"),
        ("https://169.254.169.254/latest/meta-data/".to_owned(), "a link-local address"),
        ("https://10.0.0.1/".to_owned(), "--http-allow-address"),
        (format!("http://127.0.0.1:{port}/"), "without TLS"),
    ];
    for (index, (url, why)) in refused.iter().enumerate() {
        let failed = failure(client, &format!("m{index}"), &http("GET", url, &json!({})));
        assert_eq!(failed.0, "States.Permissions", "{url}: {}", failed.1);
        assert!(failed.1.contains(why), "{url}: {}", failed.1);
    }
    assert_eq!(api.asked(), []);

    let home =
        Home::new().with("--http-allow-address", "127.0.0.0/8").with_env("SSL_CERT_FILE", authority.as_str());
    let server = home.start();
    for (name, host) in [("name", "localhost"), ("address", "127.0.0.1")] {
        let call = http("GET", &format!("https://{host}:{port}/"), &json!({}));
        assert_eq!(output(server.client(), name, &call, &json!({}))["StatusCode"], 200);
    }
    let home = Home::new().with("--http-allow", "none");
    let server = home.start();
    let failed = failure(server.client(), "none", &http("GET", "https://example.com/", &json!({})));
    assert_eq!(failed.0, "States.Permissions");
}

#[test]
fn a_test_of_a_state_shows_its_request_and_response() {
    let api = api();
    let home = Home::new().with("--http-allow", api.url(""));
    let server = home.start();
    let state = http("POST", &api.url("/echo"), &json!({"RequestBody": {"k": 1}}))["States"]["T"].take();
    let test = |level: &str| {
        let role = "arn:aws:iam::123456789012:role/tests";
        let request = json!({"definition": state.to_string(), "roleArn": role, "inspectionLevel": level});
        server.client().call("TestState", &request)
    };
    let traced = test("TRACE");
    assert_eq!(traced["status"], "SUCCEEDED", "{traced}");
    let request = &traced["inspectionData"]["request"];
    assert_eq!((&request["protocol"], &request["method"]), (&json!("http"), &json!("POST")));
    assert_eq!((&request["url"], &request["body"]), (&json!(api.url("/echo")), &json!("{\"k\":1}")));
    assert!(request["headers"].as_str().unwrap().contains("content-type: application/json"), "{request}");
    let response = &traced["inspectionData"]["response"];
    assert_eq!((&response["statusCode"], &response["statusMessage"]), (&json!("200"), &json!("OK")));
    assert_eq!(response["body"], "{\"k\":1}");
    assert_eq!(test("DEBUG")["inspectionData"].get("request"), None);
}
