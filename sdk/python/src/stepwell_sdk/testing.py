"""The host's side of a task in a test: what the task is told, and what it told the host.

    with testing.host(attempt=2) as host:
        quote(Order("book", 1))
    assert host.lines == [("info", "priced 1 book")]
    assert host.heartbeats == 0

    with testing.host(http=lambda request: http.Response(200, b'{"USD": 1.1}')) as host:
        convert(Conversion("EUR", "USD", 1_999))
    assert host.requests[0].url == "https://api.example.com/rates?base=EUR"
"""

from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from ._host import test_host
from .context import Context


class Host:
    """Plays the host for the tasks of one `with`."""

    def __init__(self, context: Context, secrets: Dict[str, str], http: Optional[Callable]) -> None:
        self.context = context
        self.secrets = secrets
        # Answers requests; without it none is granted.
        self.http = http
        # Those that were sent, oldest first: a `Request` of `stepwell_sdk.http` each.
        self.requests: List[Any] = []
        # What was logged: pairs of a level and a message, oldest first.
        self.lines: List[Tuple[str, str]] = []
        self.heartbeats = 0


@contextmanager
def host(
    *, secrets: Optional[Dict[str, str]] = None, http: Optional[Callable] = None, **context: Any
) -> Iterator[Host]:
    """Plays the host inside a `with`: with these secrets, and with fields of the `Context` that tasks are given.

    `http` takes a `Request` of `stepwell_sdk.http` and gives a `Response`, or raises what the task shall see.
    """
    double = Host(Context(**context), secrets or {}, http)
    token = test_host.set(double)
    try:
        yield double
    finally:
        test_host.reset(token)
