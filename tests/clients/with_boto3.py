"""Every operation through boto3, which checks each answer against the service model."""

import datetime
import json
import unittest

import boto3
import botocore.config
import botocore.exceptions

from shared import CHAIN, ENDPOINT, FAIL, PASS, PREFIX, ROLE, WAIT, task, wait_for

states = boto3.client(
    "stepfunctions",
    endpoint_url=ENDPOINT,
    # A refusal is what is looked at here, so it is not tried again.
    # No host name can be put before an address.
    config=botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=70, inject_host_prefix=False),
)


def create(name, definition):
    return states.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]


def start(machine, **members):
    return states.start_execution(stateMachineArn=machine, **members)["executionArn"]


def ended(execution):
    def look():
        shown = states.describe_execution(executionArn=execution)
        return shown if shown["status"] != "RUNNING" else None

    return wait_for(f"the end of {execution}", look)


def types(execution, **members):
    events = states.get_execution_history(executionArn=execution, **members)["events"]
    return [event["type"] for event in events]


class Boto3(unittest.TestCase):
    maxDiff = None

    def refused(self, code, message, operation, **members):
        """Holds the typed exception of the SDK against what is expected."""
        with self.assertRaises(getattr(states.exceptions, code)) as caught:
            getattr(states, operation)(**members)
        error = caught.exception.response
        self.assertEqual((error["Error"]["Code"], error["Error"]["Message"]), (code, message))
        self.assertEqual(error["ResponseMetadata"]["HTTPStatusCode"], 400)
        self.assertTrue(error["ResponseMetadata"]["RequestId"])


