"""What Terraform's AWS provider calls for its resources of Step Functions, in its order.

The provider itself is not in a registry that tests may use, so the calls are made here. A plan reads, and must find what
the apply before it has written; an apply of a plan that changes nothing makes no call that writes.
"""

import json

from boto import Boto3, states
from shared import OTHER_ROLE, PASS, ROLE, WAIT, wait_for

NEW_TAGS = [{"key": "Name", "value": "orders"}, {"key": "env", "value": "dev"}]


def tags(arn):
    return {tag["key"]: tag["value"] for tag in states.list_tags_for_resource(resourceArn=arn)["tags"]}


class StateMachine(Boto3):
    """`aws_sfn_state_machine`"""

    def apply(self, definition, **members):
        checked = states.validate_state_machine_definition(definition=definition, type="STANDARD", severity="ERROR")
        self.assertEqual((checked["result"], checked["diagnostics"]), ("OK", []))
        if "stateMachineArn" in members:
            return states.update_state_machine(definition=definition, **members)
        return states.create_state_machine(definition=definition, **members)

    def read(self, arn):
        """What the provider puts into the state file."""
        shown = states.describe_state_machine(stateMachineArn=arn)
        versions = states.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
        names = ["name", "definition", "roleArn", "type", "status", "creationDate", "loggingConfiguration",
                 "tracingConfiguration", "encryptionConfiguration", "revisionId"]
        attributes = {name: shown.get(name) for name in names}
        return attributes | {"tags": tags(arn), "version": versions[0]["stateMachineVersionArn"] if versions else None}

    def test_create_plan_update_and_delete(self):
        configuration = {
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
            "tracingConfiguration": {"enabled": False},
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        }
        created = self.apply(PASS, name="tf", roleArn=ROLE, type="STANDARD", publish=True, tags=NEW_TAGS, **configuration)
        arn = created["stateMachineArn"]
        first = self.read(arn)
        self.assertEqual(
            {name: first[name] for name in [*configuration, "status", "type", "name", "roleArn", "definition"]},
            {**configuration, "status": "ACTIVE", "type": "STANDARD", "name": "tf", "roleArn": ROLE, "definition": PASS},
        )
        self.assertEqual((first["tags"], first["version"]), ({"Name": "orders", "env": "dev"}, f"{arn}:1"))
        # A plan after an apply finds no difference, however often it is made.
        self.assertEqual(self.read(arn), first)
        self.assertEqual(self.read(arn), first)

        updated = self.apply(WAIT, stateMachineArn=arn, roleArn=OTHER_ROLE, publish=True, **configuration)
        # The provider waits until it reads what it has written.
        second = wait_for("the update", lambda: (
            lambda read: read if json.loads(read["definition"]) == json.loads(WAIT) else None
        )(self.read(arn)))
        self.assertEqual((second["revisionId"], second["roleArn"]), (updated["revisionId"], OTHER_ROLE))
        self.assertEqual(second["version"], updated["stateMachineVersionArn"])
        states.untag_resource(resourceArn=arn, tagKeys=["env"])
        states.tag_resource(resourceArn=arn, tags=[{"key": "Name", "value": "sales"}])
        third = self.read(arn)
        self.assertEqual(third, second | {"tags": {"Name": "sales"}})
        # Applying what is there already leaves the revision and the version.
        again = self.apply(WAIT, stateMachineArn=arn, roleArn=OTHER_ROLE, publish=True, **configuration)
        self.assertEqual(again["revisionId"], updated["revisionId"])
        self.assertEqual(self.read(arn), third)

        states.delete_state_machine(stateMachineArn=arn)
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'",
            "describe_state_machine", stateMachineArn=arn,
        )
        # A destroy that was interrupted is made again.
        states.delete_state_machine(stateMachineArn=arn)

    def test_a_destroy_waits_until_the_machine_is_gone(self):
        arn = self.apply(WAIT, name="tf-busy", roleArn=ROLE, type="STANDARD", tags=NEW_TAGS)["stateMachineArn"]
        for _ in range(3):
            states.start_execution(stateMachineArn=arn)
        states.delete_state_machine(stateMachineArn=arn)

        def is_gone():
            try:
                self.assertEqual(states.describe_state_machine(stateMachineArn=arn)["status"], "DELETING")
            except states.exceptions.StateMachineDoesNotExist:
                return True

        wait_for("the deletion", is_gone)

    def test_the_data_sources(self):
        arn = self.apply(PASS, name="tf-found", roleArn=ROLE, type="STANDARD", publish=True)["stateMachineArn"]
        pages = states.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2})
        found = [machine for page in pages for machine in page["stateMachines"] if machine["name"] == "tf-found"]
        self.assertEqual([machine["stateMachineArn"] for machine in found], [arn])
        states.update_state_machine(stateMachineArn=arn, definition=WAIT, publish=True)
        versions = states.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
        self.assertEqual([version["stateMachineVersionArn"] for version in versions], [f"{arn}:2", f"{arn}:1"])
        states.create_state_machine_alias(
            name="live", routingConfiguration=[{"stateMachineVersionArn": f"{arn}:2", "weight": 100}],
        )
        aliases = states.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
        self.assertEqual([alias["stateMachineAliasArn"] for alias in aliases], [f"{arn}:live"])
        activity = states.create_activity(name="tf-found")["activityArn"]
        pages = states.get_paginator("list_activities").paginate()
        found = [found for page in pages for found in page["activities"] if found["name"] == "tf-found"]
        self.assertEqual([found["activityArn"] for found in found], [activity])

    def test_a_definition_that_is_not_valid_fails_the_plan(self):
        checked = states.validate_state_machine_definition(definition='{"StartAt": "A"}', type="STANDARD", severity="ERROR")
        self.assertEqual(checked["result"], "FAIL")
        (found,) = checked["diagnostics"]
        self.assertEqual((found["severity"], found["code"]), ("ERROR", "SCHEMA_VALIDATION_FAILED"))


