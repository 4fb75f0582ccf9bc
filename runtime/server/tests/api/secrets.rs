//! Secrets of modules, through the router: what goes in, and that no value comes out.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::Server;

const VALUE: &str = "hunter2-hunter2";

impl Server {
    async fn ask_secrets(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let answer = self.send(request.body(Body::from(body)).unwrap()).await;
        assert!(!answer.1.to_string().contains(VALUE), "{answer:?}");
        answer
    }
}

#[tokio::test]
async fn a_secret_is_put_listed_changed_and_removed() {
    let server = Server::start().await;
    let new = json!({"value": VALUE, "modules": ["refund", "charge"]});
    let (status, secret) = server.ask_secrets("PUT", "/secrets/payment-key", &new).await;
    assert_eq!((status.as_u16(), &secret["modules"]), (200, &json!(["charge", "refund"])));
    // Another value, for the same modules.
    let (_, changed) = server.ask_secrets("PUT", "/secrets/payment-key", &json!({"value": "other"})).await;
    assert_eq!((&changed["modules"], &changed["createdAt"]), (&secret["modules"], &secret["createdAt"]));
    let (_, list) = server.ask_secrets("GET", "/secrets", &Value::Null).await;
    assert_eq!(list["secrets"], json!([changed]));
    let (status, _) = server.ask_secrets("DELETE", "/secrets/payment-key", &Value::Null).await;
    assert_eq!(status, 200);
    let (status, problem) = server.ask_secrets("DELETE", "/secrets/payment-key", &Value::Null).await;
    assert_eq!((status.as_u16(), &problem["error"]), (404, &json!("SecretNotFound")));
}

#[tokio::test]
async fn what_is_no_secret_is_refused() {
    let server = Server::start().await;
    for (name, body) in [
        ("payment-key", json!({"value": VALUE})),
        ("payment-key", json!({"value": VALUE, "modules": ["a b"]})),
        ("payment-key", json!({"value": "", "modules": ["charge"]})),
        ("payment-key", json!({"value": VALUE, "module": "charge"})),
        ("payment%20key", json!({"value": VALUE, "modules": ["charge"]})),
    ] {
        let (status, problem) = server.ask_secrets("PUT", &format!("/secrets/{name}"), &body).await;
        assert_eq!((status.as_u16(), &problem["error"]), (400, &json!("InvalidSecret")), "{name} {body}");
    }
    let (status, _) = server.ask_secrets("GET", "/secrets?from=x", &Value::Null).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn secrets_are_asked_for_with_a_signature_while_there_are_keys() {
    let server = Server::start().await;
    let (_, key) =
        server.send(Request::post("/keys").header("host", "localhost").body(Body::empty()).unwrap()).await;
    assert!(key["id"].is_string());
    let (status, _) = server.ask_secrets("GET", "/secrets", &Value::Null).await;
    assert_eq!(status, 403, "while there are keys, secrets are asked for with a signature");
}
