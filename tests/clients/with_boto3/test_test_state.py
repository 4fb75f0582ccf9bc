"""TestState: one state on its own, performed or mocked."""

import json

from boto import Boto3, states
from shared import NOT_JSON, PASS, task

WORK = {
    "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True,
    "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 2}],
}
MAP = {"Type": "Map", "End": True, "ItemProcessor": {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}}


class TestState(Boto3):
    def test_a_state_is_performed(self):
        state = json.dumps({"Type": "Pass", "Parameters": {"b.$": "$.a"}, "Next": "There"})
        tested = states.test_state(definition=state, input='{"a": 1}', inspectionLevel="DEBUG")
        self.assertEqual((tested["status"], tested["nextState"]), ("SUCCEEDED", "There"))
        self.assertEqual(json.loads(tested["output"]), {"b": 1})
        self.assertEqual(json.loads(tested["inspectionData"]["afterParameters"]), {"b": 1})
        tested = states.test_state(definition=PASS, stateName="A")
        self.assertEqual((tested["status"], json.loads(tested["output"])), ("SUCCEEDED", {"a": 1}))
        variables = json.dumps({"x": 7})
        state = json.dumps({"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $x + 1 %}", "End": True})
        tested = states.test_state(definition=state, variables=variables, inspectionLevel="DEBUG")
        self.assertEqual((tested["output"], json.loads(tested["inspectionData"]["variables"])), ("8", {"x": 7}))

    def test_a_state_is_mocked(self):
        mock = {"result": '{"MessageId": "m"}', "fieldValidationMode": "STRICT"}
        tested = states.test_state(definition=json.dumps(WORK), mock=mock)
        self.assertEqual((tested["status"], tested["output"]), ("SUCCEEDED", '{"MessageId": "m"}'))
        tested = states.test_state(
            definition=json.dumps(WORK), mock={"errorOutput": {"error": "E", "cause": "C"}},
            inspectionLevel="TRACE", stateConfiguration={"retrierRetryCount": 1},
        )
        self.assertEqual((tested["status"], tested["error"], tested["cause"]), ("RETRIABLE", "E", "C"))
        self.assertEqual(
            tested["inspectionData"]["errorDetails"], {"retryIndex": 0, "retryBackoffIntervalSeconds": 2}
        )
        tested = states.test_state(definition=json.dumps(MAP), input="[1, 2]", mock={"result": "[3, 4]"})
        self.assertEqual((tested["status"], tested["output"]), ("SUCCEEDED", "[3, 4]"))

    def test_refusals(self):
        work = json.dumps(WORK)
        for members, message in [
            ({"definition": work}, "RoleArn must be specified when testing a Task state"),
            ({"definition": work, "mock": {"result": "1", "errorOutput": {"error": "E"}}},
             "A test mock should have only one of the following fields: [result, errorOutput]."),
            ({"definition": work, "mock": {"result": "not json"}}, "Mocked result must be valid JSON"),
            ({"definition": json.dumps(MAP), "mock": {"result": "{}"}}, "Mocked result must be an array."),
            ({"definition": json.dumps({"Type": "Pass", "End": True}), "mock": {"result": "1"}},
             "State type 'Pass' is not supported when a mock is specified"),
            ({"definition": work, "revealSecrets": True, "mock": {"result": "{}"}},
             "TestState does not support RevealSecrets when a mock is specified."),
            ({"definition": PASS, "stateName": "B"}, "State not found in definition"),
            ({"definition": work, "mock": {"result": "{}"}, "context": '{"x": 1}'},
             "Invalid Context object provided: Field 'x' is not allowed"),
        ]:
            self.refused("ValidationException", message, "test_state", **members)
        self.refused(
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, "
            "Succeed, Fail, Choice]",
            "test_state", definition=json.dumps(MAP),
        )
        self.refused(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{NOT_JSON}'",
            "test_state", definition='{"Type": "Succeed"}', input="not json",
        )
        self.refused("InvalidArn", "Invalid Role Arn: 'role'", "test_state", definition=work, roleArn="role")
