"""Activities, their workers, and the tokens of tasks."""

import json
import selectors

from boto import Boto3, create, describe, ended, events, start, states, types
from shared import INVALID_TOKEN, NOT_JSON, PATIENCE_SECONDS, PREFIX, Wire, activity_arn, callback, task, wait_for

# AWS quota.
POLLERS_MAX = 1000
CLOSED = "Task Timed Out: 'Provided task does not exist anymore'"
GONE = "Task does not exist: 'Provided task does not exist'"
ANSWERS = [("send_task_success", {"output": "1"}), ("send_task_failure", {}), ("send_task_heartbeat", {})]


def worker(name, **fields):
    """An activity and a machine whose task it is."""
    activity = states.create_activity(name=name)["activityArn"]
    return activity, create(name, task(activity, **fields))


def poll(activity):
    return states.get_activity_task(activityArn=activity, workerName="worker-1")


class Activities(Boto3):
    def test_life_of_an_activity(self):
        created = states.create_activity(name="life")
        activity = created["activityArn"]
        self.assertEqual(activity, f"{PREFIX}:activity:life")
        shown = states.describe_activity(activityArn=activity)
        del shown["ResponseMetadata"]
        self.assertEqual(shown, {
            "activityArn": activity, "name": "life", "creationDate": created["creationDate"],
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        })
        # By its name alone: other tags make no other activity, and are not taken.
        again = states.create_activity(
            name="life", tags=[{"key": "k", "value": "v"}], encryptionConfiguration={"type": "AWS_OWNED_KEY"},
        )
        self.assertEqual(again["creationDate"], created["creationDate"])
        self.assertEqual(states.list_tags_for_resource(resourceArn=activity)["tags"], [])
        states.delete_activity(activityArn=activity)
        for operation in ["describe_activity", "get_activity_task"]:
            self.refused(
                "ActivityDoesNotExist", f"Activity Does Not Exist: '{activity}'", operation, activityArn=activity
            )
        states.delete_activity(activityArn=activity)

    def test_paginators_find_all(self):
        arns = [states.create_activity(name=f"page-{number}")["activityArn"] for number in range(5)]
        for size in [1, 2, 1000]:
            pages = states.get_paginator("list_activities").paginate(PaginationConfig={"PageSize": size})
            found = [activity["activityArn"] for page in pages for activity in page["activities"]]
            self.assertEqual(len(found), len(set(found)))
            # The oldest first, as AWS lists them.
            self.assertEqual([activity for activity in found if activity in arns], arns)
        self.refused("InvalidToken", INVALID_TOKEN, "list_activities", nextToken="forged")

    def test_refusals(self):
        self.invalid_arn("activityArn", "describe_activity", "delete_activity", "get_activity_task")
        missing = activity_arn("missing")
        for operation in ["describe_activity", "get_activity_task"]:
            self.refused(
                "ActivityDoesNotExist", f"Activity Does Not Exist: '{missing}'", operation, activityArn=missing
            )
        self.refused("InvalidName", "Invalid Name: 'a*b'", "create_activity", name="a*b")
        self.invalid(
            f"'{'w' * 81}' at 'workerName' failed to satisfy constraint: Member must have length less than or equal to "
            "80",
            "get_activity_task", activityArn=missing, workerName="w" * 81,
        )

    def test_a_thousand_workers_poll_and_one_more(self):
        activity, of = worker("crowded")
        wires = {}
        for _ in range(POLLERS_MAX + 1):
            wire = Wire(timeout=70)
            wire.send("AWSStepFunctions.GetActivityTask", json.dumps({"activityArn": activity}))
            wires[wire.connection.sock] = wire
        # One of them is answered at once, and then there is room for no other.
        refused = self.answered(wires)
        self.assertEqual(refused["__type"], "ActivityWorkerLimitExceeded")
        self.refused(
            "ActivityWorkerLimitExceeded",
            "The maximum number of workers concurrently polling for activity tasks has been reached.",
            "get_activity_task", activityArn=activity,
        )
        execution = start(of, input="7")
        self.assertEqual(self.answered(wires)["input"], "7")
        states.stop_execution(executionArn=execution)
        states.delete_activity(activityArn=activity)
        gone = [self.answered(wires)["__type"] for _ in range(POLLERS_MAX - 1)]
        self.assertEqual((set(gone), wires), ({"ActivityDoesNotExist"}, {}))

    def answered(self, wires):
        """The first answer to one of many requests, which then is none of them any more."""
        selector = selectors.DefaultSelector()
        for sock in wires:
            selector.register(sock, selectors.EVENT_READ)
        ready = selector.select(PATIENCE_SECONDS)
        selector.close()
        self.assertTrue(ready, "no answer")
        wire = wires.pop(ready[0][0].fileobj)
        answer = json.loads(wire.answer()[1])
        wire.close()
        return answer


