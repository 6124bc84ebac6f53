"""The client: fetch, download, post, and check a URL before it is saved."""

import asyncio
import contextlib
import io
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

import httpcore
import httpx

from app import __version__
from app.outbound.addresses import Address
from app.outbound.connection import Connection, connect
from app.outbound.errors import (
    BadAnswer,
    OutboundError,
    Refused,
    TimedOut,
    TooLarge,
    Unreachable,
)
from app.outbound.idle import IdleConnections
from app.outbound.policy import Policy
from app.outbound.resolver import Resolver, SystemResolver
from app.outbound.target import Target, parse_url

MAX_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
# Long enough for a name server that is up, short enough for whoever saves a webhook.
_CHECK_S = 3.0
_AGENT = f"ClassifAIly/{__version__}"
_GET_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "User-Agent": _AGENT,
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What was fetched into a file: its bytes, the peer's word for its type, and from where."""

    size: int
    content_type: str
    final_url: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched: the content, the peer's word for its type, and from where."""

    content: bytes
    content_type: str
    final_url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered, whatever the status, after how many milliseconds."""

    status: int
    body_head: bytes
    duration_ms: int


class Outbound:
    """One per process and event loop. Proxies, cookies and credentials are never used.

    `ssl_context` is for endpoints with certificates of an authority of one's own; by default
    certifi's authorities are trusted, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        resolver: Resolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._resolver = resolver or SystemResolver()
        self._ssl_context = ssl_context or httpx.create_ssl_context()
        self._idle = IdleConnections()

    async def check(self, url: str, *, require_https: bool) -> None:
        """Judge a URL that is to be saved.

        Its name is looked up, and a private answer refused. A name that nobody knows now is let
        pass: it may be known when it is used, and every use judges it anew.

        Raises:
            Refused: It is not allowed.
        """
        target = parse_url(url)
        try:
            async with asyncio.timeout(_CHECK_S):
                await self._judged_addresses(target, require_https=require_https)
        except (Unreachable, TimeoutError):
            self._policy.judge_addresses(target, (), require_https=require_https)

    async def fetch(self, url: str, *, max_bytes: int, deadline_s: float) -> Fetched:
        """Return what is at a URL, within `max_bytes` and `deadline_s` seconds in all.

        Raises:
            OutboundError: Any of the tree.
        """
        memory = io.BytesIO()
        found = await self.download(url, memory, max_bytes=max_bytes, deadline_s=deadline_s)
        return Fetched(memory.getvalue(), found.content_type, found.final_url)

    async def download(
        self, url: str, file: BinaryIO, *, max_bytes: int, deadline_s: float
    ) -> Downloaded:
        """Write what is at a URL into a file, as it arrives: for what is too large for memory.

        Raises:
            OutboundError: Any of the tree; the file then holds a part, or nothing.
        """
        async with _deadline(deadline_s):
            target = parse_url(url)
            for _ in range(MAX_REDIRECTS + 1):
                addresses = await self._judged_addresses(target, require_https=False)
                connection = await connect(target, addresses, ssl_context=self._ssl_context)
                async with (
                    contextlib.aclosing(connection),
                    connection.exchange("GET", target, headers=_GET_HEADERS) as response,
                ):
                    location = _header(response, b"location")
                    if response.status not in _REDIRECTS or location is None:
                        return await _receive(connection, response, target, file, max_bytes)
                target = target.follow(location)
            raise Refused(f"The URL redirects more than {MAX_REDIRECTS} times.")

    async def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        deadline_s: float,
        keep_bytes: int = 4096,
    ) -> Answer:
        """Send a body to an endpoint: https, or a private host that the operator allows.

        Redirects are not followed. The answer counts once its status is there in time; as much
        of its body is kept as follows in time, at most `keep_bytes`. When an endpoint closes a
        connection that was kept open, the body may be sent twice.

        Raises:
            OutboundError: There was no answer.
        """
        started = time.monotonic()
        async with _deadline(deadline_s) as deadline:
            target = parse_url(url)
            addresses = await self._judged_addresses(target, require_https=True)
            post = _Post(target, body, headers, keep_bytes, deadline)
            status, head = await self._send(post, addresses)
        return Answer(status, head, round((time.monotonic() - started) * 1000))

    async def aclose(self) -> None:
        """Close what is kept open."""
        await self._idle.aclose()
        await self._resolver.aclose()

    async def _judged_addresses(self, target: Target, *, require_https: bool) -> Sequence[Address]:
        self._policy.judge_url(target, require_https=require_https)
        literal = target.host.address
        addresses = (
            await self._resolver.resolve(target.host.name) if literal is None else (literal,)
        )
        self._policy.judge_addresses(target, addresses, require_https=require_https)
        return addresses

    async def _send(self, post: "_Post", addresses: Sequence[Address]) -> tuple[int, bytes]:
        kept = await self._idle.take(post.target, addresses)
        if kept is not None:
            try:
                return await self._send_on(kept, post)
            except Unreachable:
                # Closed by the peer while it was idle: no word about the endpoint's health.
                if not kept.was_silent:
                    raise
        connection = await connect(post.target, addresses, ssl_context=self._ssl_context)
        return await self._send_on(connection, post)

    async def _send_on(self, connection: Connection, post: "_Post") -> tuple[int, bytes]:
        try:
            async with connection.exchange(
                "POST", post.target, headers=post.sent_headers, body=post.body
            ) as response:
                return response.status, await post.read_head(connection, response)
        finally:
            await self._idle.put(connection)


