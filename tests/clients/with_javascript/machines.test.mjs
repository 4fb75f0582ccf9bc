// State machines, versions, aliases, tags and definitions through the AWS SDK for JavaScript.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { FAIL, PASS, PREFIX, ROLE, WAIT, call, client, create, pages, refused, sfn } from "./shared.mjs";

const INVALID_TOKEN = "Invalid Token: 'Invalid token'";
const NO_RESOURCE = "Request references a resource that does not exist.";

suite("state machines", { concurrency: true }, () => {
  test("are created, described, updated and deleted", async () => {
    const created = await call("CreateStateMachine", { name: "js", definition: PASS, roleArn: ROLE });
    const { stateMachineArn } = created;
    assert.equal(stateMachineArn, `${PREFIX}:stateMachine:js`);
    assert.ok(created.creationDate instanceof Date);
    assert.ok(Math.abs(Date.now() - created.creationDate) < 60_000);
    let shown = await call("DescribeStateMachine", { stateMachineArn });
    assert.deepEqual([shown.definition, shown.status, shown.type, shown.name], [PASS, "ACTIVE", "STANDARD", "js"]);
    assert.deepEqual(shown.encryptionConfiguration, { type: "AWS_OWNED_KEY" });
    const updated = await call("UpdateStateMachine", { stateMachineArn, definition: WAIT });
    assert.ok(updated.updateDate >= created.creationDate);
    shown = await call("DescribeStateMachine", { stateMachineArn, includedData: "METADATA_ONLY" });
    assert.deepEqual([shown.definition, shown.revisionId], ["{}", updated.revisionId]);
    await refused("StateMachineAlreadyExists", `State Machine Already Exists: '${stateMachineArn}'`,
      "CreateStateMachine", { name: "js", definition: FAIL, roleArn: ROLE });
    await call("DeleteStateMachine", { stateMachineArn });
    await refused("StateMachineDoesNotExist", `State Machine Does Not Exist: '${stateMachineArn}'`,
      "DescribeStateMachine", { stateMachineArn });
  });

  test("are listed in pages", async () => {
    const made = await Promise.all([1, 2, 3, 4, 5].map((n) => create(`js-page-${n}`, PASS)));
    const { items, sizes } = await pages(sfn.paginateListStateMachines({ client, pageSize: 2 }, {}), "stateMachines");
    const arns = items.map((item) => item.stateMachineArn);
    assert.equal(new Set(arns).size, arns.length);
    assert.ok(made.every((arn) => arns.includes(arn)));
    assert.ok(sizes.every((size) => size <= 2));
    await refused("InvalidToken", INVALID_TOKEN, "ListStateMachines", { nextToken: "forged" });
  });

  test("are refused", async () => {
    const machine = { name: "js-refused", definition: PASS, roleArn: ROLE };
    await refused("InvalidName", "Invalid Name: 'a b'", "CreateStateMachine", { ...machine, name: "a b" });
    await refused("InvalidDefinition",
      "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'",
      "CreateStateMachine", { ...machine, definition: '{"StartAt": "A"}' });
    await refused("InvalidArn", "Invalid Role Arn: 'role'", "CreateStateMachine", { ...machine, roleArn: "role" });
    await refused("InvalidLoggingConfiguration",
      "Invalid Logging Configuration: Must specify exactly one Log Destination.",
      "CreateStateMachine", { ...machine, loggingConfiguration: { level: "ALL" } });
    await refused("InvalidEncryptionConfiguration",
      "Invalid Encryption Configuration: Stepwell has no customer managed keys; use the type AWS_OWNED_KEY.",
      "CreateStateMachine", { ...machine, encryptionConfiguration: { type: "CUSTOMER_MANAGED_KMS_KEY", kmsKeyId: "k" } });
    const tags = Array.from({ length: 51 }, (_, n) => ({ key: `k${n}`, value: "" }));
    await refused("TooManyTags", "A resource has at most 50 tags.", "CreateStateMachine", { ...machine, tags });
    const stateMachineArn = await create("js-refusals", PASS);
    await refused("MissingRequiredParameter",
      "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
      "UpdateStateMachine", { stateMachineArn });
    const error = await refused("ValidationException", "This operation does not support labeled state machine ARNs.",
      "StartExecution", { stateMachineArn: `${stateMachineArn}/label` });
    assert.equal(error.reason, "API_DOES_NOT_SUPPORT_LABELED_ARNS");
    await refused("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nowhere'",
      "DescribeStateMachine", { stateMachineArn: "nowhere" });
  });

  test("have versions and aliases", async () => {
    const stateMachineArn = await create("js-versions", PASS);
    const { stateMachineVersionArn: version } = await call("PublishStateMachineVersion", { stateMachineArn });
    assert.equal(version, `${stateMachineArn}:1`);
    await refused("ConflictException",
      "Failed to publish the State Machine version for revision R. The current State Machine revision is INITIAL.",
      "PublishStateMachineVersion", { stateMachineArn, revisionId: "R" });
    const routingConfiguration = [{ stateMachineVersionArn: version, weight: 100 }];
    const { stateMachineAliasArn } = await call("CreateStateMachineAlias", { name: "live", routingConfiguration });
    await call("UpdateStateMachineAlias", { stateMachineAliasArn, description: "what runs" });
    const shown = await call("DescribeStateMachineAlias", { stateMachineAliasArn });
    assert.deepEqual([shown.description, shown.routingConfiguration], ["what runs", routingConfiguration]);
    assert.ok(shown.updateDate instanceof Date);
    const versions = await call("ListStateMachineVersions", { stateMachineArn });
    assert.deepEqual(versions.stateMachineVersions.map((found) => found.stateMachineVersionArn), [version]);
    const aliases = await call("ListStateMachineAliases", { stateMachineArn });
    assert.deepEqual(aliases.stateMachineAliases.map((found) => found.stateMachineAliasArn), [stateMachineAliasArn]);
    await refused("ConflictException",
      "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: "
        + "[live]",
      "DeleteStateMachineVersion", { stateMachineVersionArn: version });
    const error = await refused("ValidationException",
      "Sum of routing configuration weights must equal 100. Received: [99]", "CreateStateMachineAlias",
      { name: "other", routingConfiguration: [{ stateMachineVersionArn: version, weight: 99 }] });
    assert.equal(error.reason, "INVALID_ROUTING_CONFIGURATION");
    await call("DeleteStateMachineAlias", { stateMachineAliasArn });
    await refused("ResourceNotFound", NO_RESOURCE, "DescribeStateMachineAlias", { stateMachineAliasArn });
    await call("DeleteStateMachineVersion", { stateMachineVersionArn: version });
  });

  test("have tags", async () => {
    const resourceArn = await create("js-tags", PASS, { tags: [{ key: "a", value: "1" }] });
    await call("TagResource", { resourceArn, tags: [{ key: "b", value: "2" }] });
    await call("UntagResource", { resourceArn, tagKeys: ["a"] });
    assert.deepEqual((await call("ListTagsForResource", { resourceArn })).tags, [{ key: "b", value: "2" }]);
    const error = await refused("ResourceNotFound", `Resource not found: '${resourceArn}:1'`,
      "ListTagsForResource", { resourceArn: `${resourceArn}:1` });
    assert.equal(error.resourceName, `${resourceArn}:1`);
  });

  test("are validated", async () => {
    const valid = await call("ValidateStateMachineDefinition", { definition: PASS });
    assert.deepEqual([valid.result, valid.diagnostics, valid.truncated], ["OK", [], false]);
    const bad = await call("ValidateStateMachineDefinition", { definition: "{}" });
    assert.deepEqual([bad.result, bad.diagnostics[0].code], ["FAIL", "SCHEMA_VALIDATION_FAILED"]);
    await refused("ValidationException",
      "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: Member must have value "
        + "less than or equal to 100",
      "ValidateStateMachineDefinition", { definition: PASS, maxResults: 101 });
  });
});
