"""What one method of one address does, told once: for the router and for the OpenAPI document."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from app.domain.errors import ErrorCode
from app.rest.call import Call
from app.rest.reply import Reply, Stream

Handler = Callable[[Call], Awaitable[Reply | Stream]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the query. `schema` is JSON Schema."""

    name: str
    description: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A handler and its description. `errors` are those beyond what every operation has.

    `promise` is answered, with 202, to who does not want to wait. What is no JSON has its schemas
    by media type: `consumes` a body, `produces` a reply.
    """

    handler: Handler
    name: str
    summary: str
    reply: Any
    status: int = 200
    promise: type[Struct] | None = None
    body: type[Struct] | None = None
    consumes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    produces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    may_lack_body: bool = False
    query: tuple[Parameter, ...] = ()
    errors: tuple[ErrorCode, ...] = ()