@dataclass(frozen=True, slots=True)
class _Post:
    """A request with a body, and until when its answer may take."""

    target: Target
    body: bytes
    headers: Mapping[str, str]
    keep_bytes: int
    deadline: asyncio.Timeout

    @property
    def sent_headers(self) -> dict[str, str]:
        return {
            **self.headers,
            "Accept-Encoding": "identity",
            "User-Agent": _AGENT,
            "Content-Length": str(len(self.body)),
        }

    async def read_head(self, connection: Connection, response: httpcore.Response) -> bytes:
        """Return what arrives of the answer's body in time: the status alone is the answer."""
        until = self.deadline.when()
        self.deadline.reschedule(None)
        head = bytearray()
        with contextlib.suppress(TimeoutError, OutboundError):
            async with asyncio.timeout_at(until), connection.content(response) as pieces:
                async for piece in pieces:
                    head += piece
                    if len(head) > self.keep_bytes:
                        break
        return bytes(head[: self.keep_bytes])


async def _receive(
    connection: Connection,
    response: httpcore.Response,
    target: Target,
    file: BinaryIO,
    max_bytes: int,
) -> Downloaded:
    name = target.host.name
    if not 200 <= response.status < 300:
        raise BadAnswer(f"{name} answered with status {response.status}.", status=response.status)
    if (_header(response, b"content-encoding") or b"identity").lower() != b"identity":
        raise BadAnswer(f"{name} answered with a Content-Encoding, which was not asked for.")
    # h11 has seen to it that it is a number.
    if int(_header(response, b"content-length") or 0) > max_bytes:
        raise TooLarge(max_bytes)
    size = 0
    async with connection.content(response) as pieces:
        async for piece in pieces:
            size += len(piece)
            if size > max_bytes:
                raise TooLarge(max_bytes)
            file.write(piece)
    content_type = (_header(response, b"content-type") or b"").decode("latin-1")
    return Downloaded(size, content_type, target.url)


def _header(response: httpcore.Response, name: bytes) -> bytes | None:
    """Return a header's values as one, as HTTP says they may be joined."""
    values = [value for key, value in response.headers if key.lower() == name]
    return b", ".join(values) if values else None


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    try:
        async with asyncio.timeout(seconds) as deadline:
            yield deadline
    except TimeoutError:
        raise TimedOut(seconds) from None
