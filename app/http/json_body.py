"""From a JSON body's bytes to a typed value."""

from typing import TypeVar

from app.domain.errors import InvalidJson
from app.domain.json_text import decode_json

T = TypeVar("T")


def parse_json(body: bytes, *, content_type: str | None, shape: type[T]) -> T:
    """Decode a body into `shape`.

    Raises:
        InvalidJson: It is not declared as JSON, or does not parse.
        InvalidRequest: It is JSON of another shape; the error names the field.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise InvalidJson("Content-Type must be application/json.")
    return decode_json(body, shape, what="Request body")