class Activity(Boto3):
    """`aws_sfn_activity`"""

    def test_create_plan_update_and_delete(self):
        created = states.create_activity(
            name="tf", tags=NEW_TAGS, encryptionConfiguration={"type": "AWS_OWNED_KEY"},
        )
        arn = created["activityArn"]
        read = lambda: (states.describe_activity(activityArn=arn)["encryptionConfiguration"], tags(arn))
        self.assertEqual(read(), ({"type": "AWS_OWNED_KEY"}, {"Name": "orders", "env": "dev"}))
        self.assertEqual(read(), read())
        states.tag_resource(resourceArn=arn, tags=[{"key": "env", "value": "prod"}])
        self.assertEqual(tags(arn), {"Name": "orders", "env": "prod"})
        states.delete_activity(activityArn=arn)
        self.refused(
            "ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'", "describe_activity", activityArn=arn,
        )


class Alias(Boto3):
    """`aws_sfn_alias`"""

    def test_create_plan_update_and_delete(self):
        created = states.create_state_machine(name="tf-aliased", definition=PASS, roleArn=ROLE, publish=True)
        machine, first = created["stateMachineArn"], created["stateMachineVersionArn"]
        route = lambda *weights: [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in weights]
        arn = states.create_state_machine_alias(
            name="live", description="from code", routingConfiguration=route((first, 100)),
        )["stateMachineAliasArn"]

        def read():
            shown = states.describe_state_machine_alias(stateMachineAliasArn=arn)
            return shown["name"], shown["description"], shown["routingConfiguration"], shown["creationDate"]

        before = read()
        self.assertEqual(before[:3], ("live", "from code", route((first, 100))))
        self.assertEqual(read(), before)
        second = states.update_state_machine(stateMachineArn=machine, definition=WAIT, publish=True)
        routes = route((first, 10), (second["stateMachineVersionArn"], 90))
        states.update_state_machine_alias(
            stateMachineAliasArn=arn, description="from code", routingConfiguration=routes,
        )
        self.assertEqual(read(), ("live", "from code", routes, before[3]))
        states.delete_state_machine_alias(stateMachineAliasArn=arn)
        self.refused(
            "ResourceNotFound", "Request references a resource that does not exist.",
            "describe_state_machine_alias", stateMachineAliasArn=arn,
        )
        states.delete_state_machine(stateMachineArn=machine)
