"""Which attempt of which state a call is, and how long it may still take."""

import time
from dataclasses import dataclass, field
from typing import Optional

# The time that a test's context has left.
TEST_SECONDS = 60.0


@dataclass(frozen=True)
class Context:
    """The call this code runs in. A task that takes one as its second argument is given it.

    Without arguments it is a plausible first attempt with a minute to go, for tests to vary.
    """

    execution_arn: str = "arn:aws:states:us-east-1:123456789012:execution:example:test"
    # The same over all attempts, so a good part of an idempotency key.
    execution_name: str = "test"
    state_machine_arn: str = "arn:aws:states:us-east-1:123456789012:stateMachine:example"
    state_name: str = "Task"
    # 0 for the first attempt of the state, then one more for each retry.
    attempt: int = 0
    # When the host stops this call, in seconds since the Unix epoch as of `time.time()`.
    deadline: float = field(default_factory=lambda: time.time() + TEST_SECONDS)
    # Present when the state waits for a task token. Whoever has it can answer the task, so it is not printed.
    task_token: Optional[str] = field(default=None, repr=False)

    @staticmethod
    def current() -> "Context":
        """The context of the call that runs now."""
        from . import _host

        return _host.context()

    def remaining(self) -> float:
        """Seconds left before the host stops this call; 0 once the deadline has passed."""
        return max(self.deadline - time.time(), 0.0)
