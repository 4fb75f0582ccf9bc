"""What the suites in Python are made with."""

import http.client
import json
import os
import pathlib
import time
import unittest
import urllib.parse

ENDPOINT = os.environ["STEPWELL_ENDPOINT"]
PREFIX = "arn:aws:states:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/tests"
OTHER_ROLE = "arn:aws:iam::123456789012:role/others"
PATIENCE_SECONDS = 30

# Operations that the server doesn't have yet; see `run`.
NOT_YET = os.environ["STEPWELL_NOT_YET"].split()


def machine(**states):
    """A definition that begins with the first state."""
    return json.dumps({"StartAt": next(iter(states)), "States": states})


PASS = machine(A={"Type": "Pass", "Result": {"a": 1}, "End": True})
CHAIN = machine(**{
    name: {"Type": "Pass", **({"Next": chr(ord(name) + 1)} if name < "F" else {"End": True})} for name in "ABCDEF"
})
WAIT = machine(W={"Type": "Wait", "Seconds": 1000, "End": True})
FAIL = machine(F={"Type": "Fail", "Error": "Refused", "Cause": "on request"})
NO_STATES = '{"StartAt": "A"}'

NOT_JSON = "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
NO_STATES_SAID = (
    "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'"
)
INVALID_TOKEN = "Invalid Token: 'Invalid token'"
NO_RESOURCE = "Request references a resource that does not exist."
WRONG_TYPE = "This operation is not supported by this type of state machine"


def task(resource, **fields):
    return machine(T={"Type": "Task", "Resource": resource, "End": True, **fields})


def callback(**fields):
    """A task that waits for whoever has its token. The token is known to nobody: a test finds it in the history."""
    parameters = {"FunctionName": "nobody", "Payload": {"token.$": "$$.Task.Token"}}
    return task("arn:aws:states:::lambda:invoke.waitForTaskToken", Parameters=parameters, **fields)


def distributed(concurrency=0, **processor):
    """A Map Run over the items of the input."""
    states = processor or {"A": {"Type": "Pass", "End": True}}
    return machine(M={
        "Type": "Map", "MaxConcurrency": concurrency, "Label": "run", "End": True,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": next(iter(states)), "States": states,
        },
    })


def guest(name):
    """The component of an example module."""
    return (pathlib.Path(os.environ["STEPWELL_GUESTS"]) / f"{name}.wasm").read_bytes()


def machine_arn(name):
    return f"{PREFIX}:stateMachine:{name}"


def execution_arn(of, name):
    return f"{PREFIX}:execution:{of}:{name}"


def activity_arn(name):
    return f"{PREFIX}:activity:{name}"


def violated(constraint):
    """What AWS says of one member that breaks a constraint of the service model."""
    return f"1 validation error detected: Value {constraint}"


def wait_for(what, look):
    """Looks until there is something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain for {what}")


class Wire:
    """One connection without a client's help: what is on the wire."""

    def __init__(self, timeout=PATIENCE_SECONDS):
        address = urllib.parse.urlsplit(ENDPOINT)
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)

    def send(self, target, body, method="POST", path="/", **headers):
        """Asks and does not wait for the answer."""
        named = {"X-Amz-Target": target} if target is not None else {}
        named |= {"Content-Type": "application/x-amz-json-1.0"} | headers
        self.connection.request(method, path, body, named)

    def answer(self):
        response = self.connection.getresponse()
        return response, response.read()

    def ask(self, operation, **members):
        """The status and the answer of an operation."""
        self.send(f"AWSStepFunctions.{operation}", json.dumps(members))
        response, body = self.answer()
        return response.status, json.loads(body)

    def call(self, operation, **members):
        status, answer = self.ask(operation, **members)
        if status != 200:
            raise AssertionError(f"{operation}: {answer}")
        return answer

    def close(self):
        self.connection.close()


class Noted(unittest.TestCase):
    """A test whose refusals are noted, for the list of declared errors."""

    maxDiff = None

    def note(self, operation, code):
        notes = pathlib.Path(os.environ["STEPWELL_NOTES"]) / f"{self.id()}.txt"
        with notes.open("a") as file:
            file.write(f"{operation} {code}\n")


def notes():
    """For each test, the operations and codes of its refusals."""
    folder = pathlib.Path(os.environ["STEPWELL_NOTES"])
    read = lambda file: {tuple(line.split()) for line in file.read_text().splitlines()}
    return {file.stem: read(file) for file in folder.glob("*.txt")}
