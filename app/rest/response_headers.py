"""The headers of answers, as the OpenAPI document describes them."""

from typing import Any

from app.domain.errors import ErrorCode

_INTEGER = {"type": "integer", "minimum": 0}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The request's id: the caller's own, if it sent a sane one.",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-RateLimit-Limit": {
        "description": "The month's requests. Left out on unlimited plans.",
        "schema": _INTEGER,
    },
    "X-RateLimit-Remaining": {
        "description": "What is left of them. Left out on unlimited plans.",
        "schema": _INTEGER,
    },
    "X-RateLimit-Reset": {
        "description": "When the month's count starts anew, in Unix seconds. Left out on "
        "unlimited plans.",
        "schema": _INTEGER,
    },
    "Retry-After": {
        "description": "When to try again, in seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "Idempotent-Replayed": {
        "description": "There when the answer is the one that was kept for the Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate.",
        "required": True,
        "schema": {"type": "string", "enum": ["Bearer"]},
    },
}
_RATE_LIMIT = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def headers_of(status: int, method: str) -> dict[str, dict[str, str]]:
    """Return references to the headers of a method's answers with a status."""
    names = ["X-Request-Id"]
    if status == ErrorCode.UNAUTHORIZED.status:
        names.append("WWW-Authenticate")
    else:
        names += _RATE_LIMIT
    if status in {ErrorCode.RATE_LIMIT_EXCEEDED.status, ErrorCode.MODEL_UNAVAILABLE.status}:
        names.append("Retry-After")
    if status < 300 and method == "POST":
        names.append("Idempotent-Replayed")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
