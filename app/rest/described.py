"""What the OpenAPI document says of a field."""

from typing import Annotated, Any

from msgspec import Meta

REF = "#/components/schemas/{name}"
Moment = Annotated[
    str,
    Meta(extra_json_schema={"format": "date-time", "examples": ["2025-03-15T10:30:00Z"]}),
]
"""ISO 8601, whole seconds, Z."""
#: How an amount is written: a decimal number, exact, in a string.
DOLLARS = r"^[0-9]+(\.[0-9]{1,9})?$"


def about(text: str, **schema: Any) -> Meta:
    """Describe a field; `schema` holds further keywords of JSON Schema."""
    return Meta(description=text, extra_json_schema=schema or None)


def either(*shapes: type | None) -> list[dict[str, str]]:
    """Return the alternatives of a field: shapes, or None for null."""
    return [
        {"type": "null"} if shape is None else {"$ref": REF.format(name=shape.__name__)}
        for shape in shapes
    ]
