"""Express machines, and the executions that they have."""

from boto import Boto3, create, start, states
from shared import FAIL, NOT_JSON, PASS, PREFIX, WRONG_TYPE, machine, machine_arn, task

EXPRESS = {"type": "EXPRESS"}
NOT_HERE = "Invalid Arn: 'Resource type not valid in this context: express'"


class Express(Boto3):
    def test_a_synchronous_execution(self):
        of = create("express", PASS, **EXPRESS)
        done = states.start_sync_execution(stateMachineArn=of, name="n", input="[1]", traceHeader="Root=1")
        self.assertRegex(done["executionArn"], rf"^{PREFIX}:express:express:n:[0-9a-f-]{{36}}$")
        self.assertEqual((done["status"], done["input"], done["output"]), ("SUCCEEDED", "[1]", '{"a":1}'))
        self.assertEqual((done["stateMachineArn"], done["name"], done["traceHeader"]), (of, "n", "Root=1"))
        self.assertLessEqual(done["startDate"], done["stopDate"])
        billed = done["billingDetails"]
        self.assertEqual((billed["billedMemoryUsedInMB"], billed["billedDurationInMilliseconds"] % 100), (64, 0))
        # A name is free again at once.
        again = states.start_sync_execution(stateMachineArn=of, name="n", includedData="METADATA_ONLY")
        self.assertNotEqual(again["executionArn"], done["executionArn"])
        self.assertFalse({"input", "output"} & set(again))
        self.assertEqual((again["inputDetails"], again["outputDetails"]), ({"included": False}, {"included": False}))

    def test_a_failed_synchronous_execution_is_an_answer(self):
        done = states.start_sync_execution(stateMachineArn=create("express-fails", FAIL, **EXPRESS))
        self.assertEqual((done["status"], done["error"], done["cause"]), ("FAILED", "Refused", "on request"))
        late = '{"StartAt": "W", "TimeoutSeconds": 1, "States": {"W": {"Type": "Wait", "Seconds": 60, "End": true}}}'
        done = states.start_sync_execution(stateMachineArn=create("express-late", late, **EXPRESS))
        self.assertEqual((done["status"], done["error"]), ("TIMED_OUT", "States.Timeout"))

    def test_what_there_is_not_of_an_express_execution(self):
        of = create("express-hidden", PASS, **EXPRESS)
        self.assertEqual(states.describe_state_machine(stateMachineArn=of)["type"], "EXPRESS")
        started = start(of)
        for operation in [
            "describe_execution", "get_execution_history", "stop_execution", "describe_state_machine_for_execution",
            "list_map_runs",
        ]:
            self.refused("InvalidArn", NOT_HERE, operation, executionArn=started)

    def test_refusals(self):
        of = create("express-refusals", PASS, **EXPRESS)
        start_sync = "start_sync_execution"
        self.refused(
            "StateMachineTypeNotSupported", WRONG_TYPE, start_sync, stateMachineArn=create("standard", PASS)
        )
        self.invalid_arn("stateMachineArn", start_sync)
        missing = machine_arn("missing")
        self.refused(
            "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'",
            start_sync, stateMachineArn=missing,
        )
        self.refused("InvalidName", "Invalid Name: 'a b'", start_sync, stateMachineArn=of, name="a b")
        self.refused(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{NOT_JSON}'",
            start_sync, stateMachineArn=of, input="not json",
        )
        callback = task("arn:aws:states:::sqs:sendMessage.waitForTaskToken")
        self.refused(
            "InvalidDefinition",
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Express state machine does not support "
            "'.waitForTaskToken' service integration  at /States/T/Resource'",
            "create_state_machine", name="waits", definition=callback, roleArn="arn:aws:iam::1:role/r", **EXPRESS,
        )
