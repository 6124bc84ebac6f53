"""What a caller asks to have classified, and the rules that hold for its values.

Both faces fill a `ClassifyRequest` with values of the right types. Field paths in errors are REST's
names.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import FieldPath, InvalidRequest
from app.domain.media.data_uri import is_data_uri
from app.engines.contract import Category, InputType, Mode

MAX_TEXT_LENGTH = 1_000_000
MAX_CATEGORIES = 1_000
MAX_NAME_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 2_000
MAX_EXAMPLES = 100
MAX_EXAMPLE_LENGTH = 10_000
# An example that is a data URI: 5 MB as base64, and room for what stands before it.
MAX_DATA_EXAMPLE_LENGTH = 6_700_000
MAX_TOP_N = 10
DEFAULT_TOP_N = 3
# What a 64-bit column holds in every database, in whole digits.
MAX_ID = 10**18 - 1
# Unicode's general categories of controls and of format characters, such as the zero-width space.
_INVISIBLE = frozenset({"Cc", "Cf"})


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """One classification as asked for. None means: not given.

    With `store` False neither the preview nor an explanation is kept.
    """

    input: str
    type: InputType | None = None
    categories: Sequence[Category] | None = None
    schema: int | None = None
    mode: Mode | None = None
    top_n: int | None = None
    threshold: float | None = None
    explain: bool | None = None
    allow_none: bool | None = None
    min_margin: float | None = None
    run_async: bool | None = None
    store: bool | None = None


def check_values(request: ClassifyRequest) -> None:
    """Hold a request to the rules of values.

    Raises:
        InvalidRequest: A value is out of its range; the error names the field.
    """
    check_content(("input",), request.input)
    check_categories(request.categories)
    check_schema_id(("schema",), request.schema)
    check_options(top_n=request.top_n, threshold=request.threshold, min_margin=request.min_margin)


def check_content(path: FieldPath, content: str) -> None:
    """Hold an input to the rules of all types: valid Unicode, no NUL, not empty."""
    check_storable(path, content)
    check_filled(path, content)


def check_options(*, top_n: int | None, threshold: float | None, min_margin: float | None) -> None:
    """Hold `top_n`, `threshold` and `min_margin` to their ranges."""
    if top_n is not None and not 1 <= top_n <= MAX_TOP_N:
        raise InvalidRequest(("top_n",), f"must be from 1 to {MAX_TOP_N}, got {top_n}")
    for name, share in (("threshold", threshold), ("min_margin", min_margin)):
        if share is not None and not 0.0 <= share <= 1.0:
            raise InvalidRequest((name,), f"must be from 0.0 to 1.0, got {share}")


def check_schema_id(path: FieldPath, schema_id: int | None) -> None:
    """Refuse a number that no database could look for."""
    if schema_id is not None and abs(schema_id) > MAX_ID:
        raise InvalidRequest(path, f"must be at most {MAX_ID}, got {schema_id}")


def check_categories(categories: Sequence[Category] | None, *, at: FieldPath = ()) -> None:
    """Hold a category list to its rules: 1 to 1,000, names unique and not empty."""
    if categories is None:
        return
    path = (*at, "categories")
    if not 1 <= len(categories) <= MAX_CATEGORIES:
        raise InvalidRequest(
            path, f"must hold 1 to {MAX_CATEGORIES} categories, got {len(categories)}"
        )
    seen: dict[str, int] = {}
    for index, category in enumerate(categories):
        _check_category((*path, index), category)
        first = seen.setdefault(_name_key(category.name), index)
        if first != index:
            raise InvalidRequest(
                (*path, index),
                f"must have a unique name, but categories[{first}] has the same",
            )


def check_text(path: FieldPath, text: str, *, maximum: int) -> None:
    """Hold a text to a length and to what every database can store."""
    check_length(path, text, maximum=maximum)
    check_storable(path, text)


def check_length(path: FieldPath, text: str, *, maximum: int) -> None:
    """Hold a text to a length."""
    if len(text) > maximum:
        raise InvalidRequest(path, f"must be at most {maximum} characters, got {len(text)}")


def check_storable(path: FieldPath, text: str) -> None:
    """Hold a text to what every database can store."""
    if "\x00" in text:
        raise InvalidRequest(path, "must not contain the NUL character")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidRequest(path, "must be valid Unicode, without lone surrogates")


def check_filled(path: FieldPath, text: str) -> None:
    """Refuse a text that shows nothing: white space, controls, invisible format characters."""
    if all(unicodedata.category(char) in _INVISIBLE for char in text.strip()):
        raise InvalidRequest(path, "must not be empty")


def _name_key(name: str) -> str:
    # Two names that look the same to a reader would make an answer ambiguous.
    return unicodedata.normalize("NFC", name).strip()


def _check_category(path: FieldPath, category: Category) -> None:
    check_text((*path, "name"), category.name, maximum=MAX_NAME_LENGTH)
    check_filled((*path, "name"), category.name)
    if category.description is not None:
        check_text((*path, "description"), category.description, maximum=MAX_DESCRIPTION_LENGTH)
    if len(category.examples) > MAX_EXAMPLES:
        raise InvalidRequest(
            (*path, "examples"),
            f"must hold at most {MAX_EXAMPLES} examples, got {len(category.examples)}",
        )
    for index, example in enumerate(category.examples):
        maximum = MAX_DATA_EXAMPLE_LENGTH if is_data_uri(example) else MAX_EXAMPLE_LENGTH
        check_text((*path, "examples", index), example, maximum=maximum)
        check_filled((*path, "examples", index), example)
