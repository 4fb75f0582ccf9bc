"""Histories: in pages, backwards and without data."""

from boto import Boto3, create, ended, events, start, states
from shared import CHAIN, FAIL, INVALID_TOKEN

# Sizes of pages below, of and above the history's 14 events.
SIZES = [1, 5, 14, 1000]


class History(Boto3):
    def test_history_in_pages_and_backwards(self):
        execution = start(create("chain", CHAIN))
        ended(execution)
        whole = states.get_execution_history(executionArn=execution)["events"]
        self.assertEqual([event["id"] for event in whole], list(range(1, 15)))
        self.assertEqual([event["previousEventId"] for event in whole], [0, 0, *range(2, 14)])
        paginator = states.get_paginator("get_execution_history")
        for size in SIZES:
            for reverse in [False, True]:
                pages = list(paginator.paginate(
                    executionArn=execution, reverseOrder=reverse, PaginationConfig={"PageSize": size}
                ))
                found = [event for page in pages for event in page["events"]]
                self.assertEqual(found, whole[::-1] if reverse else whole)
                self.assertTrue(all(len(page["events"]) <= size for page in pages))
        first = states.get_execution_history(executionArn=execution, maxResults=3)
        self.assertEqual(len(first["events"]), 3)
        rest = {"executionArn": execution, "maxResults": 3, "nextToken": first["nextToken"]}
        self.assertEqual(states.get_execution_history(**rest)["events"], whole[3:6])
        self.refused(
            "InvalidToken", INVALID_TOKEN, "get_execution_history", reverseOrder=True, **rest,
        )
        self.refused(
            "InvalidToken", INVALID_TOKEN, "get_execution_history", executionArn=execution, nextToken="forged",
        )

    def test_events_have_their_details(self):
        execution = start(create("told", CHAIN), input='{"a": 1}')
        ended(execution)
        whole = events(execution)
        self.assertEqual(whole[0]["executionStartedEventDetails"]["input"], '{"a": 1}')
        self.assertEqual(whole[0]["executionStartedEventDetails"]["inputDetails"], {"truncated": False})
        self.assertEqual(whole[1]["stateEnteredEventDetails"]["name"], "A")
        self.assertEqual(whole[2]["stateExitedEventDetails"]["output"], '{"a": 1}')
        self.assertEqual(whole[-1]["executionSucceededEventDetails"]["output"], '{"a": 1}')
        hidden = events(execution, includeExecutionData=False)
        self.assertEqual([event["type"] for event in hidden], [event["type"] for event in whole])
        for event in hidden:
            for details in event.values():
                if isinstance(details, dict):
                    self.assertFalse({"input", "output"} & set(details), event)

    def test_a_failure_is_told(self):
        execution = start(create("told-failure", FAIL))
        ended(execution)
        last = events(execution)[-1]
        self.assertEqual((last["type"], last["executionFailedEventDetails"]),
                         ("ExecutionFailed", {"error": "Refused", "cause": "on request"}))
