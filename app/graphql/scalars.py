"""Scalars of our own."""

from datetime import UTC, datetime
from typing import NewType

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from app.domain.clock import to_iso
from app.domain.money import to_dollars

DateTime = NewType("DateTime", datetime)


def _parse(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("must be a string: ISO 8601 with a zone, like 2026-03-15T10:30:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be ISO 8601 with a zone, like 2026-03-15T10:30:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("must name its zone, like 2026-03-15T10:30:00Z")
    # SQLite compares moments as the texts that they are written as.
    return moment.astimezone(UTC)


_DATE_TIME: ScalarDefinition = strawberry.scalar(
    name="DateTime",
    description="A moment in UTC: ISO 8601, whole seconds, Z.",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    serialize=to_iso,
    parse_value=_parse,
)

Dollars = NewType("Dollars", int)

_DOLLARS: ScalarDefinition = strawberry.scalar(
    name="Dollars",
    description="US dollars: a decimal number, exact, in a string, like 0.0000165.",
    serialize=to_dollars,
)

CONFIG = StrawberryConfig(
    auto_camel_case=True, scalar_map={DateTime: _DATE_TIME, Dollars: _DOLLARS}
)