class Workers(Boto3):
    def test_a_worker_beats_and_completes(self):
        activity, of = worker("works", HeartbeatSeconds=60)
        execution = start(of, input='{"n": 7}')
        job = poll(activity)
        token = job["taskToken"]
        self.assertEqual(json.loads(job["input"]), {"n": 7})
        states.send_task_heartbeat(taskToken=token)
        self.refused(
            "InvalidOutput", f"Invalid Output: '{NOT_JSON}'", "send_task_success", taskToken=token, output="not json",
        )
        states.send_task_success(taskToken=token, output='{"n": 8}')
        shown = ended(execution)
        self.assertEqual((shown["status"], json.loads(shown["output"])), ("SUCCEEDED", {"n": 8}))
        self.assertEqual(types(execution), [
            "ExecutionStarted", "TaskStateEntered", "ActivityScheduled", "ActivityStarted", "ActivitySucceeded",
            "TaskStateExited", "ExecutionSucceeded",
        ])
        started = events(execution)[3]["activityStartedEventDetails"]
        self.assertEqual(started["workerName"], "worker-1")
        # A task is answered once.
        for operation, members in ANSWERS:
            self.refused("TaskTimedOut", CLOSED, operation, taskToken=token, **members)

    def test_a_worker_fails_a_task(self):
        activity, of = worker("breaks")
        execution = start(of)
        states.send_task_failure(taskToken=poll(activity)["taskToken"], error="Broken", cause="a screw")
        shown = ended(execution)
        self.assertEqual((shown["status"], shown["error"], shown["cause"]), ("FAILED", "Broken", "a screw"))

    def test_a_worker_that_misses_its_heartbeat(self):
        retry = [{"ErrorEquals": ["States.HeartbeatTimeout"], "IntervalSeconds": 1, "MaxAttempts": 1}]
        activity, of = worker("sleeps", HeartbeatSeconds=1, Retry=retry)
        execution = start(of)
        first = poll(activity)["taskToken"]
        second = poll(activity)["taskToken"]
        self.assertNotEqual(second, first)
        self.refused("TaskTimedOut", CLOSED, "send_task_success", taskToken=first, output="1")
        states.send_task_success(taskToken=second, output="2")
        self.assertEqual(ended(execution)["output"], "2")

    def test_a_stopped_execution_takes_no_answer(self):
        activity, of = worker("stopped")
        execution = start(of)
        token = poll(activity)["taskToken"]
        states.stop_execution(executionArn=execution)
        for operation, members in ANSWERS:
            self.refused("TaskTimedOut", CLOSED, operation, taskToken=token, **members)

    def test_a_task_whose_activity_is_gone(self):
        activity, of = worker("abandoned")
        execution = start(of)
        token = poll(activity)["taskToken"]
        states.delete_activity(activityArn=activity)
        for operation, members in ANSWERS:
            self.refused("TaskDoesNotExist", GONE, operation, taskToken=token, **members)
        self.assertEqual(describe(execution)["status"], "RUNNING")
        states.stop_execution(executionArn=execution)

    def test_forged_tokens(self):
        for token in ["forged", "A" * 100, "x" * 2048]:
            for operation, members in ANSWERS:
                self.refused("InvalidToken", INVALID_TOKEN, operation, taskToken=token, **members)
        # The token is looked at before the output.
        self.refused("InvalidToken", INVALID_TOKEN, "send_task_success", taskToken="forged", output="not json")
        # A token whose end was changed is not taken for the other.
        activity, of = worker("careful")
        execution = start(of)
        token = poll(activity)["taskToken"]
        for at in [0, len(token) // 2, len(token) - 2]:
            other = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
            self.refused("InvalidToken", INVALID_TOKEN, "send_task_heartbeat", taskToken=other)
        states.send_task_success(taskToken=token, output="1")
        self.assertEqual(ended(execution)["status"], "SUCCEEDED")


class Callbacks(Boto3):
    def test_a_task_that_waits_for_its_token(self):
        execution = start(create("calls-back", callback()))

        def token():
            scheduled = [event for event in events(execution) if event["type"] == "TaskScheduled"]
            return scheduled and json.loads(scheduled[0]["taskScheduledEventDetails"]["parameters"])["Payload"]["token"]

        token = wait_for("the task to be scheduled", token)
        # There is no such function, and the answer may come before the task finds out.
        self.assertLessEqual(len(token), 2048)
        ended(execution)
        self.refused("TaskTimedOut", CLOSED, "send_task_success", taskToken=token, output="1")
