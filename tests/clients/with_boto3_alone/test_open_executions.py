"""The limit of open Express executions. While it is reached no other test could start one."""

import concurrent.futures
import json

from boto import Boto3, create, states
from shared import Wire, machine

OPEN_MAX = 10_000
CONNECTIONS = 20


class OpenExecutions(Boto3):
    def test_ten_thousand_are_open_and_one_more(self):
        slow = machine(W={"Type": "Wait", "Seconds": 1000, "End": True})
        express = create("open", slow, type="EXPRESS")
        body = json.dumps({"stateMachineArn": express})

        def start_many(count):
            wire = Wire()
            for _ in range(count):
                wire.send("AWSStepFunctions.StartExecution", body)
                response, answer = wire.answer()
                self.assertEqual(response.status, 200, answer)
            wire.close()

        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(start_many, [OPEN_MAX // CONNECTIONS] * CONNECTIONS))
        self.refused(
            "ExecutionLimitExceeded",
            "The maximum number of running executions has been reached. Running executions must end or be stopped "
            "before a new execution can be started.",
            "start_execution", stateMachineArn=express,
        )
        # Standard executions have no such limit.
        standard = create("unlimited", slow)
        execution = states.start_execution(stateMachineArn=standard)["executionArn"]
        states.stop_execution(executionArn=execution)
