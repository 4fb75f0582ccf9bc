"""The task as an ordinary function and as the host calls it: `python -m unittest`, without WebAssembly or a server."""

import json
import unittest
from datetime import date

from stepwell_sdk import TaskError, testing

from task import Campaign, Line, Purchase, good_until, loyalty_points, tier_of

BOOKS = Campaign(sku_prefix="book-", factor="2.5", last_day="2026-03-31")


def purchase(**changes):
    given = {
        "order_id": "ord-1",
        "currency": "EUR",
        "placed_on": "2026-03-31",
        "lines": [Line("book-rust", 3_999), Line("mug-crab", 1_250)],
    }
    return Purchase(**given | changes)


class LoyaltyPoints(unittest.TestCase):
    def points(self, **changes):
        with testing.host(execution_name="e-1") as host:
            points = loyalty_points(purchase(**changes), host.context)
        self.assertEqual(host.lines, [("info", f"{points.total} points for ord-1 in e-1")])
        return points

    def refused(self, error, **changes):
        with testing.host() as host, self.assertRaises(TaskError) as caught:
            loyalty_points(purchase(**changes), host.context)
        self.assertEqual(caught.exception.error, error)
        return caught.exception.cause

    def test_a_point_for_each_whole_unit(self):
        points = self.points()
        self.assertEqual((points.base, points.campaign_bonus, points.tier_bonus, points.total), (51, 0, 0, 51))
        self.assertEqual((points.tier, points.next_tier, points.points_to_next_tier), ("basic", "silver", 949))
        self.assertEqual(points.good_until, "2028-03-31")
        self.assertEqual(self.points(currency="JPY").base, 26 + 8)

    def test_a_campaign_favours_what_it_names_until_its_last_day(self):
        # 39 points of the book, one and a half times as many more, rounded down.
        self.assertEqual(self.points(campaigns=[BOOKS]).campaign_bonus, 58)
        self.assertEqual(self.points(campaigns=[BOOKS], placed_on="2026-04-01").campaign_bonus, 0)
        weaker = Campaign("", "1.1", "2026-12-31")
        self.assertEqual(self.points(campaigns=[weaker, BOOKS]).campaign_bonus, 58 + 1)

    def test_a_tier_counts_from_its_first_point(self):
        self.assertEqual([tier_of(points)[0] for points in (0, 999, 1_000, 4_999, 5_000)],
                         ["basic", "basic", "silver", "silver", "gold"])
        points = self.points(points_this_year=5_000)
        self.assertEqual((points.tier_bonus, points.tier, points.next_tier), (25, "gold", None))
        self.assertEqual(self.points(points_this_year=949).tier, "silver")

    def test_points_are_good_until_the_end_of_a_month(self):
        self.assertEqual(good_until(date(2026, 2, 1)), date(2028, 2, 29))
        self.assertEqual(good_until(date(2026, 12, 31)), date(2028, 12, 31))

    def test_refusals_have_names(self):
        self.assertIn("known are CHF, EUR", self.refused("UnsupportedCurrency", currency="XXX"))
        self.assertIn("placedOn must be a day", self.refused("InvalidPurchase", placed_on="today"))
        for factor in ("0.5", "11", "NaN", "much"):
            self.refused("InvalidPurchase", campaigns=[Campaign("", factor, "2026-12-31")])
        self.refused("InvalidPurchase", lines=[Line("refund", -1)])
        self.refused("TooManyPoints", lines=[Line("yacht", 99_999_999)])

    def test_the_host_speaks_json(self):
        text = json.dumps({
            "orderId": "ord-1", "currency": "EUR", "placedOn": "2026-03-31",
            "lines": [{"sku": "book-rust", "lineTotal": 3_999, "quantity": 1}],
        })
        with testing.host():
            points = json.loads(loyalty_points.json(text))
        self.assertEqual((points["orderId"], points["total"], points["pointsToNextTier"]), ("ord-1", 39, 961))
        with self.assertRaises(TaskError) as caught:
            loyalty_points.json(text.replace("3999", '"much"'))
        expected = 'InvalidInput: lines[0].lineTotal: expected a whole number, found the string "much"'
        self.assertEqual(str(caught.exception), expected)


if __name__ == "__main__":
    unittest.main()
