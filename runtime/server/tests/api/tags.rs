//! Tags of state machines and activities.

use serde_json::{Value, json};

use super::{PASS, PREFIX, ROLE, Server};

fn tags(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

#[tokio::test]
async fn machines_and_activities_have_tags() {
    let server = Server::start().await;
    let machine =
        json!({"name": "m", "definition": PASS, "roleArn": ROLE, "tags": tags(&[("b", "1"), ("a", "2")])});
    let machine = server.call("CreateStateMachine", machine).await["stateMachineArn"].clone();
    let activity = json!({"name": "a", "tags": tags(&[("b", "1"), ("a", "2")])});
    let activity = server.call("CreateActivity", activity).await["activityArn"].clone();
    for arn in [machine, activity] {
        let list =
            async || server.call("ListTagsForResource", json!({"resourceArn": arn})).await["tags"].clone();
        assert_eq!(list().await, tags(&[("b", "1"), ("a", "2")]));
        let added = json!({"resourceArn": arn, "tags": tags(&[("c", ""), ("b", "3")])});
        assert_eq!(server.call("TagResource", added).await, json!({}));
        assert_eq!(list().await, tags(&[("b", "3"), ("a", "2"), ("c", "")]));
        let removed = json!({"resourceArn": arn, "tagKeys": ["a", "none"]});
        assert_eq!(server.call("UntagResource", removed).await, json!({}));
        server.call("UntagResource", json!({"resourceArn": arn, "tagKeys": []})).await;
        assert_eq!(list().await, tags(&[("b", "3"), ("c", "")]));

        let many: Vec<_> = (0..49).map(|number| json!({"key": format!("k{number}"), "value": ""})).collect();
        let (status, body) = server.try_call("TagResource", json!({"resourceArn": arn, "tags": many})).await;
        assert_eq!(
            (status.as_u16(), &body["__type"], &body["resourceName"]),
            (400, &json!("TooManyTags"), &arn)
        );
        assert_eq!(list().await, tags(&[("b", "3"), ("c", "")]), "nothing was changed");
    }
}

#[tokio::test]
async fn what_has_no_tags_is_refused() {
    let server = Server::start().await;
    let machine = server.create("m", PASS).await;
    server.call("PublishStateMachineVersion", json!({"stateMachineArn": machine})).await;
    let missing =
        [format!("{PREFIX}:stateMachine:none"), format!("{PREFIX}:activity:none"), format!("{machine}:1")];
    let request = |arn: &str| json!({"resourceArn": arn, "tags": tags(&[("k", "v")]), "tagKeys": ["k"]});
    let check = async |arn: &str, code: &str, message: &str| {
        for operation in ["TagResource", "UntagResource", "ListTagsForResource"] {
            server.refused(operation, request(arn), code, message).await;
        }
    };
    for arn in missing {
        check(&arn, "ResourceNotFound", &format!("Resource not found: '{arn}'")).await;
    }
    let execution = format!("{PREFIX}:execution:m:e");
    let message = "Invalid Arn: 'Resource type not valid in this context: execution'";
    check(&execution, "InvalidArn", message).await;
    check("nowhere", "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nowhere'").await;
    let null = |member: &str| {
        format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not \
                 be null"
        )
    };
    let bare = json!({"resourceArn": machine});
    server.refused("TagResource", bare.clone(), "ValidationException", &null("tags")).await;
    server.refused("UntagResource", bare, "ValidationException", &null("tagKeys")).await;
    let empty = json!({"resourceArn": machine, "tagKeys": ["a", ""]});
    let message = "1 validation error detected: Value '' at 'tagKeys.2.member' failed to satisfy constraint: Member \
                   must have length greater than or equal to 1";
    server.refused("UntagResource", empty, "ValidationException", message).await;
}
