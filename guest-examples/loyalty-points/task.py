"""`loyalty-points`: what a customer earns for an order, and the tier that it brings them to. Written in Python.

A point for each whole unit of money, more for what a campaign favours and in higher tiers, each bonus rounded down.
Money is in minor units and factors are decimals, so that no point hangs on a binary fraction.
"""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Optional

from stepwell_sdk import Context, NamedTaskError, log, task

# Minor units that make a point, by currency.
UNITS_PER_POINT = {"CHF": 100, "EUR": 100, "GBP": 100, "USD": 100, "JPY": 150, "KWD": 300}

# Tiers, the points of a year from which they begin, and the factor of their members' points.
TIERS = [("basic", 0, Decimal(1)), ("silver", 1_000, Decimal("1.25")), ("gold", 5_000, Decimal("1.5"))]

# Points are good until the end of the month so many months later.
MONTHS_GOOD = 24

# More in one order is a mistake or a fraud, and a person looks at it.
POINTS_MAX = 100_000


@dataclass
class Line:
    sku: str
    # Minor units.
    line_total: int


@dataclass
class Campaign:
    """So much more for articles whose name begins in a certain way, up to and including a day."""

    sku_prefix: str
    factor: str
    last_day: str


@dataclass
class Purchase:
    order_id: str
    currency: str
    placed_on: str
    lines: list[Line]
    points_this_year: int = 0
    campaigns: list[Campaign] = field(default_factory=list)


@dataclass
class Points:
    order_id: str
    base: int
    campaign_bonus: int
    tier_bonus: int
    total: int
    tier: str
    # The next tier and the points that are missing for it; absent for those who are in the highest.
    next_tier: Optional[str]
    points_to_next_tier: Optional[int]
    good_until: str


class UnsupportedCurrency(NamedTaskError):
    """There are no points for this currency."""


class InvalidPurchase(NamedTaskError):
    """A date, a factor or an amount is not what it should be."""


class TooManyPoints(NamedTaskError):
    """More than one order can earn."""


@task(camel_case=True)
def loyalty_points(purchase: Purchase, ctx: Context) -> Points:
    units = UNITS_PER_POINT.get(purchase.currency)
    if units is None:
        known = ", ".join(sorted(UNITS_PER_POINT))
        raise UnsupportedCurrency(f"no points for {purchase.currency}; known are {known}")
    placed_on = day(purchase.placed_on, "placedOn")
    base = bonus = 0
    for line in purchase.lines:
        if line.line_total < 0:
            raise InvalidPurchase(f"the line of {line.sku} has a total below 0")
        points = line.line_total // units
        base += points
        bonus += floor(points * (factor(line, purchase.campaigns, placed_on) - 1))
    _, _, tier_factor = tier_of(purchase.points_this_year)
    tier_bonus = floor(base * (tier_factor - 1))
    total = base + bonus + tier_bonus
    if total > POINTS_MAX:
        raise TooManyPoints(f"{total} points for one order; at most {POINTS_MAX} are given without a person's yes")
    log.info("%d points for %s in %s", total, purchase.order_id, ctx.execution_name)
    return summary(purchase, placed_on, base, bonus, tier_bonus)


def summary(purchase: Purchase, placed_on: date, base: int, bonus: int, tier_bonus: int) -> Points:
    total = base + bonus + tier_bonus
    after = purchase.points_this_year + total
    name, _, _ = tier_of(after)
    higher = next(((name, begin) for name, begin, _ in TIERS if begin > after), None)
    return Points(
        order_id=purchase.order_id,
        base=base,
        campaign_bonus=bonus,
        tier_bonus=tier_bonus,
        total=total,
        tier=name,
        next_tier=higher[0] if higher else None,
        points_to_next_tier=higher[1] - after if higher else None,
        good_until=good_until(placed_on).isoformat(),
    )


def factor(line: Line, campaigns: list[Campaign], placed_on: date) -> Decimal:
    """The best of the campaigns, since they don't add up."""
    best = Decimal(1)
    for campaign in campaigns:
        if line.sku.startswith(campaign.sku_prefix) and placed_on <= day(campaign.last_day, "lastDay"):
            best = max(best, decimal(campaign.factor))
    return best


def tier_of(points: int) -> tuple[str, int, Decimal]:
    return max((tier for tier in TIERS if tier[1] <= points), key=lambda tier: tier[1], default=TIERS[0])


def good_until(placed_on: date) -> date:
    years, month = divmod(placed_on.month - 1 + MONTHS_GOOD, 12)
    year = placed_on.year + years
    return date(year, month + 1, monthrange(year, month + 1)[1])


def floor(points: Decimal) -> int:
    return int(points.to_integral_value(rounding=ROUND_DOWN))


def day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidPurchase(f"{name} must be a day such as 2026-03-31, and not {text}") from None


def decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 1 <= number <= 10:
        raise InvalidPurchase(f"the factor of a campaign is from 1 to 10, and not {text}")
    return number
