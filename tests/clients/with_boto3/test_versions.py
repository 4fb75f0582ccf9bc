"""Versions and aliases of state machines, and what leads to them."""

import datetime

from boto import Boto3, create, ended, start, states
from shared import FAIL, INVALID_TOKEN, NO_RESOURCE, PASS, ROLE, WAIT, Wire, machine_arn

# AWS quotas.
VERSIONS_MAX = 1000
ALIASES_MAX = 100


def route(*versions):
    """Routes to versions with equal weights."""
    return [{"stateMachineVersionArn": version, "weight": 100 // len(versions)} for version in versions]


def publish(machine, **members):
    return states.publish_state_machine_version(stateMachineArn=machine, **members)["stateMachineVersionArn"]


def with_versions(name, count):
    """A machine with so many versions; gives its ARN and theirs."""
    machine = create(name, PASS)
    versions = []
    for number in range(count):
        definition = [WAIT, PASS][number % 2]
        updated = states.update_state_machine(stateMachineArn=machine, definition=definition, publish=True)
        versions.append(updated["stateMachineVersionArn"])
    return machine, versions


class Versions(Boto3):
    def test_life_of_versions(self):
        machine = create("versioned", PASS)
        updated = states.update_state_machine(
            stateMachineArn=machine, definition=WAIT, publish=True, versionDescription="waits",
        )
        first = updated["stateMachineVersionArn"]
        self.assertEqual(first, f"{machine}:1")
        states.update_state_machine(stateMachineArn=machine, definition=PASS)
        published = states.publish_state_machine_version(stateMachineArn=machine)
        second = published["stateMachineVersionArn"]
        self.assertEqual(second, f"{machine}:2")
        # Publishing a revision again gives its version.
        again = states.publish_state_machine_version(stateMachineArn=machine, description="another")
        self.assertEqual(
            (again["stateMachineVersionArn"], again["creationDate"]), (second, published["creationDate"])
        )
        listed = states.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]
        self.assertEqual([version["stateMachineVersionArn"] for version in listed], [second, first])
        shown = states.describe_state_machine(stateMachineArn=first)
        self.assertEqual(
            (shown["stateMachineArn"], shown["definition"], shown["description"]), (first, WAIT, "waits")
        )
        self.assertNotIn("description", states.describe_state_machine(stateMachineArn=second))
        revision = states.describe_state_machine(stateMachineArn=machine)["revisionId"]
        self.refused(
            "ConflictException",
            "Failed to publish the State Machine version for revision INITIAL. The current State Machine revision is "
            f"{revision}.",
            "publish_state_machine_version", stateMachineArn=machine, revisionId="INITIAL",
        )
        self.assertEqual(publish(machine, revisionId=revision), second)
        shown = ended(start(second))
        self.assertEqual((shown["stateMachineVersionArn"], shown["stateMachineArn"]), (second, machine))
        self.assertNotIn("stateMachineAliasArn", shown)
        # A number is not used again.
        states.delete_state_machine_version(stateMachineVersionArn=second)
        states.delete_state_machine_version(stateMachineVersionArn=second)
        self.assertEqual(publish(machine), f"{machine}:3")
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{second}'",
            "start_execution", stateMachineArn=second,
        )
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{second}'",
            "describe_state_machine", stateMachineArn=second,
        )
        states.delete_state_machine(stateMachineArn=machine)
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{first}'",
            "describe_state_machine", stateMachineArn=first,
        )

    def test_versions_in_pages(self):
        machine, versions = with_versions("many-versions", 5)
        listed, token = [], {}
        while token is not None:
            page = states.list_state_machine_versions(stateMachineArn=machine, maxResults=2, **token)
            self.assertLessEqual(len(page["stateMachineVersions"]), 2)
            listed += [version["stateMachineVersionArn"] for version in page["stateMachineVersions"]]
            token = {"nextToken": page["nextToken"]} if "nextToken" in page else None
        self.assertEqual(listed, versions[::-1])
        self.refused(
            "InvalidToken", INVALID_TOKEN, "list_state_machine_versions", stateMachineArn=machine, nextToken="forged",
        )

    def test_refusals(self):
        machine = create("version-refusals", PASS)
        self.invalid_arn("stateMachineArn", "publish_state_machine_version", "list_state_machine_versions")
        self.invalid_arn("stateMachineVersionArn", "delete_state_machine_version")
        missing = machine_arn("missing")
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'",
            "publish_state_machine_version", stateMachineArn=missing,
        )
        long = "x" * 257
        for operation, member in [
            ("publish_state_machine_version", "stateMachineArn"), ("list_state_machine_versions", "stateMachineArn"),
        ]:
            self.invalid(
                f"'{long}' at '{member}' failed to satisfy constraint: Member must have length less than or equal to "
                "256",
                operation, **{member: long},
            )
        long = "x" * 2001
        self.invalid(
            f"'{long}' at 'stateMachineVersionArn' failed to satisfy constraint: Member must have length less than or "
            "equal to 2000",
            "delete_state_machine_version", stateMachineVersionArn=long,
        )
        states.delete_state_machine_version(stateMachineVersionArn=f"{machine}:7")


