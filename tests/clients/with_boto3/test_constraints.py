"""Every constraint of the service model, of every member of every operation, is held and refused in AWS's words.

The model is the SDK's own, read when the test runs.
"""

import copy
import json

from boto import Boto3, states
from shared import NOT_YET, PASS, PREFIX, ROLE, Wire, violated

# Values that satisfy the model, for members that must be there.
GOOD = {
    "name": "constrained",
    "definition": PASS,
    "roleArn": ROLE,
    "stateMachineArn": f"{PREFIX}:stateMachine:missing",
    "stateMachineVersionArn": f"{PREFIX}:stateMachine:missing:1",
    "stateMachineAliasArn": f"{PREFIX}:stateMachine:missing:live",
    "executionArn": f"{PREFIX}:execution:missing:missing",
    "activityArn": f"{PREFIX}:activity:missing",
    "mapRunArn": f"{PREFIX}:mapRun:missing/run:00000000-0000-0000-0000-000000000000",
    "resourceArn": f"{PREFIX}:stateMachine:missing",
    "routingConfiguration": [{"stateMachineVersionArn": f"{PREFIX}:stateMachine:missing:1", "weight": 100}],
    "taskToken": "token",
    "output": "1",
    "tags": [],
    "tagKeys": [],
    "type": "AWS_OWNED_KEY",
    "weight": 100,
}
# What each type of the wire is not, and what AWS says of it.
OTHER_TYPES = {
    "string": [(5, "NUMBER_VALUE can not be converted to a String"), (True, "TRUE_VALUE can not be converted to a String"),
               ([], "Start of list found where not expected"),
               ({}, "Start of structure or map found where not expected")],
    "integer": [("5", "STRING_VALUE can not be converted to a Integer"),
                (1.5, "FLOAT_VALUE can not be converted to a Integer")],
    "long": [("5", "STRING_VALUE can not be converted to a Long"), (1.5, "FLOAT_VALUE can not be converted to a Long")],
    "float": [("5", "STRING_VALUE can not be converted to a Float")],
    "boolean": [("true", "STRING_VALUE can not be converted to a Boolean"),
                (1, "NUMBER_VALUE can not be converted to a Boolean")],
    "structure": [("x", "Expected a structure but found another type."), ([], "Expected a structure but found another type.")],
    "list": [("x", "Expected a list but found another type."), ({}, "Expected a list but found another type.")],
}


OTHER_WORD = "DANCE"


def base(shape):
    if shape.name == "Tag":
        # The model has no member that a tag must have.
        return {"key": "k"}
    return {name: copy.deepcopy(GOOD[name]) for name in shape.required_members}


def walk(shape, path=()):
    """Every member within a shape, with its path: names, and 0 for the first of a list."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield (*path, name), member, name in shape.required_members
            yield from walk(member, (*path, name))
    elif shape.type_name == "list":
        yield (*path, 0), shape.member, False
        yield from walk(shape.member, (*path, 0))


def put(shape, request, path, value):
    """Puts a value into a request, with what must be around it."""
    at, inner = request, shape
    for here, after in zip(path, path[1:]):
        inner = inner.member if here == 0 else inner.members[here]
        if here == 0:
            at[:] = at[:1] or [base(inner)]
        elif not at.get(here):
            at[here] = [] if after == 0 else base(inner)
        at = at[here]
    if path[-1] == 0:
        at[:] = [value]
    else:
        at[path[-1]] = value


def shown(path):
    """How AWS writes the path of a member."""
    return ".".join("1.member" if name == 0 else name for name in path)


def violations(shape):
    """Values that break a constraint of a shape, and what AWS says of each."""
    limits, of = shape.metadata, shape.type_name
    if of in ["string", "list"]:
        make = (lambda count: "x" * count) if of == "string" else (lambda count: [GOOD["routingConfiguration"][0]] * count)
        if limits.get("min", 0) > 0:
            yield make(limits["min"] - 1), f"have length greater than or equal to {limits['min']}"
        if "max" in limits:
            yield make(limits["max"] + 1), f"have length less than or equal to {limits['max']}"
        if "enum" in limits:
            yield OTHER_WORD, "satisfy enum value set: ["
        if "pattern" in limits:
            # The model writes Java's patterns, and its ends are those of the text.
            yield "\u00e9", f"satisfy regular expression pattern: {limits['pattern']}"
    elif of in ["integer", "long", "float"]:
        if "min" in limits:
            yield limits["min"] - 1, f"have value greater than or equal to {limits['min']}"
        if "max" in limits:
            yield limits["max"] + 1, f"have value less than or equal to {limits['max']}"


class Constraints(Boto3):
    def setUp(self):
        self.wire = Wire()

    def tearDown(self):
        self.wire.close()

    def operations(self):
        model = states.meta.service_model
        for name in model.operation_names:
            if name not in NOT_YET:
                yield name, model.operation_model(name).input_shape

    def check(self, operation, request, code, expected):
        status, answer = self.wire.ask(operation, **request)
        told = json.dumps(request)[:200]
        self.assertEqual((status, answer.get("__type")), (400, code), f"{operation} {told}: {answer}")
        self.assertIn(expected, answer["message"], f"{operation} {told}")
        return answer["message"]

    def test_what_must_be_there(self):
        checked = 0
        for operation, shape in self.operations():
            members = [(path, member) for path, member, required in walk(shape) if required]
            for path, _ in members:
                request = base(shape)
                put(shape, request, path, None)
                expected = violated(f"null at '{shown(path)}' failed to satisfy constraint: Member must not be null")
                with self.subTest(operation=operation, member=shown(path)):
                    self.assertEqual(self.check(operation, request, "ValidationException", ""), expected)
                    checked += 1
        self.assertGreater(checked, 40)

    def test_what_breaks_a_constraint(self):
        checked = 0
        for operation, shape in self.operations():
            for path, member, _ in walk(shape):
                for value, rule in violations(member):
                    request = base(shape)
                    put(shape, request, path, value)
                    secret = member.type_name == "list" or member.metadata.get("sensitive")
                    quoted = "" if secret else f"'{value}' "
                    expected = violated(f"{quoted}at '{shown(path)}' failed to satisfy constraint: Member must {rule}")
                    with self.subTest(operation=operation, member=shown(path), rule=rule):
                        said = self.check(operation, request, "ValidationException", expected)
                        if "enum" in member.metadata and value == OTHER_WORD:
                            words = said[said.rindex("[") + 1:-1].split(", ")
                            self.assertEqual(sorted(words), sorted(member.metadata["enum"]))
                        checked += 1
        self.assertGreater(checked, 180)

    def test_what_is_of_another_type(self):
        checked = 0
        for operation, shape in self.operations():
            for path, member, _ in walk(shape):
                for value, expected in OTHER_TYPES[member.type_name]:
                    request = base(shape)
                    put(shape, request, path, value)
                    with self.subTest(operation=operation, member=shown(path), value=value):
                        self.check(operation, request, "SerializationException", expected)
                        checked += 1
        self.assertGreater(checked, 400)

    def test_all_that_is_wrong_is_told_at_once(self):
        message = self.check(
            "CreateStateMachine", {"name": "x" * 81, "type": "DANCE", "roleArn": ROLE}, "ValidationException", "",
        )
        self.assertEqual(
            message,
            f"3 validation errors detected: Value '{'x' * 81}' at 'name' failed to satisfy constraint: Member must "
            "have length less than or equal to 80; Value null at 'definition' failed to satisfy constraint: Member "
            "must not be null; Value 'DANCE' at 'type' failed to satisfy constraint: Member must satisfy enum value "
            "set: [STANDARD, EXPRESS]",
        )
