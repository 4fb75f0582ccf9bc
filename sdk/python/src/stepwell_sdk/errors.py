"""A task's failure: a name that the workflow matches in `Retry` and `Catch`, and a cause for a person."""

# AWS limit: an error name has at most 256 characters.
ERROR_CHARS_MAX = 256
# AWS limit: a cause has at most 32,768 characters.
CAUSE_CHARS_MAX = 32_768

# An input that doesn't fit the task's type.
INVALID_INPUT = "InvalidInput"
# A result that can't be written as JSON.
INVALID_OUTPUT = "InvalidOutput"
# An `async` task that waits for what nothing can wake.
TASK_STALLED = "TaskStalled"


class TaskError(Exception):
    """A failure that the workflow can match by name. Names that start with `States.` are reserved."""

    def __init__(self, error: str, cause: str = "") -> None:
        self.error = str(error)[:ERROR_CHARS_MAX]
        self.cause = str(cause)[:CAUSE_CHARS_MAX]
        super().__init__(self.error, self.cause)

    def __str__(self) -> str:
        return f"{self.error}: {self.cause}"


class SecretError(TaskError):
    """There is no secret: `SecretNotGranted`, `SecretMissing` or `SecretUnavailable`, after `reason`.

    A task that lets it pass fails under that name.
    """

    def __init__(self, reason: str, name: str) -> None:
        self.reason = reason
        super().__init__("Secret" + "".join(part.capitalize() for part in reason.split("-")), f"{_WHY[reason]}: {name}")


# By their names in the contract with the host.
_WHY = {
    "not-granted": "the secret is not granted to this module",
    "missing": "there is no such secret",
    "unavailable": "the host cannot read its secrets now",
}


class NamedTaskError(TaskError):
    """A base for errors whose class is their name: `class OutOfStock(NamedTaskError)`, then `OutOfStock("no tea")`.

    A class gives itself another name with `name = "Stock.Empty"`.
    """

    name: "str | None" = None

    def __init__(self, cause: str = "") -> None:
        super().__init__(self.name or type(self).__name__, cause)
