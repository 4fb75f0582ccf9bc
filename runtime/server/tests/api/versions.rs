//! Versions and aliases of state machines.

use serde_json::{Value, json};

use super::{PASS, PREFIX, ROLE, Server, WAIT};

/// Another definition for each number.
fn definition(number: u32) -> String {
    PASS.replace("\"a\": 1", &format!("\"a\": {number}"))
}

async fn publish(server: &Server, machine: &str, number: u32) -> String {
    let update = json!({"stateMachineArn": machine, "definition": definition(number), "publish": true});
    let updated = server.call("UpdateStateMachine", update).await;
    updated["stateMachineVersionArn"].as_str().unwrap().to_owned()
}

fn alias(name: &str, routes: &[(&str, u32)]) -> Value {
    let route = |(arn, weight): &(&str, u32)| json!({"stateMachineVersionArn": arn, "weight": weight});
    json!({"name": name, "routingConfiguration": routes.iter().map(route).collect::<Vec<_>>()})
}

/// The numbers of the listed versions.
fn versions(listed: &Value) -> Vec<String> {
    let number = |item: &Value| {
        item["stateMachineVersionArn"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    };
    listed["stateMachineVersions"].as_array().unwrap().iter().map(number).collect()
}

#[tokio::test]
async fn a_revision_is_published_once() {
    let server = Server::start().await;
    let machine = json!({
        "name": "m", "definition": PASS, "roleArn": ROLE, "publish": true, "versionDescription": "first",
    });
    let created = server.call("CreateStateMachine", machine.clone()).await;
    let arn = format!("{PREFIX}:stateMachine:m");
    assert_eq!(created["stateMachineVersionArn"], format!("{arn}:1"));
    assert_eq!(server.call("CreateStateMachine", machine.clone()).await, created, "the same request again");
    let mut other = machine;
    other["versionDescription"] = json!("second");
    let message = format!("State Machine Already Exists: '{arn}'");
    server.refused("CreateStateMachine", other, "StateMachineAlreadyExists", &message).await;
    let bare = json!({"name": "m", "definition": PASS, "roleArn": ROLE});
    server.refused("CreateStateMachine", bare, "StateMachineAlreadyExists", &message).await;
    let published = server.call("PublishStateMachineVersion", json!({"stateMachineArn": arn})).await;
    assert_eq!(published["stateMachineVersionArn"], format!("{arn}:1"), "there is one of this revision");

    let same = json!({"stateMachineArn": arn, "definition": PASS, "publish": true});
    let updated = server.call("UpdateStateMachine", same).await;
    assert_eq!(updated["stateMachineVersionArn"], format!("{arn}:1"), "nothing has changed");
    assert!(updated.get("revisionId").is_none(), "nothing has changed");
    assert_eq!(publish(&server, &arn, 2).await, format!("{arn}:2"));

    let shown = server.call("DescribeStateMachine", json!({"stateMachineArn": format!("{arn}:1")})).await;
    assert_eq!(
        (&shown["stateMachineArn"], &shown["definition"], &shown["description"], shown.get("revisionId")),
        (&json!(format!("{arn}:1")), &json!(PASS), &json!("first"), None)
    );
    let current = server.call("DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    let shown = server.call("DescribeStateMachine", json!({"stateMachineArn": format!("{arn}:2")})).await;
    assert_eq!((&shown["revisionId"], shown.get("description")), (&current["revisionId"], None));
    assert_eq!(shown["definition"], json!(definition(2)));
}

#[tokio::test]
async fn a_publication_can_be_bound_to_a_revision() {
    let server = Server::start().await;
    let arn = server.create("m", PASS).await;
    let request = |revision: &str| json!({"stateMachineArn": arn, "revisionId": revision});
    let published = server.call("PublishStateMachineVersion", request("INITIAL")).await;
    assert_eq!(published["stateMachineVersionArn"], format!("{arn}:1"));
    let update = json!({"stateMachineArn": arn, "definition": WAIT});
    let current = server.call("UpdateStateMachine", update).await["revisionId"].as_str().unwrap().to_owned();
    let message = |wanted: &str| {
        format!(
            "Failed to publish the State Machine version for revision {wanted}. The current State Machine revision is \
             {current}."
        )
    };
    for wanted in ["INITIAL", "other"] {
        server
            .refused("PublishStateMachineVersion", request(wanted), "ConflictException", &message(wanted))
            .await;
    }
    let published = server.call("PublishStateMachineVersion", request(&current)).await;
    assert_eq!(published["stateMachineVersionArn"], format!("{arn}:2"));
    let message = "Version description can only be set when publish is true";
    let update = json!({"stateMachineArn": arn, "definition": PASS, "versionDescription": "d"});
    server.refused("UpdateStateMachine", update, "ValidationException", message).await;
}

#[tokio::test]
async fn versions_are_listed_newest_first_and_their_numbers_are_not_used_again() {
    let server = Server::start().await;
    let arn = server.create("m", PASS).await;
    for number in 1..=5 {
        assert_eq!(publish(&server, &arn, number + 1).await, format!("{arn}:{number}"));
    }
    let page =
        server.call("ListStateMachineVersions", json!({"stateMachineArn": arn, "maxResults": 3})).await;
    assert_eq!(versions(&page), ["5", "4", "3"]);
    // A deletion between two pages moves nothing.
    server.call("DeleteStateMachineVersion", json!({"stateMachineVersionArn": format!("{arn}:4")})).await;
    let rest = json!({"stateMachineArn": arn, "maxResults": 3, "nextToken": page["nextToken"]});
    let page = server.call("ListStateMachineVersions", rest).await;
    assert_eq!((versions(&page).join(" "), page.get("nextToken")), ("2 1".to_owned(), None));
    server.call("DeleteStateMachineVersion", json!({"stateMachineVersionArn": format!("{arn}:5")})).await;
    server.call("DeleteStateMachineVersion", json!({"stateMachineVersionArn": format!("{arn}:5")})).await;
    let again = server.call("PublishStateMachineVersion", json!({"stateMachineArn": arn})).await;
    assert_eq!(again["stateMachineVersionArn"], format!("{arn}:6"));

    let missing = format!("{arn}:5");
    let message = format!("State Machine Does Not Exist: '{missing}'");
    for operation in ["DescribeStateMachine", "StartExecution"] {
        let request = json!({"stateMachineArn": missing});
        server.refused(operation, request, "StateMachineDoesNotExist", &message).await;
    }
    let message = format!("Invalid Arn: 'Invalid resource name: {arn}'");
    let request = json!({"stateMachineVersionArn": arn});
    server.refused("DeleteStateMachineVersion", request, "InvalidArn", &message).await;
    let foreign = json!({"stateMachineArn": arn, "nextToken": "other"});
    let message = "Invalid Token: 'Invalid token'";
    server.refused("ListStateMachineVersions", foreign, "InvalidToken", message).await;
}

#[tokio::test]
async fn a_version_runs_what_was_published() {
    let server = Server::start().await;
    let arn = server.create("m", PASS).await;
    let first = publish(&server, &arn, 2).await;
    server.call("UpdateStateMachine", json!({"stateMachineArn": arn, "definition": definition(3)})).await;
    let (old, new) = (server.run(&first).await, server.run(&arn).await);
    let shown = server.call("DescribeExecution", json!({"executionArn": old})).await;
    assert_eq!(
        (&shown["output"], &shown["stateMachineArn"], &shown["stateMachineVersionArn"]),
        (&json!(r#"{"a":2}"#), &json!(arn), &json!(first))
    );
    let shown = server.call("DescribeExecution", json!({"executionArn": new})).await;
    assert_eq!((&shown["output"], shown.get("stateMachineVersionArn")), (&json!(r#"{"a":3}"#), None));
    let shown = server.call("DescribeStateMachineForExecution", json!({"executionArn": old})).await;
    assert_eq!(
        (&shown["definition"], &shown["stateMachineArn"]),
        (&json!(definition(2)), &json!(arn)),
        "the machine of an execution is named without its version"
    );
    let listed = server.call("ListExecutions", json!({"stateMachineArn": first})).await;
    assert_eq!(listed["executions"].as_array().unwrap().len(), 1);
    assert_eq!(listed["executions"][0]["executionArn"], json!(old));
    assert_eq!(listed["executions"][0]["stateMachineVersionArn"], json!(first));
    let listed = server.call("ListExecutions", json!({"stateMachineArn": arn})).await;
    assert_eq!(listed["executions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_alias_leads_to_versions() {
    let server = Server::start().await;
    let arn = server.create("m", PASS).await;
    let (one, two) = (publish(&server, &arn, 2).await, publish(&server, &arn, 3).await);
    let created = server.call("CreateStateMachineAlias", alias("live", &[(&one, 100)])).await;
    let live = format!("{arn}:live");
    assert_eq!(created["stateMachineAliasArn"], json!(live));
    assert_eq!(server.call("CreateStateMachineAlias", alias("live", &[(&one, 100)])).await, created);
    let message = "Failed to create alias because an alias with the same name and a different routing configuration \
                   already exists.";
    let other = alias("live", &[(&one, 50), (&two, 50)]);
    server.refused("CreateStateMachineAlias", other, "ConflictException", message).await;

    let run = server.run(&live).await;
    let shown = server.call("DescribeExecution", json!({"executionArn": run})).await;
    assert_eq!(
        (&shown["stateMachineArn"], &shown["stateMachineVersionArn"], &shown["stateMachineAliasArn"]),
        (&json!(arn), &json!(one), &json!(live))
    );
    let listed = server.call("ListExecutions", json!({"stateMachineArn": live})).await;
    assert_eq!(listed["executions"][0]["stateMachineAliasArn"], json!(live));

    let message = "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this \
                   version: [live]";
    let delete = json!({"stateMachineVersionArn": one});
    server.refused("DeleteStateMachineVersion", delete.clone(), "ConflictException", message).await;
    let update = json!({"stateMachineAliasArn": live, "description": "now the second",
        "routingConfiguration": [{"stateMachineVersionArn": two, "weight": 100}]});
    server.call("UpdateStateMachineAlias", update).await;
    server.call("DeleteStateMachineVersion", delete).await;
    let shown = server.call("DescribeStateMachineAlias", json!({"stateMachineAliasArn": live})).await;
    assert_eq!(
        (&shown["name"], &shown["description"], &shown["routingConfiguration"]),
        (&json!("live"), &json!("now the second"), &json!([{"stateMachineVersionArn": two, "weight": 100}]))
    );
    let shown = server.call("DescribeExecution", json!({"executionArn": server.run(&live).await})).await;
    assert_eq!(shown["output"], json!(r#"{"a":3}"#));
    let message = "Either the description or the routingConfiguration must be specified";
    let nothing = json!({"stateMachineAliasArn": live});
    server.refused("UpdateStateMachineAlias", nothing, "ValidationException", message).await;
}

#[tokio::test]
async fn aliases_are_listed_by_name_and_go_with_their_machine() {
    let server = Server::start().await;
    let arn = server.create("m", PASS).await;
    let (one, two) = (publish(&server, &arn, 2).await, publish(&server, &arn, 3).await);
    for (name, version) in [("c", &one), ("a", &two), ("b", &one)] {
        server.call("CreateStateMachineAlias", alias(name, &[(version, 100)])).await;
    }
    let list = async |members: Value| {
        let listed = server.call("ListStateMachineAliases", members).await;
        let aliases = listed["stateMachineAliases"].as_array().unwrap().clone();
        let name = |item: &Value| {
            item["stateMachineAliasArn"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
        };
        (aliases.iter().map(name).collect::<Vec<_>>(), listed["nextToken"].clone())
    };
    let (names, next) = list(json!({"stateMachineArn": arn, "maxResults": 2})).await;
    assert_eq!(names, ["a", "b"]);
    assert_eq!(list(json!({"stateMachineArn": arn, "nextToken": next})).await.0, ["c"]);
    assert_eq!(list(json!({"stateMachineArn": one})).await.0, ["b", "c"]);
    server.call("DeleteStateMachineAlias", json!({"stateMachineAliasArn": format!("{arn}:b")})).await;
    server.call("DeleteStateMachineAlias", json!({"stateMachineAliasArn": format!("{arn}:b")})).await;
    assert_eq!(list(json!({"stateMachineArn": one})).await.0, ["c"]);

    server.call("DeleteStateMachine", json!({"stateMachineArn": arn})).await;
    assert_eq!(server.create("m", PASS).await, arn);
    assert!(
        list(json!({"stateMachineArn": arn})).await.0.is_empty(),
        "a new machine of the same name has none"
    );
    let listed = server.call("ListStateMachineVersions", json!({"stateMachineArn": arn})).await;
    assert!(versions(&listed).is_empty());
}

#[tokio::test]
async fn what_an_alias_must_not_be_is_refused() {
    let server = Server::start().await;
    let arn = server.create("m", PASS).await;
    let one = publish(&server, &arn, 2).await;
    let missing = "Request references a resource that does not exist.";
    let check = async |request: Value, code: &str, message: &str| {
        server.refused("CreateStateMachineAlias", request, code, message).await;
    };
    check(alias("a", &[(&format!("{arn}:9"), 100)]), "ResourceNotFound", missing).await;
    check(alias("a", &[(&format!("{arn}2:1"), 100)]), "ResourceNotFound", missing).await;
    check(alias("a", &[("nowhere", 100)]), "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nowhere'").await;
    check(
        alias("12", &[(&one, 100)]),
        "ValidationException",
        "1 validation error detected: Value '12' at 'name' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: ^(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+$",
    )
    .await;
    check(
        alias("a", &[]),
        "ValidationException",
        "1 validation error detected: Value at 'routingConfiguration' failed to satisfy constraint: Member must have \
         length greater than or equal to 1",
    )
    .await;
    check(
        json!({"name": "a"}),
        "ValidationException",
        "1 validation error detected: Value null at 'routingConfiguration' failed to satisfy constraint: Member must \
         not be null",
    )
    .await;
    let (_, body) = server
        .try_call("CreateStateMachineAlias", alias("a", &[(&one, 70), (&format!("{arn}:2"), 31)]))
        .await;
    assert_eq!(
        (&body["__type"], &body["reason"]),
        (&json!("ValidationException"), &json!("INVALID_ROUTING_CONFIGURATION"))
    );
    let none = json!({"stateMachineAliasArn": format!("{arn}:none")});
    let message = format!("Invalid Arn: 'Invalid resource name: {arn}'");
    for operation in ["DescribeStateMachineAlias", "UpdateStateMachineAlias"] {
        let mut request = none.clone();
        request["description"] = json!("d");
        server.refused(operation, request.clone(), "ResourceNotFound", missing).await;
        request["stateMachineAliasArn"] = json!(arn);
        server.refused(operation, request, "InvalidArn", &message).await;
    }
    let message = format!("State Machine Does Not Exist: '{arn}:none'");
    let start = json!({"stateMachineArn": format!("{arn}:none")});
    server.refused("StartExecution", start.clone(), "StateMachineDoesNotExist", &message).await;
    server.refused("ListExecutions", start.clone(), "ResourceNotFound", missing).await;
    server.refused("ListStateMachineAliases", start, "ResourceNotFound", missing).await;
    let message = format!("State Machine Does Not Exist: '{arn}x'");
    let start = json!({"stateMachineArn": format!("{arn}x")});
    for operation in ["PublishStateMachineVersion", "ListStateMachineVersions", "ListStateMachineAliases"] {
        server.refused(operation, start.clone(), "StateMachineDoesNotExist", &message).await;
    }
}

#[tokio::test]
async fn a_machine_has_at_most_so_many_versions_and_aliases() {
    let server = Server::start().await;
    let arn = server.create("m", PASS).await;
    let mut last = String::new();
    for number in 0..1_000 {
        last = publish(&server, &arn, number + 2).await;
    }
    assert_eq!(last, format!("{arn}:1000"));
    let one_more = json!({"stateMachineArn": arn, "definition": WAIT, "publish": true});
    let (status, body) = server.try_call("UpdateStateMachine", one_more).await;
    assert_eq!((status.as_u16(), &body["__type"]), (402, &json!("ServiceQuotaExceededException")));
    let shown = server.call("DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    assert_eq!(shown["definition"], json!(definition(1_001)), "nothing was changed");
    for number in 0..100 {
        server.call("CreateStateMachineAlias", alias(&format!("a{number}"), &[(&last, 100)])).await;
    }
    let (status, body) = server.try_call("CreateStateMachineAlias", alias("b", &[(&last, 100)])).await;
    assert_eq!((status.as_u16(), &body["__type"]), (402, &json!("ServiceQuotaExceededException")));
}

#[tokio::test]
async fn a_machine_is_described_by_the_label_of_a_map() {
    let server = Server::start().await;
    let map = |label: Value| {
        json!({"StartAt": "M", "States": {"M": {
            "Type": "Map", "End": true, "Label": label, "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}},
            },
        }}})
    };
    let machine = server.create("m", &map(json!("walk")).to_string()).await;
    let shown =
        server.call("DescribeStateMachine", json!({"stateMachineArn": format!("{machine}/walk")})).await;
    assert_eq!(
        (&shown["label"], &shown["stateMachineArn"]),
        (&json!("walk"), &json!(format!("{machine}/walk")))
    );
    let missing = format!("{machine}/run");
    let message = format!("State Machine Does Not Exist: '{missing}'");
    let request = json!({"stateMachineArn": missing});
    server.refused("DescribeStateMachine", request, "StateMachineDoesNotExist", &message).await;

    // A label that the author did not give is the one that the Map Run has.
    let mut definition = map(json!("none"));
    definition["States"]["M"].as_object_mut().unwrap().remove("Label");
    let machine = server.create("n", &definition.to_string()).await;
    let started = server.call("StartExecution", json!({"stateMachineArn": machine, "input": "[1]"})).await;
    let runs = server.call("ListMapRuns", json!({"executionArn": started["executionArn"]})).await;
    let labeled = &runs["mapRuns"][0]["stateMachineArn"];
    let shown = server.call("DescribeStateMachine", json!({"stateMachineArn": labeled})).await;
    assert_eq!((&shown["stateMachineArn"], &shown["name"]), (labeled, &json!("n")));
}
