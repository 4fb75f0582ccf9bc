"""Executions that are redriven after an unsuccessful end."""

import datetime

from boto import Boto3, create, describe, ended, start, states, types
from shared import FAIL, PASS, WAIT, execution_arn


class Redrives(Boto3):
    def test_a_stopped_execution_goes_on(self):
        execution = start(create("redriven", WAIT))
        states.stop_execution(executionArn=execution, error="E", cause="C")
        stopped = describe(execution)
        self.assertEqual((stopped["status"], stopped["redriveStatus"]), ("ABORTED", "REDRIVABLE"))
        first = states.redrive_execution(executionArn=execution, clientToken="one")
        self.assertIsInstance(first["redriveDate"], datetime.datetime)
        shown = describe(execution)
        self.assertEqual((shown["status"], shown["redriveCount"]), ("RUNNING", 1))
        self.assertEqual(shown["redriveDate"], first["redriveDate"])
        self.assertFalse({"stopDate", "error", "cause"} & set(shown))
        self.assertEqual(types(execution)[-2:], ["ExecutionAborted", "ExecutionRedriven"])
        # The same token is the same redrive.
        again = states.redrive_execution(executionArn=execution, clientToken="one")
        self.assertEqual(again["redriveDate"], first["redriveDate"])
        self.assertEqual(describe(execution)["redriveCount"], 1)

    def test_a_fail_state_fails_again(self):
        execution = ended(start(create("fails-again", FAIL)))["executionArn"]
        states.redrive_execution(executionArn=execution)
        shown = ended(execution)
        self.assertEqual((shown["status"], shown["error"], shown["redriveCount"]), ("FAILED", "Refused", 1))
        self.assertEqual(
            types(execution)[-4:], ["ExecutionFailed", "ExecutionRedriven", "FailStateEntered", "ExecutionFailed"]
        )

    def test_refusals(self):
        done = ended(start(create("redrive-refused", PASS)))["executionArn"]
        redrive = "redrive_execution"
        self.refused(
            "ExecutionNotRedrivable", "Execution is SUCCEEDED and cannot be redriven", redrive, executionArn=done
        )
        missing = execution_arn("redrive-refused", "missing")
        self.refused(
            "ExecutionDoesNotExist", f"Execution Does Not Exist: '{missing}'", redrive, executionArn=missing
        )
        self.invalid_arn("executionArn", redrive)
        self.invalid(
            f"'{'x' * 65}' at 'clientToken' failed to satisfy constraint: Member must have length less than or equal to 64",
            redrive, executionArn=done, clientToken="x" * 65,
        )
