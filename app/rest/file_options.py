"""The options of a file, which come as texts."""

from collections.abc import Mapping
from typing import Any

from app.domain.errors import InvalidJson, InvalidRequest
from app.domain.json_text import convert_texts, decode_json
from app.rest.shapes import FileOptions


def read_options(texts: Mapping[str, str]) -> FileOptions:
    """Read the options of a query or a form; an empty one counts as left out.

    Raises:
        InvalidRequest: One is not of its type; the error names it.
    """
    values: dict[str, Any] = {name: text for name, text in texts.items() if text}
    if "categories" in values:
        values["categories"] = _categories(values["categories"])
    return convert_texts(values, FileOptions)


def _categories(text: str) -> list[Any]:
    if not text.lstrip().startswith("["):
        return [name.strip() for name in text.split(",")]
    try:
        return decode_json(text.encode(), list[Any], what="it")
    except InvalidJson:
        raise InvalidRequest(("categories",), "must be names or a JSON array") from None
