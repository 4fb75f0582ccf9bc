//! Requests that modules make with what their SDKs give them, on the real program and against servers on loopback.

use serde_json::{Value, json};
use tests::process::{Asked, Client, Outside, PATIENCE, Reply, guest, wait_for};

use crate::grants::{Module, home};
use crate::tls::Tls;

/// What must not be found anywhere but in the guest and in its request.
pub(crate) const KEY: &str = "key-of-the-tests-7f3a";

/// Keeps a secret for modules.
#[track_caller]
pub(crate) fn put_secret(client: Client, name: &str, modules: &[&str]) {
    let put = json!({"value": KEY, "modules": modules}).to_string();
    let answer = client.send(&format!("PUT /secrets/{name} HTTP/1.1\r\n"), put.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// A name without an address. No resolver is asked for it, since a label of 64 characters is one too long.
pub(crate) fn nowhere() -> String {
    format!("{}.invalid", "x".repeat(64))
}

/// Answers by the currency that is asked for.
fn rates(asked: &Asked) -> Reply {
    let currency = asked.target.rsplit('=').next().unwrap_or_default();
    match currency {
        _ if asked.header("authorization") != Some(&format!("Bearer {KEY}")) => {
            Reply::json("401 Unauthorized", &Value::Null)
        }
        "USD" => Reply::json("200 OK", &json!({"date": "2026-11-27", "rates": {"USD": 1.0837}})),
        "GBP" => Reply::json("404 Not Found", &Value::Null),
        "JPY" => Reply::Answer("503 Service Unavailable", Vec::new(), b"closed today".to_vec()),
        "CHF" => Reply::Answer("200 OK", Vec::new(), vec![b' '; (64 << 10) + 1]),
        "SEK" => Reply::Answer("200 OK", Vec::new(), b"<html>".to_vec()),
        _ => Reply::HangUp,
    }
}

/// A section of a policy that gives `exchange-rate` what it asks for, of an API at this address.
fn section(module: &str, url: &str, http: &str) -> String {
    format!(
        "[modules.{module}.grants]\nenvironment = {{ RATES_URL = \"{url}\" }}\nsecrets = [\"rates-key\"]\nhttp = [{http}]\n"
    )
}

fn rule(scheme: &str, port: u16) -> String {
    format!("{{ scheme = \"{scheme}\", host = \"127.0.0.1\", port = {port}, methods = [\"GET\"] }}")
}

#[test]
fn a_module_in_rust_asks_an_api_and_names_what_goes_wrong() {
    let (api, secure) = (Outside::start(rates), Outside::start_over(Tls::new(), rates));
    let secure_url = secure.url("").replace("http:", "https:");
    let policy = [
        section("rates", &api.url("/latest"), &rule("http", api.address().port())),
        section("closed", "http://127.0.0.1:1/latest", &rule("http", 1)),
        section("untrusted", &secure_url, &rule("https", secure.address().port())),
        section("forbidden", &api.url("/latest").replace("127.0.0.1", "127.0.0.2"), ""),
    ];
    let home = home(&policy.concat())
        .with("--http-allow", api.url(""))
        .with("--http-allow", "http://127.0.0.1:1")
        .with("--http-allow", secure_url)
        .with_env("STEPWELL_LOG", "debug");
    let server = home.start();
    let client = server.client();
    put_secret(client, "rates-key", &["rates", "closed", "untrusted", "forbidden"]);
    let to = |currency: &str| json!({"amount": 9_815, "from": "EUR", "to": currency});

    let module = Module::push(client, "rates", "exchange-rate");
    let converted = json!({"amount": 10_637, "currency": "USD", "rate": "1.0837", "asOf": "2026-11-27"});
    assert_eq!(module.output(&to("USD")), converted);
    let asked = api.asked();
    assert_eq!((asked.len(), asked[0].target.as_str()), (1, "/latest?base=EUR&symbols=USD"));
    for (currency, error) in [
        ("GBP", "NoRate"),
        ("JPY", "Http.StatusCode.503"),
        ("CHF", "Http.TooLarge"),
        ("SEK", "Http.InvalidResponse"),
        ("KWD", "Http.Broken"),
    ] {
        module.denied_nothing(&to(currency), error);
    }
    Module::push(client, "closed", "exchange-rate").denied_nothing(&to("USD"), "Http.Unreachable");
    Module::push(client, "untrusted", "exchange-rate").denied_nothing(&to("USD"), "Http.TlsFailed");
    assert!(secure.asked().is_empty());

    // Both the module itself and its host say what is missing.
    let forbidden = Module::push(client, "forbidden", "exchange-rate");
    let port = api.address().port();
    let needs = format!(r#"{{ scheme = "http", host = "127.0.0.2", port = {port}, methods = ["GET"] }}"#);
    forbidden.denied(&to("USD"), "Http.Denied", &needs);
    let ended = client.run(forbidden.machine(), &to("USD"));
    assert!(ended["cause"].as_str().unwrap().contains("module.toml must ask for [[grants.http]]"), "{ended}");
    drop(server);
    assert!(!home.logged().contains(KEY), "a key is in the log");
}

#[test]
fn a_name_without_an_address_and_an_api_that_is_silent_have_errors_of_their_own() {
    let api = Outside::start(|_| Reply::Silence);
    let host = nowhere();
    let rule = |host: &str, port: u16| {
        format!("{{ scheme = \"http\", host = \"{host}\", port = {port}, methods = [\"GET\"] }}")
    };
    let silent = section("silent", &api.url("/latest"), &rule("127.0.0.1", api.address().port()));
    let policy = [
        section("nowhere", &format!("http://{host}/latest"), &rule(&host, 80)),
        silent.replace(" }\nsecrets", ", RATES_PATIENCE_MS = \"100\" }\nsecrets"),
    ];
    let home = home(&policy.concat())
        .with("--http-allow", api.url(""))
        .with("--http-allow", format!("http://{host}"));
    let server = home.start();
    let client = server.client();
    put_secret(client, "rates-key", &["nowhere", "silent"]);
    let conversion = json!({"amount": 1, "from": "EUR", "to": "USD"});
    Module::push(client, "nowhere", "exchange-rate").denied_nothing(&conversion, "Http.NameNotFound");
    Module::push(client, "silent", "exchange-rate").denied_nothing(&conversion, "Http.TimedOut");
    wait_for("the client to hang up", PATIENCE, || (api.gone() == 1).then_some(()));
}

#[test]
fn a_module_that_makes_no_requests_asks_for_none() {
    let home = home("");
    let server = home.start();
    for (component, makes_requests) in [("echo", false), ("exchange-rate", true)] {
        let answer = server.client().put_module(component, &guest(component)).unwrap();
        let imports = answer.body["imports"].to_string();
        assert!(imports.contains("stepwell:task/"), "{}", answer.body);
        assert_eq!(imports.contains("wasi:http/"), makes_requests, "{component}: {imports}");
    }
}
