"""Every operation through the AWS CLI: what it prints, its exit codes, and what it says of refusals."""

import contextlib
import io
import json
import os
import subprocess
import tempfile
import threading
import unittest
import zipfile

from awscli.clidriver import create_clidriver

from shared import (
    CHAIN, ENDPOINT, NOT_JSON, NOT_YET, OTHER_ROLE, PASS, ROLE, WAIT, distributed, execution_arn, guest,
    machine_arn, task, wait_for,
)

# What version 1 of the AWS CLI says when the service refuses, and when it refuses itself; version 2 says 254 and 252.
REFUSED, USAGE = 255, 2
# One for all: making it takes longer than any answer.
DRIVER = create_clidriver()
ALONE = threading.Lock()


def run(*arguments):
    """The CLI without a process of its own, which would take longer to start than to answer."""
    return run_of("stepfunctions", *arguments)


def run_of(*arguments):
    arguments = [*arguments, "--endpoint-url", ENDPOINT, "--output", "json"]
    stdout, stderr = io.StringIO(), io.StringIO()
    # Whatever is printed is everybody's, so only one runs at a time.
    with ALONE, contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            code = DRIVER.main(arguments)
        except SystemExit as end:
            code = end.code
    return code, stdout.getvalue(), stderr.getvalue()


class Cli(unittest.TestCase):
    maxDiff = None

    def aws(self, *arguments):
        code, told, problem = run(*arguments)
        self.assertEqual(code, 0, f"{arguments}: {problem}")
        return json.loads(told) if told.strip() else None

    def refused(self, code, message, *arguments):
        operation = "".join(word.capitalize() for word in arguments[0].split("-"))
        expected = f"An error occurred ({code}) when calling the {operation} operation: {message}"
        exit_code, told, problem = run(*arguments)
        self.assertEqual((exit_code, told, problem.strip()), (REFUSED, "", expected))

    def create(self, name, definition, *more):
        created = self.aws(
            "create-state-machine", "--name", name, "--definition", definition, "--role-arn", ROLE, *more
        )
        return created["stateMachineArn"]

    def start(self, machine, *more):
        return self.aws("start-execution", "--state-machine-arn", machine, *more)["executionArn"]

    def ended(self, execution):
        def look():
            shown = self.aws("describe-execution", "--execution-arn", execution)
            return shown if shown["status"] != "RUNNING" else None

        return wait_for(f"the end of {execution}", look)


