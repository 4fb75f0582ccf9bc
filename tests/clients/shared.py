"""What both clients are tested with."""

import json
import os
import time

ENDPOINT = os.environ["STEPWELL_ENDPOINT"]
PREFIX = "arn:aws:states:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/tests"
PATIENCE_SECONDS = 30


def machine(**states):
    """A definition that begins with the first state."""
    return json.dumps({"StartAt": next(iter(states)), "States": states})


PASS = machine(A={"Type": "Pass", "Result": {"a": 1}, "End": True})
CHAIN = machine(**{
    name: {"Type": "Pass", **({"Next": chr(ord(name) + 1)} if name < "F" else {"End": True})} for name in "ABCDEF"
})
WAIT = machine(W={"Type": "Wait", "Seconds": 1000, "End": True})
FAIL = machine(F={"Type": "Fail", "Error": "Refused", "Cause": "on request"})


def task(resource, **fields):
    return machine(T={"Type": "Task", "Resource": resource, "End": True, **fields})


def wait_for(what, look):
    """Looks until there is something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain for {what}")