class Machines(Boto3):
    def test_life_of_a_machine(self):
        created = states.create_state_machine(name="life", definition=PASS, roleArn=ROLE)
        arn = created["stateMachineArn"]
        self.assertEqual(arn, f"{PREFIX}:stateMachine:life")
        age = datetime.datetime.now(datetime.timezone.utc) - created["creationDate"]
        self.assertLess(abs(age.total_seconds()), 60)
        again = states.create_state_machine(name="life", definition=PASS, roleArn=ROLE)
        self.assertEqual(again["creationDate"], created["creationDate"])
        shown = states.describe_state_machine(stateMachineArn=arn)
        self.assertEqual((shown["definition"], shown["status"], shown["type"]), (PASS, "ACTIVE", "STANDARD"))
        self.assertEqual((shown["name"], shown["roleArn"]), ("life", ROLE))
        updated = states.update_state_machine(stateMachineArn=arn, definition=WAIT)
        shown = states.describe_state_machine(stateMachineArn=arn)
        self.assertEqual((shown["definition"], shown["revisionId"]), (WAIT, updated["revisionId"]))
        self.refused(
            "StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'",
            "create_state_machine", name="life", definition=PASS, roleArn=ROLE,
        )
        states.delete_state_machine(stateMachineArn=arn)
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'",
            "describe_state_machine", stateMachineArn=arn,
        )

    def test_a_deleted_machine_stops_its_executions(self):
        machine = create("doomed", WAIT)
        execution = start(machine)
        states.delete_state_machine(stateMachineArn=machine)
        wait_for("the machine to be gone", lambda: machine not in [
            found["stateMachineArn"] for found in states.list_state_machines()["stateMachines"]
        ])
        self.assertEqual(ended(execution)["status"], "ABORTED")

    def test_paginators_find_all(self):
        names = [f"page-{number}" for number in range(5)]
        arns = {create(name, PASS) for name in names}
        pages = states.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2})
        found = [machine["stateMachineArn"] for page in pages for machine in page["stateMachines"]]
        self.assertEqual(len(found), len(set(found)))
        self.assertLessEqual(arns, set(found))

    def test_definitions_are_validated(self):
        for kind in ["STANDARD", "EXPRESS"]:
            valid = states.validate_state_machine_definition(definition=PASS, type=kind, severity="WARNING")
            self.assertEqual((valid["result"], valid["diagnostics"], valid["truncated"]), ("OK", [], False))
        bad = states.validate_state_machine_definition(definition='{"StartAt": "A"}', maxResults=1)
        self.assertEqual((bad["result"], bad["truncated"]), ("FAIL", False))
        self.assertEqual(bad["diagnostics"], [{
            "severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "location": "/",
            "message": "These fields are required: [States]",
        }])

    def test_states_are_tested(self):
        state = json.dumps({"Type": "Pass", "Parameters": {"b.$": "$.a"}, "Next": "There"})
        tested = states.test_state(definition=state, input='{"a": 1}', inspectionLevel="DEBUG")
        self.assertEqual((tested["status"], tested["nextState"]), ("SUCCEEDED", "There"))
        self.assertEqual(json.loads(tested["output"]), {"b": 1})
        self.assertEqual(json.loads(tested["inspectionData"]["afterParameters"]), {"b": 1})
        work = {
            "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True,
            "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 2}],
        }
        mock = {"result": '{"MessageId": "m"}', "fieldValidationMode": "STRICT"}
        tested = states.test_state(definition=json.dumps(work), mock=mock)
        self.assertEqual((tested["status"], tested["output"]), ("SUCCEEDED", '{"MessageId": "m"}'))
        tested = states.test_state(
            definition=json.dumps(work), mock={"errorOutput": {"error": "E", "cause": "C"}},
            inspectionLevel="TRACE", stateConfiguration={"retrierRetryCount": 1},
        )
        self.assertEqual((tested["status"], tested["error"], tested["cause"]), ("RETRIABLE", "E", "C"))
        self.assertEqual(
            tested["inspectionData"]["errorDetails"], {"retryIndex": 0, "retryBackoffIntervalSeconds": 2}
        )
        tested = states.test_state(definition=PASS, stateName="A")
        self.assertEqual((tested["status"], json.loads(tested["output"])), ("SUCCEEDED", {"a": 1}))
        self.refused(
            "ValidationException", "RoleArn must be specified when testing a Task state",
            "test_state", definition=json.dumps(work),
        )

    def test_refusals(self):
        self.refused(
            "InvalidName", "Invalid Name: 'a b'",
            "create_state_machine", name="a b", definition=PASS, roleArn=ROLE,
        )
        self.refused(
            "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nowhere'",
            "describe_state_machine", stateMachineArn="nowhere",
        )
        self.refused(
            "InvalidDefinition",
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'",
            "create_state_machine", name="bad", definition='{"StartAt": "A"}', roleArn=ROLE,
        )
        machine = create("refusals", PASS)
        self.refused(
            "InvalidDefinition",
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'",
            "update_state_machine", stateMachineArn=machine, definition='{"StartAt": "A"}',
        )
        missing = f"{PREFIX}:stateMachine:missing"
        for operation in ["start_execution", "list_executions", "describe_state_machine"]:
            self.refused(
                "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'",
                operation, stateMachineArn=missing,
            )