class Aliases(Boto3):
    def test_life_of_an_alias(self):
        machine, (first, second) = with_versions("aliased", 2)
        created = states.create_state_machine_alias(
            name="live", description="what runs", routingConfiguration=route(second),
        )
        alias = created["stateMachineAliasArn"]
        self.assertEqual(alias, f"{machine}:live")
        shown = states.describe_state_machine_alias(stateMachineAliasArn=alias)
        del shown["ResponseMetadata"]
        self.assertEqual(shown, {
            "stateMachineAliasArn": alias, "name": "live", "description": "what runs",
            "routingConfiguration": route(second), "creationDate": created["creationDate"],
            "updateDate": created["creationDate"],
        })
        again = states.create_state_machine_alias(
            name="live", description="what runs", routingConfiguration=route(second),
        )
        self.assertEqual(again["creationDate"], created["creationDate"])
        self.refused(
            "ConflictException",
            "Failed to create alias because an alias with the same name and a different routing configuration already "
            "exists.",
            "create_state_machine_alias", name="live", routingConfiguration=route(first),
        )
        execution = ended(start(alias))
        self.assertEqual(
            (execution["stateMachineVersionArn"], execution["stateMachineAliasArn"]), (second, alias)
        )
        runs = states.list_executions(stateMachineArn=alias)["executions"]
        self.assertEqual([run["executionArn"] for run in runs], [execution["executionArn"]])
        self.assertEqual(
            (runs[0]["stateMachineVersionArn"], runs[0]["stateMachineAliasArn"]), (second, alias)
        )
        runs = states.list_executions(stateMachineArn=second)["executions"]
        self.assertEqual([run["executionArn"] for run in runs], [execution["executionArn"]])
        self.assertEqual(states.list_executions(stateMachineArn=first)["executions"], [])
        self.refused(
            "ConflictException",
            "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this "
            "version: [live]",
            "delete_state_machine_version", stateMachineVersionArn=second,
        )
        routes = [{"stateMachineVersionArn": first, "weight": 30}, {"stateMachineVersionArn": second, "weight": 70}]
        updated = states.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=routes)
        self.assertIsInstance(updated["updateDate"], datetime.datetime)
        shown = states.describe_state_machine_alias(stateMachineAliasArn=alias)
        self.assertEqual((shown["routingConfiguration"], shown["description"]), (routes, "what runs"))
        self.assertEqual(shown["updateDate"], updated["updateDate"])
        listed = states.list_state_machine_aliases(stateMachineArn=first)["stateMachineAliases"]
        self.assertEqual([found["stateMachineAliasArn"] for found in listed], [alias])
        states.delete_state_machine_alias(stateMachineAliasArn=alias)
        states.delete_state_machine_alias(stateMachineAliasArn=alias)
        self.refused(
            "ResourceNotFound", NO_RESOURCE, "describe_state_machine_alias", stateMachineAliasArn=alias,
        )
        states.delete_state_machine_version(stateMachineVersionArn=first)

    def test_both_versions_of_an_alias_get_starts(self):
        machine, (first, second) = with_versions("shared", 2)
        alias = states.create_state_machine_alias(name="both", routingConfiguration=route(first, second))
        starts = {
            states.describe_execution(executionArn=start(alias["stateMachineAliasArn"]))["stateMachineVersionArn"]
            for _ in range(40)
        }
        self.assertEqual(starts, {first, second})
        states.delete_state_machine(stateMachineArn=machine)

    def test_aliases_in_pages_and_their_quota(self):
        machine, (first, second) = with_versions("many-aliases", 2)
        names = [f"alias-{number:03}" for number in range(ALIASES_MAX)]
        for name in names:
            states.create_state_machine_alias(name=name, routingConfiguration=route(first))
        self.refused(
            "ServiceQuotaExceededException",
            "The state machine has 100 aliases, which is the maximum. Delete aliases that are not needed.",
            "create_state_machine_alias", name="one-more", routingConfiguration=route(first),
        )
        listed, token = [], {}
        while token is not None:
            page = states.list_state_machine_aliases(stateMachineArn=machine, maxResults=30, **token)
            listed += [alias["stateMachineAliasArn"] for alias in page["stateMachineAliases"]]
            token = {"nextToken": page["nextToken"]} if "nextToken" in page else None
        self.assertEqual(listed, [f"{machine}:{name}" for name in names])
        self.assertEqual(states.list_state_machine_aliases(stateMachineArn=second)["stateMachineAliases"], [])
        self.refused(
            "InvalidToken", INVALID_TOKEN, "list_state_machine_aliases", stateMachineArn=machine, nextToken="forged",
        )

    def test_routing(self):
        machine, (first, second) = with_versions("routed", 2)
        states.create_state_machine_alias(name="live", routingConfiguration=route(first))
        one = lambda version, weight: {"stateMachineVersionArn": version, "weight": weight}
        distinct = f"Routing configuration must contain distinct state machine version ARNs. Received: [{first}, {first}]"
        for routes, message in [
            ([one(first, 50), one(first, 50)], distinct),
            ([one(machine, 100)],
             f"Routing configuration must contain state machine version ARNs. Received: [{machine}]"),
            ([one(first, 70), one(second, 31)],
             "Sum of routing configuration weights must equal 100. Received: [70, 31]"),
            ([one(first, 99)], "Sum of routing configuration weights must equal 100. Received: [99]"),
        ]:
            for operation, members in [
                ("create_state_machine_alias", {"name": "routes"}),
                ("update_state_machine_alias", {"stateMachineAliasArn": f"{machine}:live"}),
            ]:
                error = self.refused(
                    "ValidationException", message, operation, routingConfiguration=routes, **members
                )
                self.assertEqual(error["reason"], "INVALID_ROUTING_CONFIGURATION")
        for operation, members in [
            ("create_state_machine_alias", {"name": "routes"}),
            ("update_state_machine_alias", {"stateMachineAliasArn": f"{machine}:live"}),
        ]:
            self.refused(
                "ResourceNotFound", NO_RESOURCE, operation, routingConfiguration=route(f"{machine}:9"), **members
            )
            self.refused(
                "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nowhere'",
                operation, routingConfiguration=route("nowhere"), **members,
            )

    def test_refusals(self):
        machine, (first,) = with_versions("alias-refusals", 1)
        pattern = r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$"
        for name in ["7", "a b", "a:b"]:
            self.invalid(
                f"'{name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: "
                f"{pattern}",
                "create_state_machine_alias", name=name, routingConfiguration=route(first),
            )
        self.refused(
            "ValidationException", "Either the description or the routingConfiguration must be specified",
            "update_state_machine_alias", stateMachineAliasArn=f"{machine}:live",
        )
        operations = ["describe_state_machine_alias", "delete_state_machine_alias"]
        self.invalid_arn("stateMachineAliasArn", *operations)
        self.invalid_arn("stateMachineAliasArn", "update_state_machine_alias", description="d")
        long = "x" * 257
        for operation in operations:
            self.invalid(
                f"'{long}' at 'stateMachineAliasArn' failed to satisfy constraint: Member must have length less than "
                "or equal to 256",
                operation, stateMachineAliasArn=long,
            )
        missing = machine_arn("missing:live")
        for operation, members in [("describe_state_machine_alias", {}), ("delete_state_machine_alias", {}),
                                   ("update_state_machine_alias", {"description": "d"})]:
            error = self.refused("ResourceNotFound", NO_RESOURCE, operation, stateMachineAliasArn=missing, **members)
            self.assertEqual(error["resourceName"], missing)
        self.invalid_arn("stateMachineArn", "list_state_machine_aliases")
        missing = machine_arn("missing")
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'",
            "list_state_machine_aliases", stateMachineArn=missing,
        )
        self.refused(
            "ResourceNotFound", NO_RESOURCE, "list_state_machine_aliases", stateMachineArn=f"{machine}:9",
        )
        self.refused("ResourceNotFound", NO_RESOURCE, "list_executions", stateMachineArn=f"{machine}:9")


