"""What a handler answers."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers. Without a body there is none, and the status is 204.

    What is not `kept` leaves the request's Idempotency-Key free. What is `secret` is kept sealed.
    """

    body: Struct | dict[str, Any] | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: bool = True
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that is written while it is read, as long as it may be."""

    chunks: AsyncIterator[bytes]
    media_type: str
