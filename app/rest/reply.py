"""What a handler answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers. Without a body there is none, and the status is 204.

    What is not `kept` leaves the request's Idempotency-Key free.
    """

    body: Struct | dict[str, Any] | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: bool = True
