"""What the host gives a task: the imports of its world in a module, a test double everywhere else."""

import sys
from contextvars import ContextVar
from typing import Any, Optional

from .context import Context
from .errors import SecretError

LEVELS = ("trace", "debug", "info", "warn", "error")

# The double of a test, see `stepwell_sdk.testing`.
test_host: ContextVar[Optional[Any]] = ContextVar("stepwell_test_host", default=None)

if sys.platform == "wasi":
    from componentize_py_types import Err
    from wit_world.imports import context as _context
    from wit_world.imports import heartbeat as _heartbeat
    from wit_world.imports import log as _log
    from wit_world.imports import secrets as _secrets

    _LEVELS = {level: getattr(_log.Level, level.upper()) for level in LEVELS}

    def context() -> Context:
        told = _context.current()
        return Context(
            execution_arn=told.execution_arn,
            execution_name=told.execution_name,
            state_machine_arn=told.state_machine_arn,
            state_name=told.state_name,
            attempt=told.attempt,
            deadline=told.deadline / 1_000,
            task_token=told.task_token,
        )

    def write_log(level: str, message: str) -> None:
        _log.write(_LEVELS[level], whole(message))

    def heartbeat() -> None:
        """Tells the engine that this task is still alive, as `HeartbeatSeconds` of its state asks for."""
        _heartbeat.beat()

    def secret(name: str) -> str:
        """The value of a secret that is granted to this module. Keep it out of results, errors and logs."""
        try:
            return _secrets.get(name)
        except Err as error:
            raise SecretError(error.value.name.lower().replace("_", "-"), name) from None

else:

    def context() -> Context:
        host = test_host.get()
        return host.context if host else Context()

    def write_log(level: str, message: str) -> None:
        host = test_host.get()
        if host:
            host.lines.append((level, message))
        else:
            print(f"{level}: {message}", file=sys.stderr)

    def heartbeat() -> None:
        """Tells the engine that this task is still alive, as `HeartbeatSeconds` of its state asks for."""
        host = test_host.get()
        if host:
            host.heartbeats += 1

    def secret(name: str) -> str:
        """The value of a secret that is granted to this module. Keep it out of results, errors and logs."""
        host = test_host.get()
        if host and name in host.secrets:
            return host.secrets[name]
        raise SecretError("not-granted", name)


def whole(text: str) -> str:
    """The text without halves of surrogate pairs, which Python's strings may hold and UTF-8 can't."""
    return text.encode("utf-8", "replace").decode("utf-8")
