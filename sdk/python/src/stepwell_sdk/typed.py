"""Reads JSON values as the types that a task asks for, and writes dataclasses as JSON."""

import collections.abc
import dataclasses
import enum
import types
import typing
from typing import Any, Callable, Dict, Literal, Union

# Takes a JSON value and its place; gives what it stands for, or raises Unfit.
Reader = Callable[[Any, str], Any]

_UNIONS = (Union, getattr(types, "UnionType", Union))
_LISTS = (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
_OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class Unfit(Exception):
    """A JSON value that doesn't fit; the message begins with its place, such as `items[1].quantity`."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"{place}: {what}" if place else what)


@dataclasses.dataclass(frozen=True)
class Names:
    """How fields are called in JSON: by `field(metadata={"json": "…"})`, else by their own name."""

    camel_case: bool = False

    def of(self, field: dataclasses.Field) -> str:
        return field.metadata.get("json") or self.plain(field.name)

    def plain(self, name: str) -> str:
        if not self.camel_case:
            return name
        first, *rest = name.split("_")
        return first + "".join(part.capitalize() for part in rest)


def reader(annotation: Any, names: Names) -> Reader:
    """A reader of the annotated type; a TypeError if JSON can't be read as one."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return reader(arguments[0], names)
    if annotation in (Any, object):
        return lambda value, place: value
    if origin is Literal:
        return _one_of(arguments)
    if origin in _UNIONS:
        return _union([reader(argument, names) for argument in arguments])
    if annotation in _SIMPLE:
        return _simple(annotation)
    if (origin or annotation) in _LISTS:
        return _list(reader(arguments[0] if arguments else Any, names))
    if (origin or annotation) is tuple:
        return _tuple(arguments, names)
    if (origin or annotation) in _OBJECTS:
        return _object(arguments, names)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _enumeration(annotation)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return _dataclass(annotation, names)
    if typing.is_typeddict(annotation):
        return _typed_dict(annotation, names)
    raise TypeError(
        f"JSON cannot be read as {annotation!r}: use a dataclass, a TypedDict, an Enum, or str, int, float, bool, "
        "None, list, tuple, dict, Literal, Union and Any"
    )


def encoder(names: Names) -> Callable[[Any], Any]:
    """What `json.dumps` asks about values that it does not know."""

    def encode(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {names.of(field): getattr(value, field.name) for field in dataclasses.fields(value)}
        if isinstance(value, enum.Enum):
            return value.value
        raise TypeError(f"a value of the type {type(value).__name__} cannot be written as JSON")

    return encode


def _found(value: Any) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}
    if value is None:
        return "null"
    if isinstance(value, str):
        return f'the string "{value if len(value) <= 40 else value[:40] + "…"}"'
    return kinds.get(type(value), type(value).__name__)


def _expect(value: Any, place: str, good: bool, what: str) -> None:
    if not good:
        raise Unfit(place, f"expected {what}, found {_found(value)}")


_SIMPLE: Dict[Any, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "a boolean",
    None: "null",
    type(None): "null",
}


def _simple(annotation: Any) -> Reader:
    what = _SIMPLE[annotation]
    # In Python a boolean is a number and a whole number no float; in JSON it is the other way about.
    fits = {float: (int, float), None: (type(None),)}.get(annotation, (annotation,))

    def read(value: Any, place: str) -> Any:
        _expect(value, place, type(value) in fits, what)
        return float(value) if annotation is float else value

    return read


def _one_of(choices: tuple) -> Reader:
    def read(value: Any, place: str) -> Any:
        for choice in choices:
            if type(choice) is type(value) and choice == value:
                return choice
        raise Unfit(place, f"expected one of {', '.join(map(repr, choices))}, found {_found(value)}")

    return read


def _enumeration(kind: type) -> Reader:
    by_value = _one_of(tuple(member.value for member in kind))
    return lambda value, place: kind(by_value(value, place))


def _union(readers: list) -> Reader:
    def read(value: Any, place: str) -> Any:
        problems = []
        for one in readers:
            try:
                return one(value, place)
            except Unfit as error:
                problems.append(error)
        # An optional value is usually there, and then the problem of the other type is of interest.
        raise problems[0] if len(problems) <= 2 else Unfit(place, "; or ".join(map(str, problems)))

    return read


def _list(item: Reader) -> Reader:
    def read(value: Any, place: str) -> Any:
        _expect(value, place, isinstance(value, list), "a list")
        return [item(entry, f"{place}[{index}]") for index, entry in enumerate(value)]

    return read


def _tuple(arguments: tuple, names: Names) -> Reader:
    if not arguments or arguments[-1] is Ellipsis:
        items = _list(reader(arguments[0] if arguments else Any, names))
        return lambda value, place: tuple(items(value, place))
    readers = [reader(argument, names) for argument in arguments]

    def read(value: Any, place: str) -> Any:
        good = isinstance(value, list) and len(value) == len(readers)
        _expect(value, place, good, f"a list of {len(readers)}")
        return tuple(one(entry, f"{place}[{index}]") for index, (one, entry) in enumerate(zip(readers, value)))

    return read


def _object(arguments: tuple, names: Names) -> Reader:
    if arguments and arguments[0] not in (str, Any):
        raise TypeError(f"the keys of JSON objects are strings, and not {arguments[0]!r}")
    item = reader(arguments[1] if arguments else Any, names)

    def read(value: Any, place: str) -> Any:
        _expect(value, place, isinstance(value, dict), "an object")
        return {key: item(entry, _member(place, key)) for key, entry in value.items()}

    return read


def _dataclass(kind: type, names: Names) -> Reader:
    fields = [field for field in dataclasses.fields(kind) if field.init]
    wanted = {field.name: names.of(field) for field in fields}
    missing = dataclasses.MISSING
    required = {field.name for field in fields if field.default is missing and field.default_factory is missing}

    def hints() -> Dict[str, Any]:
        return typing.get_type_hints(kind, include_extras=True)

    return _members(hints, wanted, required, names, lambda members: kind(**members))


def _typed_dict(kind: Any, names: Names) -> Reader:
    # A TypedDict is the JSON object itself, so its keys are as they are.
    hints = {name: _bare(hint) for name, hint in typing.get_type_hints(kind).items()}
    wanted = {name: name for name in hints}
    return _members(lambda: hints, wanted, set(kind.__required_keys__), names, dict)


def _bare(hint: Any) -> Any:
    """A type without `Required` and `NotRequired` around it."""
    origin = typing.get_origin(hint)
    is_marked = origin is not None and getattr(origin, "_name", "") in ("Required", "NotRequired")
    return typing.get_args(hint)[0] if is_marked else hint


def _members(hints: Callable, wanted: Dict[str, str], required: set, names: Names, make: Callable) -> Reader:
    readers: Dict[str, Reader] = {}

    def read(value: Any, place: str) -> Any:
        # Only now, since a class may have fields of its own type.
        if not readers:
            readers.update((name, reader(hint, names)) for name, hint in hints().items() if name in wanted)
        _expect(value, place, isinstance(value, dict), "an object")
        members = {}
        for name, key in wanted.items():
            if key in value:
                members[name] = readers[name](value[key], _member(place, key))
            elif name in required:
                raise Unfit(place, f"the field {key} is missing")
        try:
            return make(members)
        except ValueError as error:
            # What a class checks itself, in `__post_init__`.
            raise Unfit(place, str(error)) from error

    return read


def _member(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
