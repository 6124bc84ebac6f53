"""What one method of one address does, told once: for the router and for the OpenAPI document."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from app.domain.errors import ErrorCode
from app.rest.call import Call


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers. Without a body there is none, and the status is 204.

    What is not `kept` leaves the request's Idempotency-Key free.
    """

    body: Struct | dict[str, Any] | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: bool = True


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the query. `schema` is JSON Schema."""

    name: str
    description: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A handler and its description. `errors` are those beyond what every operation has."""

    handler: Handler
    name: str
    summary: str
    reply: Any
    status: int = 200
    body: type[Struct] | None = None
    query: tuple[Parameter, ...] = ()
    errors: tuple[ErrorCode, ...] = ()
