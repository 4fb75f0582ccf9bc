"""The task as an ordinary function and as the host calls it: `python -m unittest`, without WebAssembly or a server."""

import json
import os
import unittest
from unittest import mock

from stepwell_sdk import TaskError, http, testing

from task import Line, NothingToPack, PackingOrder, Ticket, notify_warehouse

URL = "https://warehouse.example.com/v1"
ORDER = PackingOrder("ord-1", "BER-1", [Line("mug-crab", 2)])


@mock.patch.dict(os.environ, {"WAREHOUSE_URL": URL})
class NotifyWarehouse(unittest.TestCase):
    def answered(self, status, body):
        answer = http.Response(status, json.dumps(body).encode())
        with testing.host(secrets={"warehouse-key": "k-1"}, http=lambda request: answer, execution_name="e-1") as host:
            return notify_warehouse(ORDER, host.context), host

    def test_an_order_is_sent_once_whatever_is_tried_again(self):
        ticket, host = self.answered(201, {"ticket": "T-7"})
        self.assertEqual(ticket, Ticket("ord-1", "T-7", False))
        sent = host.requests[0]
        self.assertEqual((sent.method, sent.url), ("POST", f"{URL}/orders"))
        expected = {"reference": "ord-1", "warehouse": "BER-1", "items": [{"sku": "mug-crab", "count": 2}]}
        self.assertEqual(json.loads(sent.body), expected)
        self.assertEqual((sent.headers["authorization"], sent.headers["idempotency-key"]), ("Bearer k-1", "e-1/Task"))
        self.assertEqual(host.lines, [("info", "BER-1 has order ord-1 as T-7")])
        self.assertEqual(self.answered(409, {"ticket": "T-7"})[0], Ticket("ord-1", "T-7", True))

    def test_refusals_have_names(self):
        for status, error in [(422, "OrderRejected"), (503, "Http.StatusCode.503"), (404, "Http.StatusCode.404")]:
            with self.assertRaises(TaskError) as caught:
                self.answered(status, {"message": "no such article"})
            self.assertEqual(caught.exception.error, error)
            self.assertIn("no such article", caught.exception.cause)

    def test_without_grants_nothing_is_sent(self):
        with testing.host() as host, self.assertRaisesRegex(TaskError, "SecretNotGranted"):
            notify_warehouse(ORDER, host.context)
        with testing.host(secrets={"warehouse-key": "k-1"}) as host, self.assertRaisesRegex(TaskError, "Http.Denied"):
            notify_warehouse(ORDER, host.context)
        with testing.host() as host, self.assertRaises(NothingToPack):
            notify_warehouse(PackingOrder("ord-1", "BER-1", [Line("mug-crab", 0)]), host.context)

    def test_the_host_speaks_json(self):
        text = json.dumps({"orderId": "ord-1", "warehouse": "BER-1", "lines": [{"sku": "mug-crab", "quantity": 2}]})
        answer = http.Response(201, b'{"ticket": "T-7"}')
        with testing.host(secrets={"warehouse-key": "k-1"}, http=lambda request: answer):
            told = json.loads(notify_warehouse.json(text))
        self.assertEqual(told, {"orderId": "ord-1", "ticket": "T-7", "knownBefore": False})


if __name__ == "__main__":
    unittest.main()
