"""`usage`."""

from typing import Annotated

import strawberry

from app.domain import clock
from app.domain.clock import Period
from app.domain.errors import InvalidRequest
from app.domain.usage.read import get_usage
from app.graphql.context import Info
from app.graphql.usage.types import Usage


async def resolve_usage(
    info: Info,
    month: Annotated[
        str | None, strawberry.argument(description="YYYY-MM. Default: the current month.")
    ] = None,
) -> Usage:
    """Return a month's usage."""
    period = Period.of(clock.now()) if month is None else Period.parse(month)
    if period is None:
        raise InvalidRequest(("month",), f"must be YYYY-MM, got '{(month or '')[:40]}'")
    return Usage.of(await get_usage(info.context.paying_account, period))
