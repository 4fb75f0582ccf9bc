"""Executions: started, described, listed and stopped."""

import datetime
import json

from boto import Boto3, create, describe, ended, start, states, types
from shared import (
    FAIL, INVALID_TOKEN, NOT_JSON, NO_RESOURCE, PASS, PREFIX, WAIT, WRONG_TYPE, distributed, execution_arn, machine,
    machine_arn,
)

PAYLOAD_BYTES_MAX = 262_144


class Starts(Boto3):
    def test_named_unnamed_and_duplicate_starts(self):
        of = create("starts", WAIT)
        unnamed = start(of)
        self.assertRegex(unnamed, rf"^{PREFIX}:execution:starts:[0-9a-f-]{{36}}$")
        self.assertEqual(describe(unnamed)["input"], "{}")
        first = states.start_execution(stateMachineArn=of, name="once", input='{"n": 1}', traceHeader="Root=1")
        named = first["executionArn"]
        self.assertEqual(named, f"{PREFIX}:execution:starts:once")
        again = states.start_execution(stateMachineArn=of, name="once", input='{"n": 1}')
        self.assertEqual((again["executionArn"], again["startDate"]), (named, first["startDate"]))
        already = f"Execution Already Exists: '{named}'"
        other = {"stateMachineArn": of, "name": "once", "input": '{"n": 2}'}
        self.refused("ExecutionAlreadyExists", already, "start_execution", **other)
        shown = describe(named)
        self.assertEqual((shown["status"], shown["traceHeader"]), ("RUNNING", "Root=1"))
        self.assertEqual((shown["redriveCount"], shown["redriveStatus"]), (0, "NOT_REDRIVABLE"))
        stopped = states.stop_execution(executionArn=named, error="E", cause="C")
        self.assertIsInstance(stopped["stopDate"], datetime.datetime)
        shown = describe(named)
        self.assertEqual((shown["status"], shown["error"], shown["cause"]), ("ABORTED", "E", "C"))
        self.assertEqual(shown["stopDate"], stopped["stopDate"])
        self.assertEqual(types(named)[-1], "ExecutionAborted")
        # One that has ended is not started again by its name, whatever its input.
        same = {"stateMachineArn": of, "name": "once", "input": '{"n": 1}'}
        self.refused("ExecutionAlreadyExists", already, "start_execution", **same)
        # Stopping what has ended gives the time of its end.
        again = states.stop_execution(executionArn=named, error="F")
        self.assertEqual(again["stopDate"], stopped["stopDate"])
        self.assertEqual(describe(named)["error"], "E")
        listed = states.list_executions(stateMachineArn=of, statusFilter="ABORTED")["executions"]
        self.assertEqual([execution["name"] for execution in listed], ["once"])
        states.stop_execution(executionArn=unnamed)

    def test_refused_starts(self):
        of = create("refused-starts", PASS)
        for name in ["a*b", "a b", "a\u0001"]:
            self.refused("InvalidName", f"Invalid Name: '{name}'", "start_execution", stateMachineArn=of, name=name)
        self.refused(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{NOT_JSON}'",
            "start_execution", stateMachineArn=of, input="not json",
        )
        self.refused(
            "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Invalid execution input.'",
            "start_execution", stateMachineArn=of, input="",
        )
        self.invalid_arn("stateMachineArn", "start_execution", "list_executions")
        for missing in [machine_arn("missing"), f"{of}:9", f"{of}:nobody"]:
            self.refused(
                "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'",
                "start_execution", stateMachineArn=missing,
            )
        text = lambda size: json.dumps("x" * (size - 2))
        self.invalid(
            f"at 'input' failed to satisfy constraint: Member must have length less than or equal to "
            f"{PAYLOAD_BYTES_MAX}",
            "start_execution", stateMachineArn=of, input=text(PAYLOAD_BYTES_MAX + 1),
        )
        self.assertEqual(states.list_executions(stateMachineArn=of)["executions"], [])
        largest = ended(start(of, input=text(PAYLOAD_BYTES_MAX)))
        self.assertEqual(len(largest["input"]), PAYLOAD_BYTES_MAX)

    def test_refused_lookups(self):
        create("lookups", PASS)
        operations = [
            "describe_execution", "get_execution_history", "stop_execution", "list_map_runs",
            "describe_state_machine_for_execution",
        ]
        self.invalid_arn("executionArn", *operations)
        for missing in [execution_arn("lookups", "missing"), execution_arn("nothing", "missing")]:
            for operation in operations:
                self.refused(
                    "ExecutionDoesNotExist", f"Execution Does Not Exist: '{missing}'", operation, executionArn=missing
                )
        self.invalid(
            "at 'error' failed to satisfy constraint: Member must have length less than or equal to 256",
            "stop_execution", executionArn=missing, error="x" * 257,
        )
        self.invalid(
            "at 'cause' failed to satisfy constraint: Member must have length less than or equal to 32768",
            "stop_execution", executionArn=missing, cause="x" * 32_769,
        )


