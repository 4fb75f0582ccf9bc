"""The decorator, and the way from the host's JSON text to a task's types and back."""

import inspect
import json
import traceback
import typing
from types import ModuleType
from typing import Any, Callable, Optional

from . import _host
from .context import Context
from .errors import INVALID_INPUT, INVALID_OUTPUT, TASK_STALLED, TaskError
from .typed import Names, Unfit, encoder, reader

# The largest output the host takes, in bytes of UTF-8 text: AWS's limit on a task's payload.
OUTPUT_BYTES_MAX = 262_144

_PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def task(function: Optional[Callable] = None, *, camel_case: bool = False) -> Callable:
    """Makes a function the task of its module. The function is given back as it is, with `json` beside it.

    Its first argument is the input, read as its annotation says: a dataclass, a `TypedDict`, `list[Item]` and so on,
    or plain JSON values without one. A second argument is the `Context`. It may be `async`. With `camel_case`, fields
    such as `order_id` are `orderId` in JSON.
    """
    if function is None:
        return lambda function: task(function, camel_case=camel_case)
    function.json = _Task(function, camel_case)
    return function


class _Task:
    """What the host calls: JSON text in, JSON text or a `TaskError` out."""

    def __init__(self, function: Callable, camel_case: bool) -> None:
        self.function = function
        self._names = Names(camel_case)
        self._takes_context = _takes_context(function)
        self._read: Optional[Callable] = None

    def prepare(self) -> None:
        """Makes sense of the annotations; a TypeError if JSON can't be read as they ask."""
        # Not before the first use, since a class may stand below the function that takes it.
        if self._read is None:
            hints = typing.get_type_hints(self.function, include_extras=True)
            first = next(iter(inspect.signature(self.function).parameters))
            self._read = reader(hints.get(first, Any), self._names)

    def __call__(self, text: str) -> str:
        self.prepare()
        try:
            value = self._parse(text)
            arguments = [value, _host.context()] if self._takes_context else [value]
            result = self.function(*arguments)
            if inspect.iscoroutine(result):
                result = _finish(result)
        except TaskError:
            raise
        except (Exception, SystemExit) as error:
            # As a function on AWS Lambda fails: under the name of the exception's class.
            _host.write_log("error", traceback.format_exc().rstrip())
            raise TaskError(type(error).__name__, str(error)) from error
        return self._write(result)

    def _parse(self, text: str) -> Any:
        try:
            value = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise TaskError(INVALID_INPUT, str(error)) from error
        try:
            return self._read(value, "")
        except Unfit as error:
            raise TaskError(INVALID_INPUT, str(error)) from None

    def _write(self, result: Any) -> str:
        options = {"default": encoder(self._names), "allow_nan": False, "separators": (",", ":")}
        try:
            text = json.dumps(result, ensure_ascii=False, **options)
            if not text.isascii() and _host.whole(text) != text:
                return json.dumps(result, **options)
            return text
        except (TypeError, ValueError, RecursionError) as error:
            raise TaskError(INVALID_OUTPUT, str(error)) from error


def only_task(module: ModuleType) -> Callable:
    """The one task of a Python module."""
    found = {id(value): value for value in vars(module).values() if isinstance(getattr(value, "json", None), _Task)}
    tasks = list(found.values())
    if len(tasks) == 1:
        return tasks[0]
    if not tasks:
        raise TypeError(f"{module.__name__} has no task: put @task before a function")
    names = ", ".join(task.__name__ for task in tasks)
    raise TypeError(f"{module.__name__} has several tasks ({names}), and a module has one")


def _takes_context(function: Callable) -> bool:
    name = getattr(function, "__name__", "this")
    parameters = list(inspect.signature(function).parameters.values())
    if not 1 <= len(parameters) <= 2 or any(parameter.kind not in _PLAIN for parameter in parameters):
        raise TypeError(f"the task {name} must take its input, and may take a Context after it; there is nothing else")
    if parameters[0].name == "self":
        raise TypeError(f"the task {name} must be a function, not a method")
    if len(parameters) == 2:
        annotation = parameters[1].annotation
        if annotation not in (inspect.Parameter.empty, Context, "Context", "stepwell_sdk.Context"):
            raise TypeError(f"the second argument of the task {name} is its Context, and not a {annotation}")
    return len(parameters) == 2


def _finish(coroutine: Any) -> Any:
    """Runs a coroutine that waits for nothing but itself: a module has one thread and nothing that wakes it."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise TaskError(TASK_STALLED, "the task waits for something that nothing in a module can wake")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