class Program(unittest.TestCase):
    def test_the_program_itself(self):
        command = ["aws", "stepfunctions", "list-activities", "--endpoint-url", ENDPOINT, "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("activities", json.loads(done.stdout))
        command[2:3] = ["describe-activity", "--activity-arn", "nowhere"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (REFUSED, ""))
        self.assertIn("(InvalidArn) when calling the DescribeActivity operation", done.stderr)


class Operations(Cli):
    def test_all_operations_are_called(self):
        """The commands of this file, against the CLI's own list."""
        source = open(__file__).read()
        commands = create_clidriver().create_help_command().command_table["stepfunctions"]
        known = set(commands.create_help_command().command_table)
        not_yet = {"".join(f"-{c.lower()}" if c.isupper() else c for c in name)[1:] for name in NOT_YET}
        uncalled = {name for name in known if f'"{name}"' not in source}
        self.assertEqual(uncalled, not_yet)

    def test_machines(self):
        tags = "key=team,value=orders"
        machine = self.create("cli", PASS, "--tags", tags, "--tracing-configuration", "enabled=true")
        self.assertEqual(machine, machine_arn("cli"))
        shown = self.aws("describe-state-machine", "--state-machine-arn", machine)
        self.assertEqual((shown["definition"], shown["tracingConfiguration"]), (PASS, {"enabled": True}))
        self.assertRegex(str(shown["creationDate"]), r"^\d{4}-\d\d-\d\dT|^\d+\.\d+$")
        updated = self.aws(
            "update-state-machine", "--state-machine-arn", machine, "--definition", WAIT, "--role-arn", OTHER_ROLE
        )
        shown = self.aws("describe-state-machine", "--state-machine-arn", machine)
        self.assertEqual((shown["revisionId"], shown["roleArn"]), (updated["revisionId"], OTHER_ROLE))
        listed = self.aws("list-state-machines", "--page-size", "1")
        self.assertIn(machine, [found["stateMachineArn"] for found in listed["stateMachines"]])
        self.assertEqual(self.aws("list-tags-for-resource", "--resource-arn", machine)["tags"],
                         [{"key": "team", "value": "orders"}])
        self.aws("tag-resource", "--resource-arn", machine, "--tags", "key=x,value=y")
        self.aws("untag-resource", "--resource-arn", machine, "--tag-keys", "team")
        self.assertEqual(self.aws("list-tags-for-resource", "--resource-arn", machine)["tags"],
                         [{"key": "x", "value": "y"}])
        self.aws("delete-state-machine", "--state-machine-arn", machine)
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}'",
            "describe-state-machine", "--state-machine-arn", machine,
        )
        self.refused(
            "InvalidName", "Invalid Name: 'a b'",
            "create-state-machine", "--name", "a b", "--definition", PASS, "--role-arn", ROLE,
        )

    def test_versions_and_aliases(self):
        machine = self.create("cli-versions", PASS)
        published = self.aws("publish-state-machine-version", "--state-machine-arn", machine)
        version = published["stateMachineVersionArn"]
        routes = f"stateMachineVersionArn={version},weight=100"
        alias = self.aws(
            "create-state-machine-alias", "--name", "live", "--routing-configuration", routes
        )["stateMachineAliasArn"]
        listed = self.aws("list-state-machine-versions", "--state-machine-arn", machine)["stateMachineVersions"]
        self.assertEqual([found["stateMachineVersionArn"] for found in listed], [version])
        listed = self.aws("list-state-machine-aliases", "--state-machine-arn", machine)["stateMachineAliases"]
        self.assertEqual([found["stateMachineAliasArn"] for found in listed], [alias])
        self.aws("update-state-machine-alias", "--state-machine-alias-arn", alias, "--description", "what runs")
        shown = self.aws("describe-state-machine-alias", "--state-machine-alias-arn", alias)
        self.assertEqual(
            (shown["description"], shown["routingConfiguration"]),
            ("what runs", [{"stateMachineVersionArn": version, "weight": 100}]),
        )
        self.refused(
            "ConflictException",
            "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this "
            "version: [live]",
            "delete-state-machine-version", "--state-machine-version-arn", version,
        )
        self.aws("delete-state-machine-alias", "--state-machine-alias-arn", alias)
        self.aws("delete-state-machine-version", "--state-machine-version-arn", version)

    def test_executions(self):
        machine = self.create("cli-executions", CHAIN)
        execution = self.start(machine, "--name", "one", "--input", '{"n": 1}')
        self.assertEqual(execution, execution_arn("cli-executions", "one"))
        shown = self.ended(execution)
        self.assertEqual((shown["status"], json.loads(shown["output"])), ("SUCCEEDED", {"n": 1}))
        listed = self.aws("list-executions", "--state-machine-arn", machine, "--status-filter", "SUCCEEDED")
        self.assertEqual([found["name"] for found in listed["executions"]], ["one"])
        history = self.aws("get-execution-history", "--execution-arn", execution, "--page-size", "4")
        self.assertEqual([event["id"] for event in history["events"]], list(range(1, 15)))
        two = self.aws("get-execution-history", "--execution-arn", execution, "--max-items", "2", "--reverse-order")
        self.assertEqual([event["id"] for event in two["events"]], [14, 13])
        self.assertIn("NextToken", two)
        rest = self.aws(
            "get-execution-history", "--execution-arn", execution, "--starting-token", two["NextToken"],
            "--reverse-order",
        )
        self.assertEqual([event["id"] for event in rest["events"]], list(range(12, 0, -1)))
        of = self.aws("describe-state-machine-for-execution", "--execution-arn", execution)
        self.assertEqual(of["definition"], CHAIN)
        self.refused(
            "ExecutionAlreadyExists", f"Execution Already Exists: '{execution}'",
            "start-execution", "--state-machine-arn", machine, "--name", "one", "--input", '{"n": 2}',
        )
        self.refused(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{NOT_JSON}'",
            "start-execution", "--state-machine-arn", machine, "--input", "not json",
        )
        missing = execution_arn("cli-executions", "missing")
        self.refused(
            "ExecutionDoesNotExist", f"Execution Does Not Exist: '{missing}'",
            "describe-execution", "--execution-arn", missing,
        )
        waits = self.start(self.create("cli-waits", WAIT))
        self.aws("stop-execution", "--execution-arn", waits, "--error", "E", "--cause", "C")
        shown = self.ended(waits)
        self.assertEqual((shown["status"], shown["error"], shown["cause"]), ("ABORTED", "E", "C"))
        self.aws("redrive-execution", "--execution-arn", waits)
        shown = self.aws("describe-execution", "--execution-arn", waits)
        self.assertEqual((shown["status"], shown["redriveCount"]), ("RUNNING", 1))

    def test_activities_and_tasks(self):
        activity = self.aws("create-activity", "--name", "cli")["activityArn"]
        self.assertEqual(self.aws("describe-activity", "--activity-arn", activity)["name"], "cli")
        listed = [found["activityArn"] for found in self.aws("list-activities")["activities"]]
        self.assertIn(activity, listed)
        machine = self.create("cli-works", task(activity))
        first, second = (self.start(machine, "--input", text) for text in ["1", "2"])
        poll = lambda: self.aws("get-activity-task", "--activity-arn", activity, "--worker-name", "w")
        job = poll()
        self.assertEqual(job["input"], "1")
        self.aws("send-task-heartbeat", "--task-token", job["taskToken"])
        self.aws("send-task-success", "--task-token", job["taskToken"], "--task-output", '"done"')
        self.assertEqual(self.ended(first)["output"], '"done"')
        self.aws("send-task-failure", "--task-token", poll()["taskToken"], "--error", "Broken", "--cause", "a screw")
        shown = self.ended(second)
        self.assertEqual((shown["status"], shown["error"], shown["cause"]), ("FAILED", "Broken", "a screw"))
        self.refused("InvalidToken", "Invalid Token: 'Invalid token'", "send-task-heartbeat", "--task-token", "forged")
        self.aws("delete-activity", "--activity-arn", activity)
        self.refused(
            "ActivityDoesNotExist", f"Activity Does Not Exist: '{activity}'",
            "get-activity-task", "--activity-arn", activity,
        )

    def test_express(self):
        machine = self.create("cli-express", PASS, "--type", "EXPRESS")
        # The command takes the name of the host as it is, because the environment says so.
        done = self.aws("start-sync-execution", "--state-machine-arn", machine, "--input", "[1]")
        self.assertEqual((done["status"], done["output"]), ("SUCCEEDED", '{"a":1}'))
        self.refused(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine",
            "list-executions", "--state-machine-arn", machine,
        )

    def test_map_runs(self):
        execution = self.start(self.create("cli-maps", distributed()), "--input", "[1, 2, 3]")
        self.assertEqual(self.ended(execution)["status"], "SUCCEEDED")
        (run_listed,) = self.aws("list-map-runs", "--execution-arn", execution)["mapRuns"]
        arn = run_listed["mapRunArn"]
        shown = self.aws("describe-map-run", "--map-run-arn", arn)
        self.assertEqual((shown["status"], shown["itemCounts"]["succeeded"]), ("SUCCEEDED", 3))
        self.refused(
            "ValidationException", "Map Run has already completed and cannot be updated.",
            "update-map-run", "--map-run-arn", arn, "--max-concurrency", "1",
        )

    def test_definitions_and_states(self):
        valid = self.aws("validate-state-machine-definition", "--definition", CHAIN, "--type", "EXPRESS")
        self.assertEqual((valid["result"], valid["diagnostics"]), ("OK", []))
        bad = self.aws("validate-state-machine-definition", "--definition", "{}", "--severity", "WARNING")
        self.assertEqual(bad["result"], "FAIL")
        self.assertEqual([found["code"] for found in bad["diagnostics"]], ["SCHEMA_VALIDATION_FAILED"])
        state = json.dumps({"Type": "Pass", "Result": 7, "Next": "There"})
        tested = self.aws("test-state", "--definition", state, "--inspection-level", "DEBUG", "--input", "[1]")
        self.assertEqual((tested["status"], tested["output"], tested["nextState"]), ("SUCCEEDED", "7", "There"))
        self.assertEqual((tested["inspectionData"]["input"], tested["inspectionData"]["result"]), ("[1]", "7"))
        self.refused(
            "InvalidDefinition",
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'",
            "create-state-machine", "--name", "bad", "--definition", '{"StartAt": "A"}', "--role-arn", ROLE,
        )

    def test_functions(self):
        def functions(*arguments):
            code, told, problem = run_of("lambda", *arguments)
            self.assertEqual(code, 0, f"{arguments}: {problem}")
            return json.loads(told) if told.strip() else None

        with tempfile.TemporaryDirectory() as folder:
            archive, answer = os.path.join(folder, "echo.zip"), os.path.join(folder, "answer.json")
            with zipfile.ZipFile(archive, "w") as packed:
                packed.writestr("echo.wasm", guest("echo"))
            made = functions("create-function", "--function-name", "cli", "--runtime", "provided.al2023", "--handler",
                             "handle", "--role", ROLE, "--zip-file", f"fileb://{archive}", "--publish")
            self.assertEqual((made["State"], made["Version"]), ("Active", "1"))
            functions("wait", "function-active-v2", "--function-name", "cli")
            functions("create-alias", "--function-name", "cli", "--name", "live", "--function-version", "1")
            told = functions("invoke", "--function-name", "cli:live", "--payload", '{"a": 1}', "--log-type", "Tail", answer)
            self.assertEqual((told["StatusCode"], told["ExecutedVersion"]), (200, "1"))
            with open(answer) as file:
                self.assertEqual(json.load(file), {"a": 1})
            functions("delete-function", "--function-name", "cli")
        code, told, problem = run_of("lambda", "get-function", "--function-name", "cli")
        self.assertEqual((code, told), (REFUSED, ""))
        self.assertIn("(ResourceNotFoundException) when calling the GetFunction operation: Function not found:", problem)

    def test_what_the_cli_refuses_itself(self):
        for arguments in [
            ["describe-execution"], ["start-execution", "--name", "n"], ["dance"],
            ["create-state-machine", "--name", "n", "--definition", PASS, "--role-arn", ROLE, "--publish=7"],
        ]:
            code, told, _ = run(*arguments)
            self.assertEqual((code, told), (USAGE, ""))
        listed = self.aws("list-state-machines")["stateMachines"]
        self.assertNotIn("n", [machine["name"] for machine in listed])
