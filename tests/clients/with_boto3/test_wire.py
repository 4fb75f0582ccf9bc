"""What is on the wire: headers, codes, unknown operations, bodies that are none, and host names."""

import json
import re
import socket

import botocore.exceptions

from boto import Boto3, client, create, states
from shared import ENDPOINT, NOT_YET, PASS, Wire, machine_arn

REQUEST_ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
JSON = "application/x-amz-json-1.0"
TARGET = "AWSStepFunctions."


class Wires(Boto3):
    def setUp(self):
        self.wire = Wire()

    def tearDown(self):
        self.wire.close()

    def ask(self, target, body, **headers):
        self.wire.send(target, body, **headers)
        response, answer = self.wire.answer()
        return response, json.loads(answer)

    def refusal(self, status, code, target, body, **headers):
        """Holds a refusal against what is expected: status, code in body and header, request id."""
        response, answer = self.ask(target, body, **headers)
        self.assertEqual((response.status, answer["__type"]), (status, code), answer)
        self.assertEqual(response.headers["x-amzn-errortype"], code)
        self.assertEqual(response.headers["content-type"], JSON)
        self.assertRegex(response.headers["x-amzn-requestid"], REQUEST_ID)
        return answer["message"]

    def test_answers_have_ids_of_their_own(self):
        ids = set()
        for _ in range(3):
            response, answer = self.ask(f"{TARGET}ListStateMachines", "{}")
            self.assertEqual((response.status, response.headers["content-type"]), (200, JSON))
            self.assertIn("stateMachines", answer)
            self.assertRegex(response.headers["x-amzn-requestid"], REQUEST_ID)
            ids.add(response.headers["x-amzn-requestid"])
        self.assertEqual(len(ids), 3)
        answer = states.list_state_machines()
        self.assertRegex(answer["ResponseMetadata"]["RequestId"], REQUEST_ID)

    def test_times_are_numbers_with_milliseconds(self):
        created = self.wire.call("CreateActivity", name="times")["creationDate"]
        self.assertIsInstance(created, float)
        self.assertEqual(round(created, 3), created)

    def test_unknown_operations(self):
        for target, message in [
            (f"{TARGET}Dance", "There is no operation 'Dance'."),
            (f"{TARGET}startExecution", "There is no operation 'startExecution'."),
            (TARGET, "There is no operation ''."),
            ("DynamoDB_20120810.PutItem", "There is no operation 'DynamoDB_20120810.PutItem'."),
            (None, "The header X-Amz-Target is missing; it names the operation, such as "
                   "AWSStepFunctions.StartExecution."),
        ]:
            self.assertEqual(self.refusal(400, "UnknownOperationException", target, "{}"), message)

    def test_every_operation_of_the_model_is_known(self):
        model = states.meta.service_model
        self.assertEqual(len(model.operation_names), 37)
        for operation in model.operation_names:
            status, answer = self.wire.ask(operation, **{"taskToken": 5} if operation == "GetActivityTask" else {})
            self.assertEqual(
                answer.get("__type") == "UnknownOperationException", operation in NOT_YET, f"{operation}: {answer}"
            )
            self.assertLess(status, 500)

    def test_bodies_that_are_none(self):
        start = f"{TARGET}StartExecution"
        for body, message in [
            ("nope", "The request body is not valid JSON"),
            ('{"stateMachineArn": ', "The request body is not valid JSON"),
            ("{} {}", "The request body is not valid JSON"),
            ("[]", "The request body must be a JSON object."),
            ("null", "The request body must be a JSON object."),
            (b"\xff\xfe", "The request body is not valid UTF-8."),
            ("[" * 100_000, "The request body is not valid JSON"),
            ('{"stateMachineArn": 7}', "NUMBER_VALUE can not be converted to a String"),
        ]:
            self.assertIn(message, self.refusal(400, "SerializationException", start, body))
        self.refusal(413, "RequestEntityTooLargeException", start, " " * (3 << 20))
        self.wire = Wire()
        # Some clients send nothing where nothing must be given, and members that nobody knows are ignored.
        for body in ["", "{}", '{"dance": 1}', '{"maxResults": null}']:
            self.assertEqual(self.ask(f"{TARGET}ListActivities", body)[0].status, 200)

    def test_status_codes(self):
        missing = json.dumps({"stateMachineArn": machine_arn("nowhere")})
        self.refusal(400, "StateMachineDoesNotExist", f"{TARGET}DescribeStateMachine", missing)
        # 402 and 413 are in the tests of quotas and of bodies.
        self.wire.send(f"{TARGET}ListStateMachines", None, method="GET")
        response, answer = self.wire.answer()
        self.assertEqual((response.status, json.loads(answer)["error"]), (405, "MethodNotAllowed"))
        self.wire.send(f"{TARGET}ListStateMachines", "{}", path="/nowhere")
        response, answer = self.wire.answer()
        self.assertEqual((response.status, json.loads(answer)["error"]), (404, "NotFound"))

    def test_every_host_name_is_answered(self):
        for host in ["sync-localhost", "states.us-east-1.amazonaws.com", "sync-states.us-east-1.amazonaws.com", "x:1"]:
            response, _ = self.ask(f"{TARGET}ListStateMachines", "{}", Host=host)
            self.assertEqual(response.status, 200)


class HostPrefix(Boto3):
    """SDKs put `sync-` before the host for StartSyncExecution and TestState."""

    def test_with_a_host_that_has_the_name(self):
        express = create("prefixed", PASS, type="EXPRESS")
        # Only names with the prefix are looked up here, so nobody else's are.
        resolve, asked = socket.getaddrinfo, []

        def look_up(host, *arguments, **members):
            if host.startswith("sync-"):
                asked.append(host)
                host = host.removeprefix("sync-")
            return resolve(host, *arguments, **members)

        socket.getaddrinfo = look_up
        try:
            prefixed = client(inject_host_prefix=True)
            self.assertEqual(prefixed.start_sync_execution(stateMachineArn=express)["status"], "SUCCEEDED")
            self.assertEqual(prefixed.test_state(definition=PASS, stateName="A")["status"], "SUCCEEDED")
            # The others are asked under the name as it is.
            self.assertEqual(prefixed.describe_state_machine(stateMachineArn=express)["name"], "prefixed")
        finally:
            socket.getaddrinfo = resolve
        self.assertEqual(set(asked), {"sync-" + ENDPOINT.removeprefix("http://").split(":")[0]})

    def test_without_the_prefix(self):
        express = create("unprefixed", PASS, type="EXPRESS")
        # By the client's own option; that of the environment is what the CLI is tested with.
        plain = client(inject_host_prefix=False)
        self.assertEqual(plain.start_sync_execution(stateMachineArn=express)["status"], "SUCCEEDED")

    def test_a_name_that_nobody_has(self):
        prefixed = client(inject_host_prefix=True, connect_timeout=2)
        resolve = socket.getaddrinfo

        def refuse(host, *arguments, **members):
            if host.startswith("sync-"):
                raise socket.gaierror(socket.EAI_NONAME, "no such host")
            return resolve(host, *arguments, **members)

        socket.getaddrinfo = refuse
        try:
            with self.assertRaises(botocore.exceptions.EndpointConnectionError):
                prefixed.test_state(definition=PASS, stateName="A")
        finally:
            socket.getaddrinfo = resolve
