"""Every error that a caller can meet, as one tree.

    Error
    ├── InvalidRequest        400  a field is missing or wrong; names the field
    │   └── InvalidJson       400  the body is not JSON
    ├── MediaUnavailable      400  an image, a recording or a video can't be had; names the field
    ├── Unauthorized          401
    ├── SubscriptionInactive  403
    ├── PlanRestriction       403  names the feature and the plan that has it
    ├── NotFound              404  with the code of what was not found
    ├── MethodNotAllowed      405
    ├── Conflict              409  what is named is not in a state for it
    ├── IdempotencyConflict   409  the key was used for another request, or still runs
    ├── PayloadTooLarge       413
    ├── RateLimitExceeded     429  with limit, used, resets_at
    ├── BudgetExceeded        429  the same, in US dollars
    ├── ServerError           500
    └── ModelUnavailable      503  with retry_after

The REST face renders them as `{"error": {"code", "message", "docs", …}}`, GraphQL as `UserError`
or as a top-level error.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from app.domain.clock import Period, now, to_iso
from app.domain.money import to_dollars
from app.domain.plans import Plan

# About as long as a model takes.
_HELD_UP_S = 2

FieldPath = tuple[str | int, ...]


class ErrorCode(StrEnum):
    """The codes of the API's errors."""

    INVALID_JSON = "invalid_json"
    INVALID_REQUEST = "invalid_request"
    MEDIA_UNAVAILABLE = "media_unavailable"
    UNAUTHORIZED = "unauthorized"
    SUBSCRIPTION_INACTIVE = "subscription_inactive"
    PLAN_RESTRICTION = "plan_restriction"
    NOT_FOUND = "not_found"
    JOB_NOT_FOUND = "job_not_found"
    SCHEMA_NOT_FOUND = "schema_not_found"
    KEY_NOT_FOUND = "key_not_found"
    WEBHOOK_NOT_FOUND = "webhook_not_found"
    DELIVERY_NOT_FOUND = "delivery_not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    BUDGET_EXCEEDED = "budget_exceeded"
    SERVER_ERROR = "server_error"
    MODEL_UNAVAILABLE = "model_unavailable"
    CANCELED = "canceled"

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _MEANINGS[self][0]

    @property
    def meaning(self) -> str:
        """One sentence for the API reference."""
        return _MEANINGS[self][1]


_MEANINGS: dict[ErrorCode, tuple[int, str]] = {
    ErrorCode.INVALID_JSON: (400, "Request body is not valid JSON or Content-Type is not set."),
    ErrorCode.INVALID_REQUEST: (
        400,
        "A required field is missing or a value is invalid. See message for details; "
        "field names it.",
    ),
    ErrorCode.MEDIA_UNAVAILABLE: (
        400,
        "The image, audio or video could not be fetched, is not public, is too large, or is not of "
        "the type. See message for which; field names it.",
    ),
    ErrorCode.UNAUTHORIZED: (401, "API key missing, malformed, or revoked."),
    ErrorCode.SUBSCRIPTION_INACTIVE: (403, "Paid plan subscription has lapsed."),
    ErrorCode.PLAN_RESTRICTION: (
        403,
        "The feature is not available on your current plan. "
        "Includes feature and required_plan fields.",
    ),
    ErrorCode.NOT_FOUND: (404, "There is nothing at this address."),
    ErrorCode.JOB_NOT_FOUND: (
        404,
        "The requested job does not exist, belongs to another account, or is older than your "
        "plan's job history.",
    ),
    ErrorCode.SCHEMA_NOT_FOUND: (
        404,
        "The requested schema ID does not exist or belongs to another account.",
    ),
    ErrorCode.KEY_NOT_FOUND: (
        404,
        "The requested API key does not exist or belongs to another account.",
    ),
    ErrorCode.WEBHOOK_NOT_FOUND: (
        404,
        "The requested webhook does not exist or belongs to another account.",
    ),
    ErrorCode.DELIVERY_NOT_FOUND: (
        404,
        "The requested delivery is not in the webhook's log, which goes back 30 days.",
    ),
    ErrorCode.METHOD_NOT_ALLOWED: (405, "Wrong HTTP method for this endpoint. See Allow."),
    ErrorCode.CONFLICT: (
        409,
        "The job or batch is not in a state for this: it has ended, has not ended, did not fail, "
        "or was not asked for with async. See message for which.",
    ),
    ErrorCode.IDEMPOTENCY_CONFLICT: (
        409,
        "The Idempotency-Key was used for another request in the last 24 hours.",
    ),
    ErrorCode.IDEMPOTENCY_IN_PROGRESS: (
        409,
        "The first request with this Idempotency-Key is still running.",
    ),
    ErrorCode.PAYLOAD_TOO_LARGE: (413, "The request body is larger than the server accepts."),
    ErrorCode.RATE_LIMIT_EXCEEDED: (
        429,
        "Monthly request quota exhausted. Includes limit, used, and resets_at fields.",
    ),
    ErrorCode.BUDGET_EXCEEDED: (
        429,
        "The month's budget does not cover what the work could cost at most. Includes limit and "
        "used, in US dollars, and resets_at. A job that runs later fails with it.",
    ),
    ErrorCode.SERVER_ERROR: (500, "Unexpected internal error. Retry with exponential backoff."),
    ErrorCode.MODEL_UNAVAILABLE: (
        503,
        "No model could answer, after retries and fallbacks. Retry after the time in Retry-After.",
    ),
    ErrorCode.CANCELED: (
        409,
        "The job was canceled before it ended. Only in the error of a job, never of a request.",
    ),
}


