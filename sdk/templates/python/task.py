"""A task: prices an order."""

from dataclasses import dataclass

from stepwell_sdk import Context, NamedTaskError, log, task


@dataclass
class Order:
    sku: str
    quantity: int


@dataclass
class Quote:
    total: int


class PriceUnavailable(NamedTaskError):
    """An error that a workflow can match by name."""


@task
def quote(order: Order, ctx: Context) -> Quote:
    if order.sku != "book":
        raise PriceUnavailable(f"no price for {order.sku}")
    log.info("priced %d x %s in attempt %d", order.quantity, order.sku, ctx.attempt)
    return Quote(total=1_999 * order.quantity)
