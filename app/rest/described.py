"""What the OpenAPI document says of a field."""

from typing import Any

from msgspec import Meta


def about(text: str, **schema: Any) -> Meta:
    """Describe a field; `schema` holds further keywords of JSON Schema."""
    return Meta(description=text, extra_json_schema=schema or None)
