"""The domain's errors as GraphQL shows them.

What a caller can foresee or mend in a mutation is a `UserError` in its payload. Everything else is
a top-level error with `extensions.code`, and what is our fault says nothing of the inside.
"""

import logging
import re
from collections.abc import Sequence
from typing import Any

import strawberry
from graphql import GraphQLError

from app.domain.errors import (
    BudgetExceeded,
    Error,
    ErrorCode,
    InvalidRequest,
    MediaUnavailable,
    ModelUnavailable,
    PlanRestriction,
    RateLimitExceeded,
    ServerError,
)
from app.domain.plans import Plan
from app.graphql.scalars import DateTime, Dollars

logger = logging.getLogger(__name__)

_SNAKE = re.compile(r"_([a-z])")
# What REST calls by another name.
_RENAMED = {
    "delivery": "deliveryId",
    "schema": "schemaId",
    "schemas": "schemaIds",
    "file": "content",
}


@strawberry.type(description="Why a mutation did not do what it was asked to.")
class UserError:
    code: ErrorCode = strawberry.field(description="What kind of error.")
    message: str = strawberry.field(description="What is wrong, for people.")
    field: list[str] | None = strawberry.field(
        description="The way to the input field that is wrong; null when it is none of them."
    )
    docs: str = strawberry.field(description="Where the error is explained.")
    limit: int | None = strawberry.field(
        default=None, description="RATE_LIMIT_EXCEEDED: the month's limit. Else null."
    )
    used: int | None = strawberry.field(
        default=None, description="RATE_LIMIT_EXCEEDED: what is used of it. Else null."
    )
    budget: Dollars | None = strawberry.field(
        default=None, description="BUDGET_EXCEEDED: the month's budget. Else null."
    )
    budget_used: Dollars | None = strawberry.field(
        default=None,
        description="BUDGET_EXCEEDED: what is used of it, with what work that runs may cost at "
        "most. Else null.",
    )
    resets_at: DateTime | None = strawberry.field(
        default=None,
        description="RATE_LIMIT_EXCEEDED and BUDGET_EXCEEDED: when it resets. Else null.",
    )
    retry_after: int | None = strawberry.field(
        default=None,
        description="MODEL_UNAVAILABLE: in how many seconds it is worth another try. Else null.",
    )
    feature: str | None = strawberry.field(
        default=None, description="PLAN_RESTRICTION: what the plan lacks. Else null."
    )
    required_plan: Plan | None = strawberry.field(
        default=None, description="PLAN_RESTRICTION: the cheapest plan that has it. Else null."
    )


def user_error(error: Error, *, docs: str) -> UserError:
    """Show a domain error in a payload."""
    shown = UserError(code=error.error_code, message=error.message, field=None, docs=docs)
    match error:
        case InvalidRequest() | MediaUnavailable():
            path = field_path(error)
            if path:
                shown.field = path
                shown.message = f"{'.'.join(path[1:])}: {error.problem}"
        case RateLimitExceeded():
            shown.limit, shown.used = error.limit, error.used
            shown.resets_at = DateTime(error.resets_at)
        case BudgetExceeded():
            shown.budget, shown.budget_used = Dollars(error.limit), Dollars(error.used)
            shown.resets_at = DateTime(error.resets_at)
        case ModelUnavailable():
            shown.retry_after = error.retry_after
        case PlanRestriction():
            shown.feature, shown.required_plan = error.feature, error.required_plan
    return shown


def field_path(error: InvalidRequest | MediaUnavailable) -> list[str]:
    """Return the way to a field in GraphQL's names: ["input", "categories", "3", "name"]."""
    if not error.path:
        return []
    return ["input", *(_camel(str(step)) for step in error.path)]


def _camel(name: str) -> str:
    return _RENAMED.get(name) or _SNAKE.sub(lambda match: match[1].upper(), name)


def top_level(error: GraphQLError, *, docs: str) -> dict[str, Any]:
    """Show an error outside of payloads, with the inside of unforeseen ones left out."""
    original = error.original_error
    if isinstance(original, Error):
        return _shown(original, error.path, error.locations, docs=docs)
    formatted: dict[str, Any] = dict(error.formatted)
    foreign = original is not None and not isinstance(original, GraphQLError)
    # Without a path it was a scalar that refused a value: that is the caller's to read.
    if foreign and error.path is not None:
        # Not the path: its names are aliases, which the caller makes up.
        logger.error("a resolver failed", exc_info=original)
        return _shown(ServerError(), error.path, error.locations, docs=docs)
    formatted.setdefault("extensions", {}).setdefault("code", "GRAPHQL_VALIDATION_FAILED")
    return formatted


def _shown(
    error: Error, path: Sequence[str | int] | None, locations: Any, *, docs: str
) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": error.error_code.value.upper(), "docs": docs}
    for detail in error.details:
        extensions[_camel(detail.name)] = detail.value
    shown: dict[str, Any] = {"message": error.message, "extensions": extensions}
    if locations:
        shown["locations"] = [location.formatted for location in locations]
    if path is not None:
        shown["path"] = list(path)
    return shown


def transport_error(error: Error, *, docs: str) -> dict[str, Any]:
    """Show an error that came before anything could be executed."""
    return {"errors": [_shown(error, None, None, docs=docs)]}
