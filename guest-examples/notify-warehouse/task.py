"""`notify-warehouse`: tells a warehouse what to pack, over its HTTP API. Written in Python.

The address of the API is in the environment, its key is a secret, and `module.toml` beside this file asks for both and for
the request. An attempt that is run again sends the same idempotency key, so nothing is packed twice.
"""

import os
from dataclasses import dataclass

from stepwell_sdk import Context, NamedTaskError, http, log, secret, task

# Where the API is, without a slash at its end.
URL_VARIABLE = "WAREHOUSE_URL"
KEY_SECRET = "warehouse-key"
# A retry is better than a long wait.
ANSWER_SECONDS = 10


@dataclass
class Line:
    sku: str
    quantity: int


@dataclass
class PackingOrder:
    order_id: str
    warehouse: str
    lines: list[Line]


@dataclass
class Ticket:
    order_id: str
    ticket: str
    # Whether an earlier attempt had sent the order already.
    known_before: bool


class NotConfigured(NamedTaskError):
    """The environment doesn't say where the API is."""


class NothingToPack(NamedTaskError):
    """The order has no lines, or one without a quantity."""


class OrderRejected(NamedTaskError):
    """The warehouse won't pack this, now or later."""


@task(camel_case=True)
def notify_warehouse(order: PackingOrder, ctx: Context) -> Ticket:
    if not order.lines or any(line.quantity < 1 for line in order.lines):
        raise NothingToPack(f"the order {order.order_id} has no line, or one with a quantity below 1")
    url = os.environ.get(URL_VARIABLE)
    if not url:
        raise NotConfigured(f"{URL_VARIABLE} is not in the environment")
    answer = http.post(
        f"{url}/orders",
        json={
            "reference": order.order_id,
            "warehouse": order.warehouse,
            "items": [{"sku": line.sku, "count": line.quantity} for line in order.lines],
        },
        headers={
            "authorization": f"Bearer {secret(KEY_SECRET)}",
            "idempotency-key": f"{ctx.execution_name}/{ctx.state_name}",
        },
        timeout=ANSWER_SECONDS,
    )
    if answer.status == 422:
        raise OrderRejected(answer.text)
    known_before = answer.status == 409
    # What else is no success, such as Http.StatusCode.503, is for a Retry block to match.
    told = answer.json() if known_before else answer.raise_for_status().json()
    log.info("%s has order %s as %s", order.warehouse, order.order_id, told["ticket"])
    return Ticket(order.order_id, told["ticket"], known_before)
