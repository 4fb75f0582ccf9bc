"""The decorator as the author of a task uses it, with the test double as the host."""

import logging
import subprocess
import sys
import types
import unittest
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, List, Literal, Optional, Tuple, TypedDict, Union

from stepwell_sdk import Context, NamedTaskError, SecretError, TaskError, heartbeat, log, secret, task, testing
from stepwell_sdk.task import only_task


class Size(Enum):
    SMALL = "S"
    LARGE = "L"


@dataclass
class Item:
    sku: str
    quantity: int
    size: Optional[Size] = None


@dataclass
class Order:
    items: List[Item]
    note: Union[str, None] = None
    gift_wrap: bool = field(default=False, metadata={"json": "wrapped"})


@dataclass
class Tree:
    value: int
    children: List["Tree"] = field(default_factory=list)


class Address(TypedDict, total=False):
    street: str
    number: int


class OutOfStock(NamedTaskError):
    pass


class TooMany(NamedTaskError):
    name = "Orders.TooMany"


def reads(annotation: Any, text: str) -> Any:
    """What a task is given that takes this type."""
    seen = []

    def take(value):
        seen.append(value)

    take.__annotations__["value"] = annotation
    task(take).json(text)
    return seen[0]


class Inputs(unittest.TestCase):
    def check(self, annotation: Any, text: str, expected: Any) -> None:
        found = reads(annotation, text)
        self.assertEqual(found, expected)
        self.assertIs(type(found), type(expected))

    def refuse(self, annotation: Any, text: str, cause: str) -> None:
        with self.assertRaises(TaskError) as caught:
            reads(annotation, text)
        self.assertEqual(caught.exception.error, "InvalidInput")
        self.assertEqual(caught.exception.cause, cause)

    def test_json_is_read_as_the_annotation_says(self):
        self.check(Any, '{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]})
        self.check(dict, '{"a": 1}', {"a": 1})
        self.check(float, "3", 3.0)
        self.check(Optional[int], "null", None)
        self.check(Union[int, str], '"x"', "x")
        self.check(Literal["a", 1], '"a"', "a")
        self.check(Tuple[int, str], '[1, "x"]', (1, "x"))
        self.check(Tuple[int, ...], "[1, 2]", (1, 2))
        self.check(Dict[str, List[int]], '{"a": [1]}', {"a": [1]})
        self.check(Address, '{"street": "A"}', {"street": "A"})
        self.check(Tree, '{"value": 1, "children": [{"value": 2}]}', Tree(1, [Tree(2)]))
        self.check(
            Order,
            '{"items": [{"sku": "a", "quantity": 2, "size": "L", "more": 1}], "wrapped": true}',
            Order([Item("a", 2, Size.LARGE)], None, True),
        )

    def test_an_input_that_does_not_fit_names_the_place(self):
        self.refuse(Order, '{"items": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": "two"}]}',
                    'items[1].quantity: expected a whole number, found the string "two"')
        self.refuse(Order, '{"items": [{"sku": "a"}]}', "items[0]: the field quantity is missing")
        self.refuse(Order, "[]", "expected an object, found a list")
        self.refuse(Order, '{"items": [], "note": 1}', "note: expected a string, found a number")
        self.refuse(Item, '{"sku": "a", "quantity": 1, "size": "M"}',
                    "size: expected one of 'S', 'L', found the string \"M\"")
        self.refuse(int, "true", "expected a whole number, found a boolean")
        self.refuse(bool, "1", "expected a boolean, found a number")
        self.refuse(Tuple[int, str], "[1]", "expected a list of 2, found a list")
        self.refuse(Dict[str, int], '{"a": null}', "a: expected a whole number, found null")
        self.refuse(Address, '{"number": "7"}', 'number: expected a whole number, found the string "7"')
        self.refuse(Any, "NaN", "NaN is no JSON")
        self.refuse(Any, "{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)")

    def test_a_class_checks_itself(self):
        @dataclass
        class Even:
            number: int

            def __post_init__(self):
                if self.number % 2:
                    raise ValueError("the number must be even")

        self.check(Even, '{"number": 2}', Even(2))
        self.refuse(List[Even], '[{"number": 2}, {"number": 3}]', "[1]: the number must be even")

    def test_what_json_cannot_be_read_as_is_a_mistake_of_the_author(self):
        for annotation in (set, bytes, Dict[int, str], List[complex]):
            with self.assertRaises(TypeError):
                reads(annotation, "[]")


class Outputs(unittest.TestCase):
    def write(self, value: Any, **options: Any) -> str:
        return task(lambda _: value, **options).json("null")

    def test_dataclasses_enums_and_plain_values_become_json(self):
        self.assertEqual(self.write(None), "null")
        self.assertEqual(self.write("é"), '"é"')
        self.assertEqual(self.write(Item("a", 1, Size.SMALL)), '{"sku":"a","quantity":1,"size":"S"}')
        self.assertEqual(self.write(Order([], None, True), camel_case=True), '{"items":[],"note":null,"wrapped":true}')
        # Half of a surrogate pair is no text, and still JSON.
        self.assertEqual(self.write("\ud800"), '"\\ud800"')

    def test_what_json_cannot_hold_is_a_named_error(self):
        endless: list = []
        endless.append(endless)
        for value in ({1, 2}, {(1, 2): 3}, float("nan"), endless, object()):
            with self.assertRaises(TaskError) as caught:
                self.write(value)
            self.assertEqual(caught.exception.error, "InvalidOutput")

    def test_names_may_be_in_camel_case(self):
        @dataclass
        class Place:
            street_name_2: str

        @task(camel_case=True)
        def move(place: Place):
            return place

        self.assertEqual(move.json('{"streetName2":"A"}'), '{"streetName2":"A"}')


class Failures(unittest.TestCase):
    def fail(self, error: BaseException) -> TaskError:
        def fail(_):
            raise error

        with testing.host() as self.host, self.assertRaises(TaskError) as caught:
            task(fail).json("null")
        return caught.exception

    def test_errors_have_names(self):
        self.assertEqual(str(self.fail(TaskError("Declined", "no money"))), "Declined: no money")
        self.assertEqual(str(self.fail(OutOfStock("no tea"))), "OutOfStock: no tea")
        self.assertEqual(self.fail(TooMany()).error, "Orders.TooMany")
        self.assertEqual(self.host.lines, [])

    def test_an_exception_has_the_name_of_its_class(self):
        error = self.fail(KeyError("sku"))
        self.assertEqual((error.error, error.cause), ("KeyError", "'sku'"))
        level, message = self.host.lines[0]
        self.assertEqual(level, "error")
        self.assertTrue(message.startswith("Traceback") and message.endswith("KeyError: 'sku'"), message)
        self.assertEqual(self.fail(SystemExit(3)).error, "SystemExit")

    def test_overlong_texts_are_cut(self):
        error = TaskError("é" * 300, "ü" * 40_000)
        self.assertEqual((len(error.error), len(error.cause)), (256, 32_768))


class Functions(unittest.TestCase):
    def test_the_function_stays_an_ordinary_function(self):
        @task
        def double(number: int, ctx: Context) -> int:
            log.info("attempt %d of %s", ctx.attempt, ctx.state_name)
            heartbeat()
            return number * 2

        with testing.host(attempt=2, state_name="Double") as host:
            self.assertEqual(double(2, Context.current()), 4)
            self.assertEqual(double.json("4"), "8")
        self.assertEqual(host.lines, [("info", "attempt 2 of Double")] * 2)
        self.assertEqual(host.heartbeats, 2)
        self.assertGreater(Context().remaining(), 50)
        self.assertEqual(Context(deadline=0).remaining(), 0)

    def test_a_token_is_not_printed(self):
        self.assertNotIn("s3cret", repr(Context(task_token="s3cret")))

    def test_a_secret_is_there_if_it_is_granted(self):
        @task
        def length(name: str) -> int:
            return len(secret(name))

        with testing.host(secrets={"payment-key": "s3cret"}):
            self.assertEqual(length.json('"payment-key"'), "6")
            with self.assertRaises(SecretError) as caught:
                length.json('"other"')
        self.assertEqual((caught.exception.error, caught.exception.reason), ("SecretNotGranted", "not-granted"))
        self.assertEqual(caught.exception.cause, "the secret is not granted to this module: other")
        self.assertEqual(SecretError("missing", "a").error, "SecretMissing")
        self.assertEqual(SecretError("unavailable", "a").error, "SecretUnavailable")

    def test_a_task_may_be_async_but_waits_for_nothing(self):
        @task
        async def twice(number: int) -> int:
            return await add(number, number)

        async def add(a: int, b: int) -> int:
            return a + b

        self.assertEqual(twice.json("4"), "8")

        class Never:
            def __await__(self):
                yield

        @task
        async def stalled(_):
            await Never()

        with self.assertRaises(TaskError) as caught:
            stalled.json("null")
        self.assertEqual(caught.exception.error, "TaskStalled")

    def test_a_function_that_cannot_be_a_task_is_refused(self):
        def wrong(value, ctx: int):
            return value

        refused = [wrong, lambda: 0, lambda a, b, c: 0, lambda *values: 0, lambda value, *, flag: 0, lambda self: 0]
        for function in refused:
            with self.assertRaises(TypeError):
                task(function)

    def test_a_module_has_one_task(self):
        module = types.ModuleType("orders")
        with self.assertRaisesRegex(TypeError, "orders has no task: put @task before a function"):
            only_task(module)
        module.first = module.alias = task(lambda value: value)
        self.assertIs(only_task(module), module.first)
        module.second = task(lambda value: value)
        with self.assertRaisesRegex(TypeError, "orders has several tasks"):
            only_task(module)


class Logs(unittest.TestCase):
    def test_records_of_logging_keep_their_level(self):
        logger = logging.getLogger("shop.orders")
        before = logging.getLogger().level
        try:
            log.capture(logging.DEBUG)
            log.capture(logging.DEBUG)
            with testing.host() as host:
                logger.debug("one %s", "a")
                logger.warning("two")
                logger.critical("three")
                log.trace("100 %")
        finally:
            root = logging.getLogger()
            root.setLevel(before)
            root.handlers = [handler for handler in root.handlers if not isinstance(handler, log.LogHandler)]
        self.assertEqual(host.lines, [("debug", "one a"), ("warn", "two"), ("error", "three"), ("trace", "100 %")])

    def test_without_a_test_host_lines_go_to_standard_error(self):
        program = "from stepwell_sdk import log; log.warn('careful')"
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        self.assertEqual(told.stderr, "warn: careful\n")


if __name__ == "__main__":
    unittest.main()