class Versions(Boto3):
    def test_life_of_versions_and_aliases(self):
        machine = create("versioned", PASS)
        updated = states.update_state_machine(
            stateMachineArn=machine, definition=WAIT, publish=True, versionDescription="waits",
        )
        first = updated["stateMachineVersionArn"]
        self.assertEqual(first, f"{machine}:1")
        states.update_state_machine(stateMachineArn=machine, definition=PASS)
        second = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
        listed = states.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]
        self.assertEqual([version["stateMachineVersionArn"] for version in listed], [second, first])
        shown = states.describe_state_machine(stateMachineArn=first)
        self.assertEqual((shown["definition"], shown["description"]), (WAIT, "waits"))
        self.refused(
            "ConflictException",
            "Failed to publish the State Machine version for revision INITIAL. The current State Machine revision is "
            f"{states.describe_state_machine(stateMachineArn=machine)['revisionId']}.",
            "publish_state_machine_version", stateMachineArn=machine, revisionId="INITIAL",
        )

        routes = [{"stateMachineVersionArn": second, "weight": 100}]
        alias = states.create_state_machine_alias(name="live", routingConfiguration=routes)["stateMachineAliasArn"]
        shown = ended(start(alias))
        self.assertEqual((shown["stateMachineVersionArn"], shown["stateMachineAliasArn"]), (second, alias))
        runs = states.list_executions(stateMachineArn=alias)["executions"]
        self.assertEqual([run["executionArn"] for run in runs], [shown["executionArn"]])
        self.refused(
            "ConflictException",
            "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this "
            "version: [live]",
            "delete_state_machine_version", stateMachineVersionArn=second,
        )
        routes = [{"stateMachineVersionArn": first, "weight": 30}, {"stateMachineVersionArn": second, "weight": 70}]
        states.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=routes)
        shown = states.describe_state_machine_alias(stateMachineAliasArn=alias)
        self.assertEqual(shown["routingConfiguration"], routes)
        listed = states.list_state_machine_aliases(stateMachineArn=first)["stateMachineAliases"]
        self.assertEqual([found["stateMachineAliasArn"] for found in listed], [alias])
        states.delete_state_machine_alias(stateMachineAliasArn=alias)
        self.refused(
            "ResourceNotFound", "Request references a resource that does not exist.",
            "describe_state_machine_alias", stateMachineAliasArn=alias,
        )
        states.delete_state_machine_version(stateMachineVersionArn=first)
        states.delete_state_machine(stateMachineArn=machine)

    def test_tags(self):
        machine = create("tagged", PASS)
        states.tag_resource(resourceArn=machine, tags=[{"key": "team", "value": "orders"}, {"key": "x", "value": ""}])
        states.untag_resource(resourceArn=machine, tagKeys=["x"])
        tags = states.list_tags_for_resource(resourceArn=machine)["tags"]
        self.assertEqual(tags, [{"key": "team", "value": "orders"}])
        many = [{"key": f"k{number}", "value": ""} for number in range(50)]
        self.refused(
            "TooManyTags", "A resource has at most 50 tags.", "tag_resource", resourceArn=machine, tags=many,
        )
        missing = f"{machine}:1"
        self.refused(
            "ResourceNotFound", f"Resource not found: '{missing}'", "list_tags_for_resource", resourceArn=missing,
        )


class Express(Boto3):
    def test_a_synchronous_execution(self):
        created = states.create_state_machine(name="express", definition=PASS, roleArn=ROLE, type="EXPRESS")
        machine = created["stateMachineArn"]
        ended = states.start_sync_execution(stateMachineArn=machine, name="n", input="{}")
        self.assertRegex(ended["executionArn"], rf"^{PREFIX}:express:express:n:[0-9a-f-]{{36}}$")
        self.assertEqual(ended["status"], "SUCCEEDED")
        self.assertEqual(ended["billingDetails"]["billedMemoryUsedInMB"], 64)
        started = states.start_execution(stateMachineArn=machine)["executionArn"]
        self.refused(
            "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'",
            "describe_execution", executionArn=started,
        )
        self.refused(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine",
            "start_sync_execution", stateMachineArn=create("standard", PASS),
        )


