"""What the suites through boto3 have in common."""

import boto3
import botocore.config

from shared import ENDPOINT, ROLE, Noted, wait_for

# The SDK's own message for the HTTP codes that are not 400.
STATUSES = {"ServiceQuotaExceededException": 402}


def client(**config):
    # No host name can be put before an address.
    options = {"retries": {"total_max_attempts": 1}, "read_timeout": 70, "inject_host_prefix": False} | config
    return boto3.client("stepfunctions", endpoint_url=ENDPOINT, config=botocore.config.Config(**options))


states = client(max_pool_connections=32)


def create(name, definition, **members):
    return states.create_state_machine(name=name, definition=definition, roleArn=ROLE, **members)["stateMachineArn"]


def start(machine, **members):
    return states.start_execution(stateMachineArn=machine, **members)["executionArn"]


def describe(execution):
    return states.describe_execution(executionArn=execution)


def ended(execution):
    def look():
        shown = describe(execution)
        return shown if shown["status"] != "RUNNING" else None

    return wait_for(f"the end of {execution}", look)


def events(execution, **members):
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution, **members)
    return [event for page in pages for event in page["events"]]


def types(execution, **members):
    return [event["type"] for event in events(execution, **members)]


class Boto3(Noted):
    def refused(self, code, message, operation, **members):
        """Holds the typed exception of the SDK against what is expected; gives its members."""
        with self.assertRaises(getattr(states.exceptions, code)) as caught:
            getattr(states, operation)(**members)
        error = caught.exception.response
        self.assertEqual((error["Error"]["Code"], error["Error"]["Message"]), (code, message))
        self.assertEqual(error["ResponseMetadata"]["HTTPStatusCode"], STATUSES.get(code, 400))
        self.assertTrue(error["ResponseMetadata"]["RequestId"])
        self.note(states.meta.method_to_api_mapping[operation], code)
        return error

    def invalid(self, constraint, operation, **members):
        """Holds what breaks a constraint of the service model against what AWS says of it."""
        return self.refused("ValidationException", f"1 validation error detected: Value {constraint}", operation, **members)

    def invalid_arn(self, member, *operations, **members):
        """Holds operations that get no ARN, and one of another kind, against what AWS says."""
        other = "arn:aws:states:us-east-1:123456789012:dance:d"
        for operation in operations:
            self.refused(
                "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nowhere'", operation, **{member: "nowhere"}, **members,
            )
            self.refused(
                "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: dance'", operation,
                **{member: other}, **members,
            )
