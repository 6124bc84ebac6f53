"""One authenticated request, as a handler sees it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import msgspec
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from app.domain.accounts.account import Account, Caller
from app.domain.batches.batch import is_batch_id
from app.domain.errors import FieldPath, InvalidRequest
from app.domain.idempotency import Claim, Receipt
from app.domain.services import Services
from app.http.body import read_body
from app.http.json_body import parse_json
from app.rest.reply import Reply

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


encode = msgspec.json.Encoder().encode

# Far above what any account holds, far below what a database can't count.
MAX_OFFSET = 10**9
DEFAULT_LIMIT = 20
MAX_LIMIT = 100
# Proxies cut a silent connection off after a minute.
MAX_WAIT_S = 60


@dataclass(slots=True)
class Call:
    """One authenticated request. `used` is the month's use as far as it is known.

    `claim` is held when the request came with an Idempotency-Key; `receipted` says that the answer
    has been kept for it.
    """

    request: Request
    services: Services
    caller: Caller
    used: int
    claim: Claim | None = None
    receipted: bool = False
    _raw: bytes | None = None

    @property
    def account(self) -> Account:
        """The caller's account."""
        return self.caller.account

    @property
    def started(self) -> float:
        """When the request arrived (perf_counter seconds)."""
        return float(self.request.state.started)

    async def raw_body(self) -> bytes:
        """Read the body, once."""
        if self._raw is None:
            limit = self.services.settings.max_body_bytes
            self._raw = await read_body(self.request, limit=limit)
        return self._raw

    async def identity(self) -> bytes:
        """Return what of the body makes two requests the same.

        The boundary of a form is drawn anew each time it is sent.
        """
        raw = await self.raw_body()
        _, options = parse_options_header(self.request.headers.get("content-type"))
        boundary = options.get(b"boundary")
        return raw.replace(boundary, b"") if boundary else raw

    async def body(self, shape: type[T]) -> T:
        """Read and decode the JSON body."""
        content_type = self.request.headers.get("content-type")
        return parse_json(await self.raw_body(), content_type=content_type, shape=shape)

    async def optional_body(self, shape: type[T]) -> T:
        """Decode the JSON body; without one, all its fields are left out."""
        return await self.body(shape) if await self.raw_body() else shape()

    def receipt(self, reply: Reply) -> Receipt | None:
        """Return what the step that ends the work has to keep, if anything."""
        if self.claim is None:
            return None
        self.receipted = True
        return self.claim.receipt(status=reply.status, body=encode(reply.body))

    def id_text(self) -> str | None:
        """Return the id in the path or in the query, as it was sent."""
        in_path: str | None = self.request.path_params.get("id")
        return in_path or self.request.query_params.get("id")

    def required_batch_id(self) -> str:
        """Return the id of a batch in the path or in the query."""
        text = self.id_text()
        if text is None:
            raise InvalidRequest(("id",), "is required")
        if not is_batch_id(text):
            raise InvalidRequest(("id",), f"must be the id of a batch, got '{text[:40]}'")
        return text

    def required_id(self) -> int:
        """Return the id in the path or in the query."""
        text = self.id_text()
        if text is None:
            raise InvalidRequest(("id",), "is required")
        return parse_integer(("id",), text)

    def page(self) -> tuple[int, int]:
        """Return `limit` and `offset` of the query."""
        return (
            self._query_integer("limit", DEFAULT_LIMIT, minimum=1, maximum=MAX_LIMIT),
            self._query_integer("offset", 0, minimum=0, maximum=MAX_OFFSET),
        )

    def wait_s(self) -> int:
        """Return how long the caller wants to wait for an end, in seconds."""
        return self._query_integer("wait", 0, minimum=0, maximum=MAX_WAIT_S)

    def query_choice(self, name: str, choices: type[E]) -> E | None:
        """Read one of a few words from the query."""
        text = self.request.query_params.get(name)
        if text is None:
            return None
        try:
            return choices(text)
        except ValueError:
            raise InvalidRequest(
                (name,), f"must be one of {', '.join(choices)}, got '{text[:40]}'"
            ) from None

    def query_flag(self, name: str) -> bool:
        """Read true or false from the query; false when it is left out."""
        text = self.request.query_params.get(name, "false")
        if text not in {"true", "false"}:
            raise InvalidRequest((name,), f"must be true or false, got '{text[:40]}'")
        return text == "true"

    def _query_integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        text = self.request.query_params.get(name)
        if text is None:
            return default
        value = parse_integer((name,), text)
        if not minimum <= value <= maximum:
            raise InvalidRequest((name,), f"must be from {minimum} to {maximum}, got {value}")
        return value


def parse_integer(path: FieldPath, text: str, *, kind: str = "an integer") -> int:
    """Read a whole number that every database can hold; `kind` says what else would do.

    Raises:
        InvalidRequest: It is not one; the error names the field.
    """
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise InvalidRequest(path, f"must be {kind}, got '{text[:40]}'")
    return int(text)
