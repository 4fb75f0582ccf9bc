"""The host's side of a task in a test: what the task is told, and what it told the host.

    with testing.host(attempt=2) as host:
        quote(Order("book", 1))
    assert host.lines == [("info", "priced 1 book")]
    assert host.heartbeats == 0
"""

from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Tuple

from ._host import test_host
from .context import Context


class Host:
    """Plays the host for the tasks of one `with`."""

    def __init__(self, context: Context, secrets: Dict[str, str]) -> None:
        self.context = context
        self.secrets = secrets
        # What was logged: pairs of a level and a message, oldest first.
        self.lines: List[Tuple[str, str]] = []
        self.heartbeats = 0


@contextmanager
def host(*, secrets: Optional[Dict[str, str]] = None, **context: Any) -> Iterator[Host]:
    """Plays the host inside a `with`: with these secrets, and with fields of the `Context` that tasks are given."""
    double = Host(Context(**context), secrets or {})
    token = test_host.set(double)
    try:
        yield double
    finally:
        test_host.reset(token)
