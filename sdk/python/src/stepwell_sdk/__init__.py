"""Write a Stepwell task in Python: one decorated function, JSON in, JSON out.

    from dataclasses import dataclass
    from stepwell_sdk import TaskError, task

    @dataclass
    class Order:
        sku: str
        quantity: int

    @task
    def quote(order: Order) -> dict:
        if order.sku != "book":
            raise TaskError("PriceUnavailable", f"no price for {order.sku}")
        return {"total": 1_999 * order.quantity}

The function stays an ordinary function, and `quote.json` is what the host calls: JSON text in, JSON text out. Build
with `python -m stepwell_sdk.build`. Outside of a module the host is a test double, see `stepwell_sdk.testing`.
"""

from . import log
from ._host import heartbeat, secret
from .context import Context
from .errors import NamedTaskError, SecretError, TaskError
from .task import OUTPUT_BYTES_MAX, task

__all__ = [
    "Context",
    "NamedTaskError",
    "OUTPUT_BYTES_MAX",
    "SecretError",
    "TaskError",
    "heartbeat",
    "log",
    "secret",
    "task",
]
