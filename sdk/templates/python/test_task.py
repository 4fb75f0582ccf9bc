"""Tests of the task, without WebAssembly or a server."""

import unittest

from stepwell_sdk import TaskError, testing

from task import Order, PriceUnavailable, Quote, quote


class QuoteTest(unittest.TestCase):
    def test_a_quote_is_the_price_times_the_quantity(self):
        with testing.host(attempt=1) as host:
            self.assertEqual(quote(Order("book", 2), host.context), Quote(3_998))
        self.assertEqual(host.lines, [("info", "priced 2 x book in attempt 1")])

    def test_what_has_no_price_is_refused_by_name(self):
        with testing.host() as host, self.assertRaises(PriceUnavailable):
            quote(Order("tea", 1), host.context)

    def test_the_host_speaks_json(self):
        with testing.host():
            self.assertEqual(quote.json('{"sku": "book", "quantity": 1}'), '{"total":1999}')
            with self.assertRaisesRegex(TaskError, "InvalidInput: the field quantity is missing"):
                quote.json('{"sku": "book"}')


if __name__ == "__main__":
    unittest.main()
