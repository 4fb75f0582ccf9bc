"""State machines: created, described, listed, updated, deleted and validated."""

import datetime

from boto import Boto3, create, ended, start, states
from shared import (
    FAIL, NO_STATES, NO_STATES_SAID, OTHER_ROLE, PASS, PREFIX, ROLE, WAIT, machine_arn, task, violated, wait_for,
)

LOG_GROUP = {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:g:*"}}
ONE_DESTINATION = "Invalid Logging Configuration: Must specify exactly one Log Destination."
CUSTOMER_KEY = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k"}
NO_CUSTOMER_KEYS = (
    "Invalid Encryption Configuration: Stepwell has no customer managed keys; use the type AWS_OWNED_KEY."
)


def gone(machine):
    return machine not in [found["stateMachineArn"] for page in
                           states.get_paginator("list_state_machines").paginate() for found in page["stateMachines"]]


class Life(Boto3):
    def test_life_of_a_machine(self):
        created = states.create_state_machine(name="life", definition=PASS, roleArn=ROLE)
        arn = created["stateMachineArn"]
        self.assertEqual(arn, f"{PREFIX}:stateMachine:life")
        age = datetime.datetime.now(datetime.timezone.utc) - created["creationDate"]
        self.assertLess(abs(age.total_seconds()), 60)
        shown = states.describe_state_machine(stateMachineArn=arn)
        del shown["ResponseMetadata"]
        self.assertEqual(shown, {
            "stateMachineArn": arn, "name": "life", "status": "ACTIVE", "definition": PASS, "roleArn": ROLE,
            "type": "STANDARD", "creationDate": created["creationDate"],
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
            "tracingConfiguration": {"enabled": False}, "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        })
        updated = states.update_state_machine(stateMachineArn=arn, definition=WAIT)
        self.assertGreaterEqual(updated["updateDate"], created["creationDate"])
        shown = states.describe_state_machine(stateMachineArn=arn)
        self.assertEqual((shown["definition"], shown["revisionId"]), (WAIT, updated["revisionId"]))
        hidden = states.describe_state_machine(stateMachineArn=arn, includedData="METADATA_ONLY")
        self.assertEqual((hidden["definition"], hidden["name"]), ("{}", "life"))
        states.delete_state_machine(stateMachineArn=arn)
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'",
            "describe_state_machine", stateMachineArn=arn,
        )
        # Deleting what is not there succeeds.
        states.delete_state_machine(stateMachineArn=arn)

    def test_creation_is_idempotent_by_all_but_role_and_tags(self):
        whole = {
            "name": "twice", "definition": PASS, "roleArn": ROLE, "type": "STANDARD", "publish": True,
            "versionDescription": "first", "tracingConfiguration": {"enabled": True},
            "loggingConfiguration": {"level": "ALL", "includeExecutionData": True, "destinations": [LOG_GROUP]},
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"}, "tags": [{"key": "k", "value": "v"}],
        }
        first = states.create_state_machine(**whole)
        self.assertEqual(first["stateMachineVersionArn"], f"{first['stateMachineArn']}:1")
        for same in [{}, {"roleArn": OTHER_ROLE}, {"tags": [{"key": "other", "value": ""}]}]:
            again = states.create_state_machine(**whole | same)
            self.assertEqual(
                (again["creationDate"], again["stateMachineVersionArn"]),
                (first["creationDate"], first["stateMachineVersionArn"]),
            )
        shown = states.describe_state_machine(stateMachineArn=first["stateMachineArn"])
        self.assertEqual(shown["roleArn"], ROLE)
        tags = states.list_tags_for_resource(resourceArn=first["stateMachineArn"])["tags"]
        self.assertEqual(tags, [{"key": "k", "value": "v"}])
        for other in [
            {"definition": FAIL},
            # The texts are compared, not what they mean.
            {"definition": PASS + " "},
            {"type": "EXPRESS"},
            {"tracingConfiguration": {"enabled": False}},
            {"loggingConfiguration": {"level": "OFF"}},
            {"versionDescription": "second"},
        ]:
            self.refused(
                "StateMachineAlreadyExists", f"State Machine Already Exists: '{first['stateMachineArn']}'",
                "create_state_machine", **whole | other,
            )
        without = {name: value for name, value in whole.items() if name not in ["publish", "versionDescription"]}
        self.refused(
            "StateMachineAlreadyExists", f"State Machine Already Exists: '{first['stateMachineArn']}'",
            "create_state_machine", **without,
        )

    def test_updates(self):
        arn = create("updates", PASS)
        self.refused(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be "
            "specified",
            "update_state_machine", stateMachineArn=arn,
        )
        first = states.update_state_machine(stateMachineArn=arn, roleArn=OTHER_ROLE)
        # What changes nothing keeps the revision.
        again = states.update_state_machine(stateMachineArn=arn, roleArn=OTHER_ROLE, definition=PASS)
        self.assertEqual((again["revisionId"], again["updateDate"]), (first["revisionId"], first["updateDate"]))
        logged = {"level": "ERROR", "includeExecutionData": False, "destinations": [LOG_GROUP]}
        second = states.update_state_machine(
            stateMachineArn=arn, loggingConfiguration=logged, tracingConfiguration={"enabled": True},
            encryptionConfiguration={"type": "AWS_OWNED_KEY"}, publish=True, versionDescription="logs",
        )
        self.assertNotEqual(second["revisionId"], first["revisionId"])
        self.assertEqual(second["stateMachineVersionArn"], f"{arn}:1")
        shown = states.describe_state_machine(stateMachineArn=arn)
        self.assertEqual(
            (shown["roleArn"], shown["loggingConfiguration"], shown["tracingConfiguration"], shown["definition"]),
            (OTHER_ROLE, logged, {"enabled": True}, PASS),
        )

    def test_running_executions_keep_their_definition(self):
        arn = create("keeps", WAIT)
        execution = start(arn)
        states.update_state_machine(stateMachineArn=arn, definition=PASS, roleArn=OTHER_ROLE)
        shown = states.describe_state_machine_for_execution(executionArn=execution)
        self.assertEqual((shown["definition"], shown["roleArn"]), (WAIT, ROLE))
        self.assertNotIn("revisionId", shown)
        states.stop_execution(executionArn=execution)

    def test_a_deleted_machine_stops_its_executions(self):
        arn = create("doomed", WAIT)
        execution = start(arn)
        states.delete_state_machine(stateMachineArn=arn)
        wait_for("the machine to be gone", lambda: gone(arn))
        shown = ended(execution)
        self.assertEqual((shown["status"], shown["stateMachineArn"]), ("ABORTED", arn))
        self.assertEqual(states.describe_state_machine_for_execution(executionArn=execution)["definition"], WAIT)

    def test_paginators_find_all(self):
        arns = {create(f"page-{number}", PASS) for number in range(5)}
        for size in [1, 2, 1000]:
            pages = states.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": size})
            found = [machine["stateMachineArn"] for page in pages for machine in page["stateMachines"]]
            self.assertEqual(len(found), len(set(found)))
            self.assertLessEqual(arns, set(found))
        listed = [
            machine for page in states.get_paginator("list_state_machines").paginate()
            for machine in page["stateMachines"] if machine["stateMachineArn"] in arns
        ]
        self.assertEqual({machine["name"] for machine in listed}, {f"page-{number}" for number in range(5)})
        self.assertEqual({machine["type"] for machine in listed}, {"STANDARD"})
        self.refused("InvalidToken", "Invalid Token: 'Invalid token'", "list_state_machines", nextToken="forged")


class Refusals(Boto3):
    def test_names(self):
        for name in ["a b", "a/b", "a:b", "a*b", "a<b>", "a\u0007b", "a\u00a0b", "\u009f", "a\U0010ffffb"]:
            for operation, members in [("create_state_machine", {"definition": PASS, "roleArn": ROLE}),
                                       ("create_activity", {})]:
                self.refused("InvalidName", f"Invalid Name: '{name}'", operation, name=name, **members)
        odd = create("Ünï-cödé_(x)+@='!.1", PASS)
        self.assertEqual(states.describe_state_machine(stateMachineArn=odd)["name"], "Ünï-cödé_(x)+@='!.1")

    def test_arns(self):
        self.invalid_arn("stateMachineArn", "describe_state_machine", "delete_state_machine")
        self.invalid_arn("stateMachineArn", "update_state_machine", definition=PASS)
        arn = create("arns", PASS)
        for members in [{"roleArn": "role"}, {"roleArn": "arn:aws:iam"}]:
            message = f"Invalid Role Arn: '{members['roleArn']}'"
            self.refused("InvalidArn", message, "create_state_machine", name="r", definition=PASS, **members)
            self.refused("InvalidArn", message, "update_state_machine", stateMachineArn=arn, **members)
        for operation, members in [("update_state_machine", {"roleArn": ROLE}), ("describe_state_machine", {})]:
            missing = machine_arn("missing")
            self.refused(
                "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'",
                operation, stateMachineArn=missing, **members,
            )
        # An ARN of another account or region is another machine.
        for other in [arn.replace("us-east-1", "us-east-2"), arn.replace("123456789012", "210987654321")]:
            self.refused(
                "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{other}'",
                "describe_state_machine", stateMachineArn=other,
            )

    def test_labeled_arns(self):
        message = "This operation does not support labeled state machine ARNs."
        for operation, members in [
            ("delete_state_machine", {}), ("update_state_machine", {"roleArn": ROLE}), ("start_execution", {}),
            ("list_executions", {}), ("publish_state_machine_version", {}), ("list_state_machine_versions", {}),
        ]:
            error = self.refused(
                "ValidationException", message, operation, stateMachineArn=machine_arn("m/label"), **members
            )
            self.assertEqual(error["reason"], "API_DOES_NOT_SUPPORT_LABELED_ARNS")

    def test_definitions(self):
        arn = create("definitions", PASS)
        for text, message in [
            (NO_STATES, NO_STATES_SAID),
            ('{"StartAt": "A", "States": {"A": {"Type": "Dance", "End": true}}}',
             "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The field 'Type' should have one of these "
             "values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] at /States/A/Type'"),
        ]:
            self.refused(
                "InvalidDefinition", message, "create_state_machine", name="bad", definition=text, roleArn=ROLE
            )
            self.refused("InvalidDefinition", message, "update_state_machine", stateMachineArn=arn, definition=text)
        self.assertEqual(states.describe_state_machine(stateMachineArn=arn)["definition"], PASS)

    def test_configurations(self):
        arn = create("configurations", PASS)
        new = {"name": "configured", "definition": PASS, "roleArn": ROLE}
        for configuration in [
            {"level": "ALL"},
            {"level": "ERROR", "destinations": []},
            {"level": "FATAL", "destinations": [LOG_GROUP, LOG_GROUP]},
        ]:
            members = {"loggingConfiguration": configuration}
            self.refused("InvalidLoggingConfiguration", ONE_DESTINATION, "create_state_machine", **new, **members)
            self.refused(
                "InvalidLoggingConfiguration", ONE_DESTINATION, "update_state_machine", stateMachineArn=arn, **members
            )
        members = {"encryptionConfiguration": CUSTOMER_KEY}
        code = "InvalidEncryptionConfiguration"
        self.refused(code, NO_CUSTOMER_KEYS, "create_state_machine", **new, **members)
        self.refused(code, NO_CUSTOMER_KEYS, "update_state_machine", stateMachineArn=arn, **members)
        self.refused(code, NO_CUSTOMER_KEYS, "create_activity", name="configured", **members)
        message = "Version description can only be set when publish is true"
        members = {"versionDescription": "no version"}
        self.refused("ValidationException", message, "create_state_machine", **new, **members)
        self.refused("ValidationException", message, "update_state_machine", stateMachineArn=arn, roleArn=ROLE, **members)

    def test_lengths(self):
        long = "x" * 81
        self.invalid(
            f"'{long}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80",
            "create_state_machine", name=long, definition=PASS, roleArn=ROLE,
        )
        longest = create("x" * 80, PASS)
        self.assertEqual(longest, machine_arn("x" * 80))
        self.refused(
            "ValidationException",
            violated(f"'{'x' * 257}' at 'stateMachineArn' failed to satisfy constraint: Member must have length less "
                     "than or equal to 256"),
            "delete_state_machine", stateMachineArn="x" * 257,
        )


class Validation(Boto3):
    def test_definitions_are_validated(self):
        for kind in ["STANDARD", "EXPRESS"]:
            valid = states.validate_state_machine_definition(definition=PASS, type=kind, severity="WARNING")
            self.assertEqual((valid["result"], valid["diagnostics"], valid["truncated"]), ("OK", [], False))
        bad = states.validate_state_machine_definition(definition=NO_STATES, maxResults=1)
        self.assertEqual((bad["result"], bad["truncated"]), ("FAIL", False))
        self.assertEqual(bad["diagnostics"], [{
            "severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "location": "/",
            "message": "These fields are required: [States]",
        }])
        cut = states.validate_state_machine_definition(definition='{"a": 1, "b": 2}', maxResults=1)
        self.assertEqual((len(cut["diagnostics"]), cut["truncated"]), (1, True))
        callback = task("arn:aws:states:::sqs:sendMessage.waitForTaskToken")
        express = states.validate_state_machine_definition(definition=callback, type="EXPRESS")
        self.assertEqual((express["result"], express["diagnostics"][0]["location"]), ("FAIL", "/States/T/Resource"))

    def test_refusals(self):
        self.invalid(
            "'101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100",
            "validate_state_machine_definition", definition=PASS, maxResults=101,
        )
        self.invalid(
            "'FATAL' at 'severity' failed to satisfy constraint: Member must satisfy enum value set: [ERROR, WARNING]",
            "validate_state_machine_definition", definition=PASS, severity="FATAL",
        )