@dataclass(frozen=True, slots=True)
class Detail:
    """What an error carries besides code and message, by its name on the wire."""

    name: str
    value: str | int


class Error(Exception):
    """Base of the tree. `details` are the further members of the error object."""

    code: ClassVar[ErrorCode] = ErrorCode.SERVER_ERROR

    def __init__(self, message: str, *details: Detail, code: ErrorCode | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.error_code = code or self.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.error_code.status


class InvalidRequest(Error):
    """A field is missing or wrong. `path` leads to it, in REST's names: ("categories", 3)."""

    code = ErrorCode.INVALID_REQUEST

    def __init__(self, path: FieldPath, problem: str) -> None:
        self.path = path
        self.problem = problem
        self.field = render_path(path)
        if path:
            super().__init__(f"{self.field}: {problem}", Detail("field", self.field))
        else:
            super().__init__(problem)


class MediaUnavailable(Error):
    """An image, a recording or a video can't be had, or is not what it should be.

    `lasting` says that trying again won't help. `path` and `problem` are as in `InvalidRequest`.
    """

    code = ErrorCode.MEDIA_UNAVAILABLE

    def __init__(self, path: FieldPath, problem: str, *, lasting: bool) -> None:
        self.path = path
        self.problem = problem
        self.lasting = lasting
        self.field = render_path(path)
        super().__init__(f"{self.field}: {problem}", Detail("field", self.field))


class InvalidJson(Error):
    """The body is not JSON, or is not declared as JSON."""

    code = ErrorCode.INVALID_JSON


class Unauthorized(Error):
    """No key, a malformed key, an unknown key or a revoked one."""

    code = ErrorCode.UNAUTHORIZED


class SubscriptionInactive(Error):
    """A paid plan whose subscription is not active."""

    code = ErrorCode.SUBSCRIPTION_INACTIVE

    def __init__(self, plan: Plan, status: str) -> None:
        super().__init__(
            f"The subscription of your {plan} plan is {status}. "
            "Renew it, or move to the free plan, to go on."
        )


class PlanRestriction(Error):
    """A feature that the caller's plan does not have."""

    code = ErrorCode.PLAN_RESTRICTION

    def __init__(self, feature: str, *, required: Plan, message: str) -> None:
        self.feature = feature
        self.required_plan = required
        super().__init__(
            message, Detail("feature", feature), Detail("required_plan", required.value)
        )


class NotFound(Error):
    """Nothing there, or not the caller's: the two look the same."""

    code = ErrorCode.NOT_FOUND


class MethodNotAllowed(Error):
    """The address exists, the method does not. `allowed` goes into the Allow header."""

    code = ErrorCode.METHOD_NOT_ALLOWED

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(f"{method} is not allowed here. Use {' or '.join(allowed)}.")


class Conflict(Error):
    """What is named exists, but is not in a state for what is asked."""

    code = ErrorCode.CONFLICT


class IdempotencyConflict(Error):
    """An Idempotency-Key that can't be used for this request, or not yet."""

    code = ErrorCode.IDEMPOTENCY_CONFLICT


class PayloadTooLarge(Error):
    """The body exceeds the limit (bytes)."""

    code = ErrorCode.PAYLOAD_TOO_LARGE

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is larger than {limit} bytes.", Detail("limit", limit))


class RateLimitExceeded(Error):
    """The month's quota does not cover the request."""

    code = ErrorCode.RATE_LIMIT_EXCEEDED

    def __init__(self, *, limit: int, used: int, period: Period) -> None:
        self.limit = limit
        self.used = used
        self.resets_at = period.end
        super().__init__(
            f"Monthly limit of {limit} requests reached.",
            Detail("limit", limit),
            Detail("used", used),
            Detail("resets_at", to_iso(period.end)),
        )

    def retry_after(self) -> int:
        """Return the seconds until the quota resets."""
        return max(math.ceil((self.resets_at - now()).total_seconds()), 1)


class BudgetExceeded(Error):
    """The month's budget does not cover what the work could cost at most (nano-dollars).

    `used` counts what is held for work that runs. With `held_up` it would do without that: the same
    may succeed as soon as that has ended. `needed` is None where the price is not known.
    """

    code = ErrorCode.BUDGET_EXCEEDED

    def __init__(
        self, *, limit: int, used: int, needed: int | None, period: Period, held_up: bool = False
    ) -> None:
        self.limit = limit
        self.used = used
        self.held_up = held_up
        self.resets_at = period.end
        if needed is None:
            problem = "the price of this server's model is not known, so a budget can't be kept"
        else:
            problem = (
                f"${to_dollars(used)} are used, and this could cost up to ${to_dollars(needed)}"
            )
        super().__init__(
            f"Monthly budget of ${to_dollars(limit)}: {problem}.",
            Detail("limit", to_dollars(limit)),
            Detail("used", to_dollars(used)),
            Detail("resets_at", to_iso(period.end)),
        )

    def retry_after(self) -> int:
        """Return the seconds until it is worth another try."""
        if self.held_up:
            return _HELD_UP_S
        return max(math.ceil((self.resets_at - now()).total_seconds()), 1)


class ServerError(Error):
    """Our fault. The message says nothing of the inside."""

    def __init__(self) -> None:
        super().__init__("Unexpected internal error. Retry with exponential backoff.")


class ModelUnavailable(Error):
    """No model could answer. `retry_after` is in seconds."""

    code = ErrorCode.MODEL_UNAVAILABLE

    def __init__(self, message: str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message, Detail("retry_after", retry_after))


def render_path(path: FieldPath) -> str:
    """Write a path as callers know it: `categories[3].name`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
