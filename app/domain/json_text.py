"""From JSON's bytes to a typed value, with errors that name the field in words.

msgspec decodes and checks types in one pass. Its messages are turned into ours; what it can't
decode is looked at again with the standard library, to tell text that is no JSON from JSON that
holds a lone surrogate, which has a field to name.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import msgspec

from app.domain.errors import FieldPath, InvalidJson, InvalidRequest

T = TypeVar("T")

_LOCATED = re.compile(r"(?P<problem>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]")
_EXPECTED = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_ENUM = re.compile(r"Invalid enum value (?P<value>.*)", re.DOTALL)
_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def decode_json(text: bytes, shape: type[T], *, what: str) -> T:
    """Decode JSON into `shape`; `what` is what the errors call the whole of it.

    Raises:
        InvalidJson: It does not parse.
        InvalidRequest: It is JSON of another shape; the error names the field.
    """
    _check_encoding(text, what)
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError as error:
        _check_well_formed(text, what)
        raise _as_invalid_request(str(error), shape, what) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _explain_undecodable(text, what)


def _check_encoding(text: bytes, what: str) -> None:
    # msgspec does not look into the strings of the fields that it skips.
    if text.isascii():
        return
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidJson(f"{what} is not valid JSON: it is not UTF-8.") from None


def convert_texts(values: Mapping[str, object], shape: type[T]) -> T:
    """Read values that came as texts, as in a query, into `shape`.

    Raises:
        InvalidRequest: One is of another type; the error names the field.
    """
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise _as_invalid_request(str(error), shape, "The request") from None


def _check_well_formed(text: bytes, what: str) -> None:
    # A wrong type is met before the end is: what follows must be JSON too.
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _explain_undecodable(text, what)


def _explain_undecodable(text: bytes, what: str) -> NoReturn:
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise InvalidJson(f"{what} is nested too deeply.") from None
    except ValueError:
        raise InvalidJson(f"{what} is not valid JSON.") from None
    if not isinstance(value, dict):
        raise InvalidRequest((), f"{what} must be a JSON object.")
    path = _surrogate_path(value)
    if path is None:
        raise InvalidJson(f"{what} is nested too deeply.")
    if not path:
        raise InvalidRequest((), "Names must be valid Unicode, without lone surrogates.")
    raise InvalidRequest(path, "must be valid Unicode, without lone surrogates")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _surrogate_path(value: object, path: FieldPath = ()) -> FieldPath | None:
    match value:
        case str():
            return path if _has_surrogate(value) else None
        case list():
            steps: list[tuple[str | int, Any]] = list(enumerate(value))
        case dict() if any(map(_has_surrogate, value)):
            # A name that can't be written is told by the object it stands in.
            return path
        case dict():
            steps = list(value.items())
        case _:
            return None
    found = (_surrogate_path(child, (*path, step)) for step, child in steps)
    return next((inner for inner in found if inner is not None), None)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def _as_invalid_request(message: str, shape: type, what: str) -> InvalidRequest:
    located = _LOCATED.fullmatch(message)
    problem = located["problem"] if located else message
    path = _parse_path((located["path"] or "") if located else "")
    if missing := _MISSING.fullmatch(problem):
        return InvalidRequest((*path, missing["name"]), "is required")
    if not path and (expected := _EXPECTED.fullmatch(problem)):
        return InvalidRequest(
            (), f"{what} must be a JSON object, not {_in_words(expected['got'])}."
        )
    return InvalidRequest(path, _problem_in_words(problem, path, shape))


def _parse_path(text: str) -> FieldPath:
    # Of a name in an object that takes any, msgspec tells that there is one.
    text = text.partition("[...]")[0]
    return tuple(
        int(step["index"]) if step["index"] else step["name"] for step in _STEP.finditer(text)
    )


def _problem_in_words(problem: str, path: FieldPath, shape: type) -> str:
    if expected := _EXPECTED.fullmatch(problem):
        return f"must be {_in_words(expected['expected'])}, got {_in_words(expected['got'])}"
    if invalid := _ENUM.fullmatch(problem):
        return f"must be one of {', '.join(_choices(path, shape))}, got {invalid['value']}"
    return problem[:1].lower() + problem[1:]


def _in_words(types: str) -> str:
    names = [name.strip() for name in types.split("|")]
    # "or null" says nothing to a caller: leaving the field out is the usual way.
    wanted = [name for name in names if name != "null"] or names
    return " or ".join(_WORDS.get(name, name) for name in wanted)


def _choices(path: FieldPath, shape: type) -> list[str]:
    """Find the enum's values by walking `shape` along the path."""
    kind: Any = msgspec.inspect.type_info(shape)
    for step in path:
        kind = _descend(kind, step)
    return [str(member.value) for member in _first(kind, msgspec.inspect.EnumType).cls]


def _descend(kind: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return _first(kind, msgspec.inspect.ListType).item_type
    fields = _first(kind, msgspec.inspect.StructType).fields
    return next(field.type for field in fields if field.encode_name == step)


def _first(kind: Any, wanted: type) -> Any:
    """Find the `wanted` kind in what may be annotated and optional."""
    if isinstance(kind, msgspec.inspect.Metadata):
        return _first(kind.type, wanted)
    if isinstance(kind, msgspec.inspect.UnionType):
        return next(found for member in kind.types if (found := _first(member, wanted)) is not None)
    return kind if isinstance(kind, wanted) else None
