"""Reading the lines of a file: CSV with a header, or JSON Lines.

A line is an item as in a batch. What is wrong with one line is said of it alone; only what leaves
no line to read (no header, another encoding) is wrong with the file. A line is called by the number
of the row of text on which it begins, from 1, as an editor shows it.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import msgspec

from app.domain.batches.batch import MAX_ITEM_ID_LENGTH, BatchItemRequest
from app.domain.classification.request import check_filled, check_text
from app.domain.errors import Error, InvalidJson, InvalidRequest
from app.domain.files.file import FileFormat
from app.domain.json_text import decode_json
from app.engines.contract import Category, InputType

INPUT_NAMES = ("input", "text")
_BOM = b"\xef\xbb\xbf"
_FILE = ("file",)
# The reader's own limit would end the file at a long text; ours refuses that line alone.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Line:
    """A line: the item that it asks for, or what is wrong with it."""

    number: int
    id: str
    item: BatchItemRequest | Error


class _Reader(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...

    def __iter__(self) -> Iterator[list[str]]: ...


class _CategoryObject(msgspec.Struct):
    name: str
    description: str | None = None
    examples: list[str] | None = None


class _ItemObject(msgspec.Struct):
    input: str | None = None
    text: str | None = None
    id: str | int | None = None
    type: InputType | None = None
    categories: list[str | _CategoryObject] | None = None
    schema: int | None = None


class _Identified(msgspec.Struct):
    id: str | int | None = None


def read_lines(content: bytes, file_format: FileFormat) -> Iterator[Line]:
    """Return the lines of a file that are not blank, read as they are asked for.

    Raises:
        InvalidRequest: It is not UTF-8, or has no header to tell its columns by.
    """
    _check_encoding(content)
    content = content.removeprefix(_BOM)
    return _csv_lines(content) if file_format is FileFormat.CSV else _json_lines(content)


def _check_encoding(content: bytes) -> None:
    if content.isascii():
        return
    try:
        content.decode()
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise InvalidRequest(_FILE, f"must be UTF-8, but line {number} is not") from None


def _json_lines(content: bytes) -> Iterator[Line]:
    for number, text in enumerate(io.BytesIO(content), start=1):
        if text.strip():
            yield _json_line(text, number)


def _json_line(text: bytes, number: int) -> Line:
    try:
        record = decode_json(text, _ItemObject, what="it")
    except InvalidJson as error:
        # The request is in order; a value in it is not.
        return Line(number, str(number), InvalidRequest((), error.message))
    except InvalidRequest as error:
        return Line(number, _id_in(text) or str(number), error)
    given = record.input if record.input is not None else record.text
    return _line(
        number,
        given=given,
        own_id=None if record.id is None else str(record.id),
        input_type=record.type,
        categories=None if record.categories is None else list(map(_category, record.categories)),
        schema=record.schema,
    )


def _id_in(text: bytes) -> str | None:
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidRequest):
        own_id = msgspec.json.decode(text, type=_Identified).id
        if own_id is not None:
            _check_id(str(own_id))
            return str(own_id)
    return None


def _check_id(line_id: str) -> None:
    check_text(("id",), line_id, maximum=MAX_ITEM_ID_LENGTH)
    check_filled(("id",), line_id)


def _category(given: str | _CategoryObject) -> Category:
    if isinstance(given, str):
        return Category(given)
    return Category(given.name, given.description, tuple(given.examples or ()))


def _line(
    number: int,
    *,
    given: str | None,
    own_id: str | None,
    input_type: InputType | None,
    categories: Sequence[Category] | None = None,
    schema: int | None = None,
) -> Line:
    line_id = str(number) if own_id is None else own_id
    try:
        _check_id(line_id)
    except InvalidRequest as error:
        return Line(number, str(number), error)
    if given is None:
        return Line(number, line_id, InvalidRequest(("input",), "is required"))
    item = BatchItemRequest(given, line_id, input_type, categories, schema)
    return Line(number, line_id, item)


def _csv_lines(content: bytes) -> Iterator[Line]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    # Strict, because a quote that is never closed would silently swallow what follows.
    reader = csv.reader(text, strict=True)
    header = _header(reader)
    return _records(reader, header)


def _header(reader: _Reader) -> list[str]:
    try:
        names = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise InvalidRequest(_FILE, f"has no header that can be read: {error}") from None
    for name in ("id", "type", *INPUT_NAMES):
        if names.count(name) > 1:
            raise InvalidRequest(_FILE, f"has more than one column named {name}")
    if not set(INPUT_NAMES) & set(names):
        found = ", ".join(repr(name[:40]) for name in names[:10]) or "nothing"
        raise InvalidRequest(
            _FILE, f"needs a column named input or text, but its header is {found}"
        )
    return names


def _records(reader: _Reader, header: list[str]) -> Iterator[Line]:
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = InvalidRequest((), f"it is not CSV: {error}")
            yield Line(number, str(number), problem)
            continue
        if cells:
            yield _record(cells, header, number)


def _record(cells: list[str], header: list[str], number: int) -> Line:
    named = dict(zip(header, cells, strict=False))
    own_id = named.get("id") or None
    if len(cells) > len(header):
        # Most often a comma in a text without quotes: half of it would be judged.
        problem = f"it has {len(cells)} columns, the header {len(header)}"
        return Line(number, str(number), InvalidRequest((), problem))
    kind = named.get("type", "").strip()
    if kind and kind not in set(InputType):
        choices = ", ".join(InputType)
        error = InvalidRequest(("type",), f"must be one of {choices}, got '{kind[:40]}'")
        return Line(number, own_id or str(number), error)
    return _line(
        number,
        given=next((named[name] for name in INPUT_NAMES if name in named), None),
        own_id=own_id,
        input_type=InputType(kind) if kind else None,
    )