class Ends(Boto3):
    def test_success(self):
        of = create("succeeds", PASS)
        shown = ended(start(of, name="one", input="[1]"))
        self.assertLessEqual(shown["startDate"], shown["stopDate"])
        del shown["ResponseMetadata"], shown["startDate"], shown["stopDate"]
        self.assertEqual(shown, {
            "executionArn": execution_arn("succeeds", "one"), "stateMachineArn": of, "name": "one",
            "status": "SUCCEEDED", "input": "[1]", "inputDetails": {"included": True}, "output": '{"a":1}',
            "outputDetails": {"included": True}, "redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        })
        hidden = states.describe_execution(executionArn=execution_arn("succeeds", "one"), includedData="METADATA_ONLY")
        self.assertFalse({"input", "output"} & set(hidden))
        self.assertEqual((hidden["inputDetails"], hidden["outputDetails"]), ({"included": False}, {"included": False}))

    def test_failure(self):
        failed = ended(start(create("fails", FAIL)))
        self.assertEqual((failed["status"], failed["error"], failed["cause"]), ("FAILED", "Refused", "on request"))
        self.assertEqual(failed["redriveStatus"], "REDRIVABLE")
        self.assertNotIn("output", failed)
        shown = states.describe_state_machine_for_execution(executionArn=failed["executionArn"])
        self.assertEqual((shown["name"], shown["definition"]), ("fails", FAIL))
        hidden = states.describe_state_machine_for_execution(
            executionArn=failed["executionArn"], includedData="METADATA_ONLY"
        )
        self.assertEqual(hidden["definition"], "{}")

    def test_timeout(self):
        late = json.dumps(json.loads(WAIT) | {"TimeoutSeconds": 1})
        shown = ended(start(create("late", late)))
        self.assertEqual((shown["status"], shown["redriveStatus"]), ("TIMED_OUT", "REDRIVABLE"))
        self.assertFalse({"error", "cause", "output"} & set(shown))
        self.assertEqual(types(shown["executionArn"])[-1], "ExecutionTimedOut")

    def test_stops_without_a_reason(self):
        execution = start(create("silent", WAIT))
        states.stop_execution(executionArn=execution)
        shown = describe(execution)
        self.assertEqual(shown["status"], "ABORTED")
        self.assertFalse({"error", "cause"} & set(shown))


class Lists(Boto3):
    def test_executions_are_listed_newest_first(self):
        of = create("listed", PASS)
        started = [start(of, name=f"e{number}") for number in range(5)]
        for execution in started:
            ended(execution)
        ends = {execution: describe(execution)["stopDate"] for execution in started}
        for size in [1, 2, 5, 1000]:
            pages = states.get_paginator("list_executions").paginate(
                stateMachineArn=of, PaginationConfig={"PageSize": size}
            )
            listed = [execution for page in pages for execution in page["executions"]]
            self.assertEqual({execution["executionArn"] for execution in listed}, set(started))
            dates = [execution["stopDate"] for execution in listed]
            self.assertEqual(dates, sorted(dates, reverse=True))
            self.assertEqual([ends[execution["executionArn"]] for execution in listed], dates)
        for status in ["RUNNING", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]:
            self.assertEqual(states.list_executions(stateMachineArn=of, statusFilter=status)["executions"], [])
        self.assertEqual(len(states.list_executions(stateMachineArn=of, statusFilter="SUCCEEDED")["executions"]), 5)

    def test_tokens_are_of_one_listing(self):
        of = create("tokens", PASS)
        for number in range(3):
            ended(start(of, name=f"e{number}"))
        token = states.list_executions(stateMachineArn=of, maxResults=1)["nextToken"]
        other = create("other-tokens", PASS)
        for members in [
            {"stateMachineArn": of, "nextToken": "forged"}, {"stateMachineArn": other, "nextToken": token},
            {"stateMachineArn": of, "statusFilter": "SUCCEEDED", "nextToken": token},
        ]:
            self.refused("InvalidToken", INVALID_TOKEN, "list_executions", **members)
        self.refused("InvalidToken", INVALID_TOKEN, "list_state_machines", nextToken=token)
        # The size of the next page is free.
        rest = states.list_executions(stateMachineArn=of, nextToken=token, maxResults=7)
        self.assertEqual(len(rest["executions"]), 2)
        self.assertNotIn("nextToken", rest)

    def test_refused_lists(self):
        of = create("refused-lists", PASS)
        missing = machine_arn("missing")
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'",
            "list_executions", stateMachineArn=missing,
        )
        run = f"{PREFIX}:mapRun:m/run:00000000-0000-0000-0000-000000000000"
        exactly_one = "Exactly one of stateMachineArn and mapRunArn must be specified."
        for members, message in [
            ({}, exactly_one), ({"stateMachineArn": of, "mapRunArn": run}, exactly_one),
            ({"stateMachineArn": of, "redriveFilter": "REDRIVEN"},
             "The redriveFilter can only be specified with a mapRunArn."),
        ]:
            self.refused("ValidationException", message, "list_executions", **members)
        self.invalid(
            "'DONE' at 'statusFilter' failed to satisfy constraint: Member must satisfy enum value set: [SUCCEEDED, "
            "TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, RUNNING]",
            "list_executions", stateMachineArn=of, statusFilter="DONE",
        )
        self.refused("ResourceNotFound", NO_RESOURCE, "list_executions", stateMachineArn=f"{of}:nobody")
        express = create("unlisted", PASS, type="EXPRESS")
        self.refused("StateMachineTypeNotSupported", WRONG_TYPE, "list_executions", stateMachineArn=express)
