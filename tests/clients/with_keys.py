"""Signed requests of boto3 and the AWS CLI against a server with one access key, which is in the environment.

The server has the key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; everything else must be refused.
"""

import datetime
import http.client
import os
import subprocess
import unittest
import urllib.parse
from unittest import mock

import boto3
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ConnectionClosedError

from shared import ENDPOINT, ROLE, WAIT, guest

REGION = "us-east-1"
KEY = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
HOST = urllib.parse.urlsplit(ENDPOINT).netloc
DATE = botocore.auth.get_current_datetime
MISMATCH = "The request signature we calculated does not match the signature you provided."


def client(retries=None, **options):
    config = Config(retries=retries or {"total_max_attempts": 1})
    return boto3.client("stepfunctions", endpoint_url=ENDPOINT, region_name=REGION, config=config, **options)


def signed(method, path, body=None, headers=None, sign=botocore.auth.SigV4Auth, service="states", **options):
    """A request with the signature of botocore."""
    request = AWSRequest(method, ENDPOINT + path, headers=headers or {}, data=body)
    sign(KEY, service, REGION, **options).add_auth(request)
    return request


def create(name):
    headers = {"X-Amz-Target": "AWSStepFunctions.CreateActivity", "Content-Type": "application/x-amz-json-1.0"}
    return signed("POST", "/", body=f'{{"name": "{name}"}}', headers=headers)