class Executions(Boto3):
    def test_named_unnamed_and_duplicate_starts(self):
        machine = create("starts", WAIT)
        unnamed = start(machine)
        self.assertRegex(unnamed, rf"^{PREFIX}:execution:starts:[0-9a-f-]{{36}}$")
        named = start(machine, name="once", input='{"n": 1}')
        self.assertEqual(named, f"{PREFIX}:execution:starts:once")
        self.assertEqual(start(machine, name="once", input='{"n": 1}'), named)
        message = f"Execution Already Exists: '{named}'"
        again = {"stateMachineArn": machine, "name": "once", "input": '{"n": 2}'}
        self.refused("ExecutionAlreadyExists", message, "start_execution", **again)
        self.refused("InvalidName", "Invalid Name: 'a*b'", "start_execution", stateMachineArn=machine, name="a*b")
        self.refused(
            "InvalidExecutionInput",
            "Invalid State Machine Execution Input: 'Unrecognized token 'not': was expecting (JSON String, Number, "
            "Array, Object or token 'null', 'true' or 'false')'",
            "start_execution", stateMachineArn=machine, input="not json",
        )
        stopped = states.stop_execution(executionArn=named, error="E", cause="C")
        self.assertIsInstance(stopped["stopDate"], datetime.datetime)
        shown = states.describe_execution(executionArn=named)
        self.assertEqual((shown["status"], shown["error"], shown["cause"]), ("ABORTED", "E", "C"))
        self.assertEqual(types(named)[-1], "ExecutionAborted")
        listed = states.list_executions(stateMachineArn=machine, statusFilter="ABORTED")["executions"]
        self.assertEqual([execution["name"] for execution in listed], ["once"])
        states.stop_execution(executionArn=unnamed)
        missing = f"{PREFIX}:execution:starts:missing"
        for operation in ["describe_execution", "get_execution_history", "stop_execution"]:
            self.refused(
                "ExecutionDoesNotExist", f"Execution Does Not Exist: '{missing}'", operation, executionArn=missing
            )

    def test_success_and_failure(self):
        succeeded = ended(start(create("succeeds", PASS), input="[1]"))
        self.assertEqual((succeeded["status"], succeeded["input"]), ("SUCCEEDED", "[1]"))
        self.assertEqual(json.loads(succeeded["output"]), {"a": 1})
        self.assertLessEqual(succeeded["startDate"], succeeded["stopDate"])
        failed = ended(start(create("fails", FAIL)))
        self.assertEqual((failed["status"], failed["error"], failed["cause"]), ("FAILED", "Refused", "on request"))
        shown = states.describe_state_machine_for_execution(executionArn=failed["executionArn"])
        self.assertEqual((shown["name"], shown["definition"]), ("fails", FAIL))

    def test_history_in_pages_and_backwards(self):
        execution = start(create("chain", CHAIN))
        ended(execution)
        whole = states.get_execution_history(executionArn=execution)["events"]
        self.assertEqual([event["id"] for event in whole], list(range(1, 15)))
        paginator = states.get_paginator("get_execution_history")
        for page_size in [1, 5, 14, 1000]:
            for reverse in [False, True]:
                pages = list(paginator.paginate(
                    executionArn=execution, reverseOrder=reverse, PaginationConfig={"PageSize": page_size}
                ))
                events = [event for page in pages for event in page["events"]]
                self.assertEqual(events, whole[::-1] if reverse else whole)
                self.assertTrue(all(len(page["events"]) <= page_size for page in pages))
        first = states.get_execution_history(executionArn=execution, maxResults=3)
        self.assertEqual(len(first["events"]), 3)
        rest = {"executionArn": execution, "maxResults": 3, "nextToken": first["nextToken"]}
        self.assertEqual(states.get_execution_history(**rest)["events"], whole[3:6])
        self.refused(
            "InvalidToken", "Invalid Token: 'Invalid token'",
            "get_execution_history", executionArn=execution, nextToken="forged",
        )
        hidden = states.get_execution_history(executionArn=execution, includeExecutionData=False)["events"]
        self.assertNotIn("input", hidden[0]["executionStartedEventDetails"])

    def test_executions_are_listed_newest_first(self):
        machine = create("listed", PASS)
        started = [start(machine, name=f"e{number}") for number in range(5)]
        for execution in started:
            ended(execution)
        pages = states.get_paginator("list_executions").paginate(
            stateMachineArn=machine, PaginationConfig={"PageSize": 2}
        )
        listed = [execution["executionArn"] for page in pages for execution in page["executions"]]
        self.assertEqual(sorted(listed), sorted(started))
        running = states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        self.assertEqual(running, [])