class VersionQuota(Boto3):
    seconds = 10

    def test_a_machine_has_a_thousand_versions(self):
        machine = create("full", PASS)
        wire = Wire()
        definitions = [WAIT, FAIL]
        for number in range(VERSIONS_MAX):
            wire.call("UpdateStateMachine", stateMachineArn=machine, definition=definitions[number % 2], publish=True)
        message = "The state machine has 1000 versions, which is the maximum. Delete versions that are not needed."
        self.refused(
            "ServiceQuotaExceededException", message,
            "update_state_machine", stateMachineArn=machine, definition=PASS, publish=True,
        )
        # What was refused has changed nothing.
        self.assertEqual(states.describe_state_machine(stateMachineArn=machine)["definition"], FAIL)
        states.update_state_machine(stateMachineArn=machine, definition=PASS)
        self.refused(
            "ServiceQuotaExceededException", message, "publish_state_machine_version", stateMachineArn=machine,
        )
        states.delete_state_machine_version(stateMachineVersionArn=f"{machine}:1")
        self.assertEqual(publish(machine), f"{machine}:1001")
        wire.close()


class Deleting(Boto3):
    seconds = 8

    def test_what_is_refused_while_a_machine_is_being_deleted(self):
        """It takes a while to stop so many executions, and in that time the machine is still there."""
        machine, (version,) = with_versions("leaving", 1)
        states.update_state_machine(stateMachineArn=machine, definition=WAIT)
        alias = states.create_state_machine_alias(name="live", routingConfiguration=route(version))
        alias = alias["stateMachineAliasArn"]
        wires = [Wire() for _ in range(40)]
        for _ in range(20):
            for wire in wires:
                wire.send("AWSStepFunctions.StartExecution", f'{{"stateMachineArn": "{machine}"}}')
            for wire in wires:
                self.assertEqual(wire.answer()[0].status, 200)
        states.delete_state_machine(stateMachineArn=machine)
        self.assertEqual(states.describe_state_machine(stateMachineArn=machine)["status"], "DELETING")
        message = f"State Machine is being deleted: '{machine}'"
        for operation, members in [
            ("create_state_machine", {"name": "leaving", "definition": PASS, "roleArn": ROLE}),
            ("update_state_machine", {"stateMachineArn": machine, "roleArn": ROLE}),
            ("publish_state_machine_version", {"stateMachineArn": machine}),
            ("create_state_machine_alias", {"name": "new", "routingConfiguration": route(version)}),
            ("update_state_machine_alias", {"stateMachineAliasArn": alias, "description": "d"}),
            ("list_state_machine_aliases", {"stateMachineArn": machine}),
            ("start_execution", {"stateMachineArn": machine}),
            ("start_execution", {"stateMachineArn": alias}),
            ("start_sync_execution", {"stateMachineArn": machine}),
        ]:
            self.refused("StateMachineDeleting", message, operation, **members)
        self.assertEqual(states.describe_state_machine(stateMachineArn=machine)["status"], "DELETING")
        for wire in wires:
            wire.close()
