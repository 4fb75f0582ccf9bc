"""Requests as the author of a task makes them, with the test double as the outside."""

import unittest

from stepwell_sdk import TaskError, http, task, testing

RATES = "https://api.example.com/rates"


@task
def rate(currency: str) -> float:
    answer = http.get(RATES, params={"base": currency, "note": "a b&c"}, headers={"x-key": "k-1"}, timeout=3)
    return answer.raise_for_status().json()["USD"]


class HttpTest(unittest.TestCase):
    def failure(self, answer) -> TaskError:
        with testing.host(http=answer), self.assertRaises(TaskError) as caught:
            rate.json('"EUR"')
        return caught.exception

    def test_a_request_is_sent_as_it_was_asked_for(self):
        with testing.host(http=lambda request: http.Response(200, b'{"USD": 1.1}')) as host:
            self.assertEqual(rate.json('"EUR"'), "1.1")
        sent = host.requests[0]
        self.assertEqual((sent.method, sent.url), ("GET", f"{RATES}?base=EUR&note=a+b%26c"))
        self.assertEqual((sent.headers, sent.body, sent.timeout), ({"x-key": "k-1"}, b"", 3))

    def test_a_body_is_bytes_text_or_json(self):
        with testing.host(http=lambda request: http.Response(201, request.body)):
            self.assertEqual(http.post(RATES, json={"a": [1]}).text, '{"a":[1]}')
            self.assertEqual(http.put(RATES, data="ü").body, "ü".encode())
            self.assertEqual(http.request("delete", RATES, data=b"\x00").body, b"\x00")
        with testing.host(http=lambda request: http.Response(204, headers=request.headers)):
            headers = {"content-type": "application/merge-patch+json"}
            self.assertEqual(http.patch(RATES, json=1, headers=headers).headers, headers)
            self.assertEqual(http.post(RATES, json=1).headers, {"content-type": "application/json"})

    def test_without_an_answer_nothing_is_granted(self):
        error = self.failure(None)
        self.assertEqual(error.error, "Http.Denied")
        rule = '[[grants.http]] { scheme = "https", host = "api.example.com", methods = ["GET"] }'
        self.assertIn(f"GET https://api.example.com was denied: module.toml must ask for {rule}", error.cause)
        address = http.Request("POST", "http://[::1]:8080/").denied().cause
        self.assertIn('scheme = "http", host = "[::1]", port = 8080, methods = ["POST"]', address)

    def test_bad_answers_have_names(self):
        error = self.failure(lambda request: http.Response(503, b"busy"))
        self.assertEqual((error.error, error.cause), ("Http.StatusCode.503", "the answer has status 503: busy"))
        self.assertEqual(error.status, 503)
        self.assertEqual(self.failure(lambda request: http.Response(200, b"<html>")).error, "Http.InvalidResponse")
        self.assertTrue(http.Response(204).raise_for_status().ok)

    def test_what_is_no_request_is_told_before_it_is_sent(self):
        with testing.host(http=lambda request: http.Response(200)) as host:
            for url, why in [
                ("/rates", "must be https://HOST"),
                ("ftp://example.com", "must be https://HOST"),
                ("https://key@example.com/", "must be https://HOST"),
                ("https://[::1/", "is not valid"),
                ("https://example.com/a b", "percent-encoded"),
                ("https://example.com/ü", "percent-encoded"),
            ]:
                with self.assertRaises(http.HttpError) as caught:
                    http.get(url)
                self.assertEqual(caught.exception.error, "Http.InvalidRequest")
                self.assertIn(why, caught.exception.cause)
            with self.assertRaisesRegex(http.HttpError, "Http.InvalidRequest: the body cannot be written as JSON"):
                http.post(RATES, json=float("nan"))
            with self.assertRaisesRegex(http.HttpError, "Http.TooLarge"):
                http.post(RATES, data=bytes(http.BODY_BYTES_MAX + 1))
        self.assertEqual(host.requests, [])


if __name__ == "__main__":
    unittest.main()