class Activities(Boto3):
    def worker(self, name, **fields):
        """An activity and a machine whose task it is."""
        activity = states.create_activity(name=name)["activityArn"]
        return activity, create(name, task(activity, **fields))

    def poll(self, activity):
        return states.get_activity_task(activityArn=activity, workerName="worker-1")

    def test_life_of_an_activity(self):
        activity = states.create_activity(name="life")["activityArn"]
        self.assertEqual(activity, f"{PREFIX}:activity:life")
        self.assertEqual(states.describe_activity(activityArn=activity)["name"], "life")
        listed = [found["activityArn"] for found in states.list_activities()["activities"]]
        self.assertIn(activity, listed)
        states.delete_activity(activityArn=activity)
        for operation in ["describe_activity", "get_activity_task"]:
            message = f"Activity Does Not Exist: '{activity}'"
            self.refused("ActivityDoesNotExist", message, operation, activityArn=activity)

    def test_a_worker_beats_and_completes(self):
        activity, machine = self.worker("works", HeartbeatSeconds=60)
        execution = start(machine, input='{"n": 7}')
        job = self.poll(activity)
        token = job["taskToken"]
        self.assertEqual(json.loads(job["input"]), {"n": 7})
        states.send_task_heartbeat(taskToken=token)
        self.refused(
            "InvalidOutput",
            "Invalid Output: 'Unrecognized token 'no': was expecting (JSON String, Number, Array, Object or token "
            "'null', 'true' or 'false')'",
            "send_task_success", taskToken=token, output="no",
        )
        states.send_task_success(taskToken=token, output='{"n": 8}')
        shown = ended(execution)
        self.assertEqual((shown["status"], json.loads(shown["output"])), ("SUCCEEDED", {"n": 8}))
        self.assertEqual(types(execution), [
            "ExecutionStarted", "TaskStateEntered", "ActivityScheduled", "ActivityStarted", "ActivitySucceeded",
            "TaskStateExited", "ExecutionSucceeded",
        ])
        events = states.get_execution_history(executionArn=execution)["events"]
        self.assertEqual(events[3]["activityStartedEventDetails"]["workerName"], "worker-1")
        # The same token again: AWS answers that the task is over.
        for operation, members in [
            ("send_task_success", {"output": "1"}),
            ("send_task_failure", {}),
            ("send_task_heartbeat", {}),
        ]:
            with self.assertRaises(states.exceptions.TaskTimedOut):
                getattr(states, operation)(taskToken=token, **members)

    def test_a_worker_fails_a_task(self):
        activity, machine = self.worker("breaks")
        execution = start(machine)
        token = self.poll(activity)["taskToken"]
        states.send_task_failure(taskToken=token, error="Broken", cause="a screw")
        shown = ended(execution)
        self.assertEqual((shown["status"], shown["error"], shown["cause"]), ("FAILED", "Broken", "a screw"))

    def test_a_worker_that_misses_its_heartbeat(self):
        activity, machine = self.worker("sleeps", HeartbeatSeconds=1)
        execution = start(machine)
        token = self.poll(activity)["taskToken"]
        shown = ended(execution)
        self.assertEqual((shown["status"], shown["error"]), ("FAILED", "States.Timeout"))
        with self.assertRaises(states.exceptions.TaskTimedOut):
            states.send_task_success(taskToken=token, output="1")

    def test_forged_tokens(self):
        for token in ["forged", "A" * 100, "x" * 2048]:
            message = "Invalid Token: 'Invalid token'"
            self.refused("InvalidToken", message, "send_task_success", taskToken=token, output="1")
            self.refused("InvalidToken", message, "send_task_failure", taskToken=token)
            self.refused("InvalidToken", message, "send_task_heartbeat", taskToken=token)
