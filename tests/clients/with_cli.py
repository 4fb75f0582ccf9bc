"""The main operations through the AWS CLI: what it prints and its exit codes."""

import json
import subprocess
import unittest

from shared import CHAIN, ENDPOINT, PREFIX, ROLE, wait_for

# What version 1 of the AWS CLI says when the service refuses; version 2 says 254.
REFUSED = 255


def run(*arguments):
    command = ["aws", "stepfunctions", *arguments, "--endpoint-url", ENDPOINT, "--output", "json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


class Cli(unittest.TestCase):
    def aws(self, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def refused(self, expected, *arguments):
        done = run(*arguments)
        self.assertEqual((done.returncode, done.stdout), (REFUSED, ""), done.stderr)
        self.assertEqual(done.stderr.strip(), expected)

    def test_from_a_definition_to_a_history(self):
        created = self.aws("create-state-machine", "--name", "cli", "--definition", CHAIN, "--role-arn", ROLE)
        machine = created["stateMachineArn"]
        self.assertEqual(machine, f"{PREFIX}:stateMachine:cli")
        started = self.aws("start-execution", "--state-machine-arn", machine, "--name", "one", "--input", '{"n": 1}')
        execution = started["executionArn"]
        self.assertEqual(execution, f"{PREFIX}:execution:cli:one")

        def look():
            shown = self.aws("describe-execution", "--execution-arn", execution)
            return shown if shown["status"] != "RUNNING" else None

        shown = wait_for("the execution's end", look)
        self.assertEqual((shown["status"], json.loads(shown["output"])), ("SUCCEEDED", {"n": 1}))
        listed = self.aws("list-executions", "--state-machine-arn", machine)
        self.assertEqual([found["name"] for found in listed["executions"]], ["one"])
        history = self.aws("get-execution-history", "--execution-arn", execution, "--page-size", "4")
        self.assertEqual([event["id"] for event in history["events"]], list(range(1, 15)))
        two = self.aws("get-execution-history", "--execution-arn", execution, "--max-items", "2", "--reverse-order")
        self.assertEqual([event["id"] for event in two["events"]], [14, 13])
        self.refused(
            "An error occurred (ExecutionAlreadyExists) when calling the StartExecution operation: Execution Already "
            f"Exists: '{execution}'",
            "start-execution", "--state-machine-arn", machine, "--name", "one", "--input", '{"n": 2}',
        )
        missing = f"{PREFIX}:execution:cli:missing"
        self.refused(
            "An error occurred (ExecutionDoesNotExist) when calling the DescribeExecution operation: Execution Does "
            f"Not Exist: '{missing}'",
            "describe-execution", "--execution-arn", missing,
        )

    def test_a_definition_is_validated(self):
        valid = self.aws("validate-state-machine-definition", "--definition", CHAIN, "--type", "EXPRESS")
        self.assertEqual((valid["result"], valid["diagnostics"]), ("OK", []))
        bad = self.aws("validate-state-machine-definition", "--definition", "{}", "--severity", "WARNING")
        self.assertEqual(bad["result"], "FAIL")
        self.assertEqual([found["code"] for found in bad["diagnostics"]], ["SCHEMA_VALIDATION_FAILED"])

    def test_a_state_is_tested(self):
        state = json.dumps({"Type": "Pass", "Result": 7, "Next": "There"})
        tested = self.aws("test-state", "--definition", state, "--inspection-level", "DEBUG", "--input", "[1]")
        self.assertEqual((tested["status"], tested["output"], tested["nextState"]), ("SUCCEEDED", "7", "There"))
        self.assertEqual((tested["inspectionData"]["input"], tested["inspectionData"]["result"]), ("[1]", "7"))
