"""Map Runs: described, listed and changed while they run."""

import json

from boto import Boto3, create, ended, start, states
from shared import INVALID_TOKEN, PREFIX, distributed, execution_arn, wait_for

WAITING = {"W": {"Type": "Wait", "Seconds": 1000, "End": True}}


def runs(execution, **members):
    pages = states.get_paginator("list_map_runs").paginate(executionArn=execution, **members)
    return [run for page in pages for run in page["mapRuns"]]


def run_of(execution):
    return wait_for("a Map Run", lambda: runs(execution))[0]["mapRunArn"]


def children(run, **members):
    pages = states.get_paginator("list_executions").paginate(mapRunArn=run, **members)
    return [child for page in pages for child in page["executions"]]


class MapRuns(Boto3):
    def test_a_map_run_that_ends(self):
        execution = start(create("distributes", distributed()), input="[1, 2, 3]")
        self.assertEqual(json.loads(ended(execution)["output"]), [1, 2, 3])
        (listed,) = runs(execution)
        run = listed["mapRunArn"]
        self.assertRegex(run, rf"^{PREFIX}:mapRun:distributes/run:[0-9a-f-]{{36}}$")
        self.assertEqual(
            (listed["executionArn"], listed["stateMachineArn"]),
            (execution, f"{PREFIX}:stateMachine:distributes/run"),
        )
        shown = states.describe_map_run(mapRunArn=run)
        self.assertEqual((shown["status"], shown["executionArn"]), ("SUCCEEDED", execution))
        self.assertEqual((shown["startDate"], shown["stopDate"]), (listed["startDate"], listed["stopDate"]))
        for counts in [shown["itemCounts"], shown["executionCounts"]]:
            self.assertEqual((counts["succeeded"], counts["total"], counts["pending"], counts["failed"]), (3, 3, 0, 0))
        found = children(run)
        self.assertEqual(len(found), 3)
        self.assertEqual({child["mapRunArn"] for child in found}, {run})
        for size in [1, 2]:
            self.assertEqual(children(run, PaginationConfig={"PageSize": size}), found)
        self.assertEqual(children(run, redriveFilter="REDRIVEN"), [])
        self.assertEqual(children(run, redriveFilter="NOT_REDRIVEN"), found)
        self.assertEqual(children(run, statusFilter="FAILED"), [])
        child = states.describe_execution(executionArn=found[0]["executionArn"])
        self.assertEqual((child["mapRunArn"], child["status"]), (run, "SUCCEEDED"))
        machine = states.describe_state_machine_for_execution(executionArn=found[0]["executionArn"])
        self.assertEqual((machine["mapRunArn"], machine["label"]), (run, "run"))
        # The children are not among the executions of the machine.
        listed = states.list_executions(stateMachineArn=f"{PREFIX}:stateMachine:distributes")["executions"]
        self.assertEqual([found["executionArn"] for found in listed], [execution])
        error = self.refused(
            "ValidationException", "Map Run has already completed and cannot be updated.",
            "update_map_run", mapRunArn=run, maxConcurrency=1,
        )
        self.assertEqual(error["reason"], "CANNOT_UPDATE_COMPLETED_MAP_RUN")

    def test_a_map_run_is_changed_while_it_runs(self):
        execution = start(create("changes", distributed(concurrency=2, **WAITING)), input="[1, 2, 3, 4, 5]")
        run = run_of(execution)
        self.assertEqual(states.describe_map_run(mapRunArn=run)["maxConcurrency"], 2)
        wait_for("two children", lambda: states.describe_map_run(mapRunArn=run)["executionCounts"]["running"] == 2)
        states.update_map_run(mapRunArn=run, maxConcurrency=4, toleratedFailureCount=3, toleratedFailurePercentage=12.5)
        shown = states.describe_map_run(mapRunArn=run)
        self.assertEqual(
            (shown["maxConcurrency"], shown["toleratedFailureCount"], shown["toleratedFailurePercentage"]), (4, 3, 12.5)
        )
        wait_for("four children", lambda: states.describe_map_run(mapRunArn=run)["executionCounts"]["running"] == 4)
        states.stop_execution(executionArn=execution)
        shown = states.describe_map_run(mapRunArn=run)
        self.assertEqual(shown["status"], "ABORTED")

    def test_a_map_run_is_redriven_with_its_execution(self):
        fails_once = "{% $states.context.Execution.RedriveCount = 0 and $states.input = 2 ? $error('no') : $states.input %}"
        child = {"I": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": fails_once, "End": True}}
        execution = start(create("redriven-map-run", distributed(concurrency=1, **child)), input="[1, 2, 3]")
        self.assertEqual(ended(execution)["status"], "FAILED")
        run = run_of(execution)
        shown = states.describe_map_run(mapRunArn=run)
        self.assertEqual((shown["status"], shown["executionCounts"]["pending"]), ("FAILED", 1))
        (failed,) = children(run, statusFilter="FAILED")
        child = states.describe_execution(executionArn=failed["executionArn"])
        self.assertEqual(child["redriveStatus"], "REDRIVABLE_BY_MAP_RUN")
        self.refused(
            "ExecutionNotRedrivable",
            "Execution belongs to a Map Run and is redriven with the execution that the Map Run belongs to",
            "redrive_execution", executionArn=failed["executionArn"],
        )
        redriven = states.redrive_execution(executionArn=execution)["redriveDate"]
        self.assertEqual(json.loads(ended(execution)["output"]), [1, 2, 3])
        self.assertEqual(len(runs(execution)), 1)
        shown = states.describe_map_run(mapRunArn=run)
        self.assertEqual((shown["status"], shown["redriveCount"], shown["redriveDate"]), ("SUCCEEDED", 1, redriven))
        counts = shown["executionCounts"]
        self.assertEqual((counts["succeeded"], counts["failed"], counts["pendingRedrive"]), (3, 0, 0))
        self.assertEqual([one["name"] for one in children(run, redriveFilter="REDRIVEN")], [failed["name"]])
        self.assertEqual(len(children(run, redriveFilter="NOT_REDRIVEN")), 2)
        history = states.get_execution_history(executionArn=execution, reverseOrder=True)["events"]
        (event,) = [event for event in history if event["type"] == "MapRunRedriven"]
        self.assertEqual(event["mapRunRedrivenEventDetails"], {"mapRunArn": run, "redriveCount": 1})

    def test_refusals(self):
        execution = start(create("map-refusals", distributed()), input="[1]")
        ended(execution)
        run = run_of(execution)
        self.refused(
            "InvalidToken", INVALID_TOKEN, "list_map_runs", executionArn=execution, nextToken="forged",
        )
        error = self.refused(
            "ValidationException",
            "One of maxConcurrency, toleratedFailurePercentage and toleratedFailureCount must be specified.",
            "update_map_run", mapRunArn=run,
        )
        self.assertEqual(error["reason"], "MISSING_REQUIRED_PARAMETER")
        self.invalid(
            "'100.5' at 'toleratedFailurePercentage' failed to satisfy constraint: Member must have value less than or "
            "equal to 100",
            "update_map_run", mapRunArn=run, toleratedFailurePercentage=100.5,
        )
        self.invalid_arn("mapRunArn", "describe_map_run", "list_executions")
        self.invalid_arn("mapRunArn", "update_map_run", maxConcurrency=1)
        missing = f"{PREFIX}:mapRun:map-refusals/run:00000000-0000-0000-0000-000000000000"
        message = f"Resource not found: '{missing}'"
        self.refused("ResourceNotFound", message, "describe_map_run", mapRunArn=missing)
        self.refused("ResourceNotFound", message, "update_map_run", mapRunArn=missing, maxConcurrency=1)
        self.refused("ResourceNotFound", message, "list_executions", mapRunArn=missing)
        plain = execution_arn("map-refusals", "missing")
        self.refused(
            "ExecutionDoesNotExist", f"Execution Does Not Exist: '{plain}'", "list_map_runs", executionArn=plain,
        )