def send(request, body=None):
    """Sends a request exactly as it is; gives the status and the text of the answer."""
    connection = http.client.HTTPConnection(HOST, timeout=60)
    try:
        url = urllib.parse.urlsplit(request.url)
        path = url.path + (f"?{url.query}" if url.query else "")
        connection.request(request.method, path, request.data if body is None else body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


class Keys(unittest.TestCase):
    def refused(self, code, message, client, **members):
        with self.assertRaises(ClientError) as caught:
            client.list_state_machines(**members)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], code)
        self.assertTrue(error["Message"].startswith(message), error["Message"])
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)

    def answered(self, expected, answer):
        status, text = answer
        self.assertEqual(status, expected[0], text)
        self.assertIn(expected[1], text)

    def test_a_good_key_does_all(self):
        good = client()
        machine = good.create_state_machine(name="keys", definition=WAIT, roleArn=ROLE)["stateMachineArn"]
        first = good.start_execution(stateMachineArn=machine, name="again", input="{}")
        # The same call again, often in the same second, has the same signature.
        for _ in range(5):
            again = good.start_execution(stateMachineArn=machine, name="again", input="{}")
            self.assertEqual(again["executionArn"], first["executionArn"])
        for region in ("eu-central-1", "xx-any-9"):
            other = boto3.client("stepfunctions", endpoint_url=ENDPOINT, region_name=region)
            self.assertIn("keys", [found["name"] for found in other.list_state_machines()["stateMachines"]])

    def test_functions_are_signed_for_lambda(self):
        def functions(**options):
            retries = Config(retries={"total_max_attempts": 1})
            return boto3.client("lambda", endpoint_url=ENDPOINT, region_name=REGION, config=retries, **options)

        good, code = functions(), guest("echo")
        good.create_function(FunctionName="signed", Role=ROLE, Code={"ZipFile": code}, Publish=True)
        arn = good.get_function(FunctionName="signed")["Configuration"]["FunctionArn"]
        # An ARN is escaped in the path, and the path is signed.
        answer = good.invoke(FunctionName=f"{arn}:1", Payload=b"[1]")
        self.assertEqual((answer["ExecutedVersion"], answer["Payload"].read()), ("1", b"[1]"))
        # A query with the same name more than once is signed in its order.
        good.tag_resource(Resource=arn, Tags={"b c": "1", "a": "2", "d": "3"})
        good.untag_resource(Resource=arn, TagKeys=["b c", "a"])
        self.assertEqual(good.list_tags(Resource=arn)["Tags"], {"d": "3"})
        wrong = functions(aws_access_key_id=KEY.access_key, aws_secret_access_key="wrong")
        for call in (
            lambda: wrong.list_functions(),
            lambda: wrong.invoke(FunctionName="signed"),
            lambda: wrong.update_function_code(FunctionName="signed", ZipFile=code),
        ):
            with self.assertRaises(ClientError) as caught:
                call()
            response = caught.exception.response
            self.assertEqual(response["Error"]["Code"], "InvalidSignatureException")
            self.assertTrue(response["Error"]["Message"].startswith(MISMATCH), response)
            self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], 403)
        good.delete_function(FunctionName="signed")

    def test_a_wrong_key_is_refused(self):
        wrong = client(aws_access_key_id=KEY.access_key, aws_secret_access_key="wrong")
        self.refused("InvalidSignatureException", MISMATCH, wrong)
        unknown = client(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key=KEY.secret_key)
        message = "The security token included in the request is invalid."
        self.refused("UnrecognizedClientException", message, unknown)
        session = client(
            aws_access_key_id=KEY.access_key, aws_secret_access_key=KEY.secret_key, aws_session_token="session"
        )
        self.refused("UnrecognizedClientException", message, session)
        unsigned = boto3.client(
            "stepfunctions",
            endpoint_url=ENDPOINT,
            region_name=REGION,
            config=Config(signature_version=botocore.UNSIGNED),
        )
        self.refused("MissingAuthenticationTokenException", "Missing Authentication Token", unsigned)

    def test_a_skewed_clock_is_refused(self):
        for minutes, message in ((-6, "Signature expired: "), (6, "Signature not yet current: ")):
            def skewed(*arguments, **options):
                return DATE(*arguments, **options) + datetime.timedelta(minutes=minutes)

            with mock.patch("botocore.auth.get_current_datetime", skewed):
                self.refused("InvalidSignatureException", message, client())

    def test_what_was_altered_is_refused(self):
        self.answered((200, "activityArn"), send(create("as-signed")))
        self.answered((400, MISMATCH), send(create("altered"), body='{"name": "another"}'))
        request = create("header")
        request.headers.replace_header("X-Amz-Target", "AWSStepFunctions.DeleteActivity")
        self.answered((400, MISMATCH), send(request))
        request = signed("GET", "/modules?from=", service="stepwell")
        request.url = request.url.replace("/modules?", "/keys?")
        self.answered((403, MISMATCH), send(request))
        request = signed("GET", "/executions/arn:aws:states:us-east-1:1:execution:m:a%20b/tasks?from=a%2Fb")
        self.assertNotIn("Signature", send(request)[1])
        request.url = request.url.replace("a%2Fb", "a%2Fc")
        self.answered((403, MISMATCH), send(request))

    def test_a_presigned_url_is_good_for_its_time(self):
        def presign(**options):
            return signed("GET", "/modules", sign=botocore.auth.SigV4QueryAuth, service="stepwell", **options)

        request = presign(expires=60)
        for _ in range(2):
            self.answered((200, "modules"), send(request))
        request.url = request.url.replace("X-Amz-Expires=60", "X-Amz-Expires=61")
        self.answered((403, MISMATCH), send(request))
        self.answered((403, "X-Amz-Expires must be"), send(presign(expires=700_000)))
        with mock.patch("botocore.auth.get_current_datetime", lambda *_: DATE() - datetime.timedelta(minutes=2)):
            self.answered((403, "Signature expired: "), send(presign(expires=60)))

    def test_a_presigned_operation_has_no_members(self):
        nothing = "'activityArn' failed to satisfy constraint: Member must not be null"
        for operation, members, target, expected in (
            ("list_activities", {}, "ListActivities", (200, "activities")),
            ("describe_activity", {"activityArn": "arn:a"}, "DescribeActivity", (400, nothing)),
        ):
            url = client().generate_presigned_url(operation, Params=members)
            headers = {"X-Amz-Target": f"AWSStepFunctions.{target}", "Content-Type": "application/x-amz-json-1.0"}
            self.answered(expected, send(AWSRequest("POST", url, headers=headers, data=b"")))
            headers["X-Amz-Target"] = "AWSStepFunctions.DeleteActivity"
            self.answered((400, MISMATCH), send(AWSRequest("POST", url, headers=headers, data=b"")))

    def test_a_signature_that_is_unique_is_taken_once(self):
        headers = {
            "X-Amz-Target": "AWSStepFunctions.CreateActivity",
            "amz-sdk-invocation-id": "f3b0c442",
            "amz-sdk-request": "attempt=1",
        }
        request = signed("POST", "/", body='{"name": "once"}', headers=headers)
        self.answered((200, "activityArn"), send(request))
        self.answered((400, "Signature already used"), send(request))
        headers["amz-sdk-request"] = "attempt=2"
        self.answered((200, "activityArn"), send(signed("POST", "/", body='{"name": "once"}', headers=headers)))

    def test_a_call_of_boto3_cannot_be_sent_again(self):
        sent = []
        overheard = client()
        overheard.meta.events.register("before-send.sfn.CreateActivity", lambda request, **_: sent.append(request))
        overheard.create_activity(name="overheard")
        (request,) = sent
        request.data = request.body
        for _ in range(2):
            self.answered((400, "Signature already used"), send(request))
        # The same call once more is another one, also within the second.
        for _ in range(3):
            overheard.create_activity(name="overheard")
        self.assertEqual(len({request.headers["amz-sdk-invocation-id"] for request in sent}), 4)

    def test_a_retry_is_taken_whose_first_attempt_was_done(self):
        sent = []

        def lose_the_first_answer(request, **_):
            sent.append(request)
            if len(sent) == 1:
                request.data = request.body
                self.answered((200, "executionArn"), send(request))
                raise ConnectionClosedError(endpoint_url=ENDPOINT)

        retrying = client(retries={"total_max_attempts": 2})
        machine = retrying.create_state_machine(name="retried", definition=WAIT, roleArn=ROLE)["stateMachineArn"]
        retrying.meta.events.register("before-send.sfn.StartExecution", lose_the_first_answer)
        retrying.start_execution(stateMachineArn=machine, name="once", input="{}")
        self.assertEqual([request.headers["amz-sdk-request"].split(b";")[0] for request in sent], [b"attempt=1", b"attempt=2"])
        self.assertEqual(len({request.headers["amz-sdk-invocation-id"] for request in sent}), 1)
        self.assertEqual(len(retrying.list_executions(stateMachineArn=machine)["executions"]), 1)

    def test_a_call_from_before_the_start_is_refused(self):
        def earlier(*arguments, **options):
            return DATE(*arguments, **options) - datetime.timedelta(minutes=4)

        # The server of these tests has not run for four minutes. Reading does no harm.
        with mock.patch("botocore.auth.get_current_datetime", earlier):
            with self.assertRaises(ClientError) as caught:
                client().create_activity(name="early")
            self.assertIn("when this server started", str(caught.exception))
            client().list_activities()

    def test_the_aws_cli_signs(self):
        command = ["aws", "stepfunctions", "list-activities", "--endpoint-url", ENDPOINT, "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        environ = {**os.environ, "AWS_SECRET_ACCESS_KEY": "wrong"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"(InvalidSignatureException) when calling the ListActivities operation: {MISMATCH}", done.stderr)
