"""A connection to an address that was judged: TCP to the address, TLS and HTTP by the name.

The limits on what comes back are counted here, where it arrives: see `_MeteredStream`.
"""

import asyncio
import ssl
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import cast

import httpcore

from app.outbound.addresses import Address
from app.outbound.errors import BadAnswer, Unreachable
from app.outbound.target import Target

#: What may arrive besides content in one exchange: status lines, headers, trailers, framing.
OVERHEAD_BYTES = 64 * 1024
# Beyond that, overhead may grow by a sixteenth of the content: chunks of 100 bytes still pass.
_OVERHEAD_SHARE = 16
# What one read brings is parsed without a pause: at worst 650 interim responses, in 16 ms.
_READ_BYTES = 16 * 1024
_SMALL_PIECE = 1024
# A second address is tried when the first does not answer for this long.
_CONNECT_S = 3.0
_MAX_ADDRESSES = 4
_KEEP_ALIVE_S = 30.0

_BACKEND = httpcore.AnyIOBackend()


class _MeteredStream(httpcore.AsyncNetworkStream):
    """Ends an exchange in which more arrives than its content accounts for.

    Without it a peer could send interim responses, or one-byte chunks, until the deadline, and
    each costs far more to parse than to send.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self.arrived = 0
        self._allowance = 0

    def begin(self) -> None:
        """Begin an exchange."""
        self.arrived = 0
        self._allowance = OVERHEAD_BYTES

    def account_for(self, content_bytes: int) -> None:
        """Tell that so much of what arrived was content."""
        self._allowance += content_bytes + content_bytes // _OVERHEAD_SHARE

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        data = await self._stream.read(min(max_bytes, _READ_BYTES), timeout)
        self.arrived += len(data)
        self._allowance -= len(data)
        if self._allowance < 0:
            raise BadAnswer("The answer has too large a header, or too little content in it.")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class Connection:
    """An HTTP/1.1 connection to one address, for one request at a time."""

    def __init__(
        self, target: Target, address: Address, stream: httpcore.AsyncNetworkStream
    ) -> None:
        self._scheme, self._host, self._port = target.scheme, target.host, target.port
        self._address = address
        self._stream = _MeteredStream(stream)
        self._http = httpcore.AsyncHTTP11Connection(
            _url(target).origin, self._stream, keepalive_expiry=_KEEP_ALIVE_S
        )

    @property
    def was_silent(self) -> bool:
        """Whether nothing at all has come back in the last exchange."""
        return self._stream.arrived == 0

    @property
    def is_idle(self) -> bool:
        """Whether another request can be sent."""
        return self._http.is_idle() and not self._http.has_expired()

    def serves(self, target: Target, addresses: Sequence[Address]) -> bool:
        """Tell whether it leads to a target whose addresses were judged just now."""
        same = (self._scheme, self._host, self._port) == (target.scheme, target.host, target.port)
        return same and self._address in addresses

    @asynccontextmanager
    async def exchange(
        self, method: str, target: Target, *, headers: Mapping[str, str], body: bytes = b""
    ) -> AsyncIterator[httpcore.Response]:
        """Send a request; within the block its answer's content can be read.

        Raises:
            Unreachable: The peer broke off, or what it sends is not HTTP.
        """
        request = httpcore.Request(
            method,
            _url(target),
            headers=[("Host", target.authority), *headers.items()],
            content=body,
        )
        self._stream.begin()
        with self._failures_told():
            response = await self._http.handle_async_request(request)
        try:
            yield response
        finally:
            await response.aclose()

    @asynccontextmanager
    async def content(self, response: httpcore.Response) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give an answer's content as it arrives, to be read in full or in part.

        Raises:
            BadAnswer: Too little of what arrives is content.
            Unreachable: The peer broke off, or what it sends is not HTTP.
        """
        stream = cast("AsyncIterable[bytes]", response.stream)
        # httpcore's is a generator: left half read, it would be closed whenever it is collected.
        arriving = cast("AsyncGenerator[bytes, None]", aiter(stream))

        async def pieces() -> AsyncGenerator[bytes, None]:
            async for piece in arriving:
                self._stream.account_for(len(piece))
                yield piece
                if len(piece) < _SMALL_PIECE:
                    # One read may bring thousands, and nothing else would run until the next.
                    await asyncio.sleep(0)

        with self._failures_told():
            async with aclosing(arriving), aclosing(pieces()) as counted:
                yield counted

    async def aclose(self) -> None:
        """Close it, whatever is under way."""
        await self._http.aclose()

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        try:
            yield
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise Unreachable(f"{self._host.name} broke off, or sent no valid HTTP.") from None


async def connect(
    target: Target, addresses: Sequence[Address], *, ssl_context: ssl.SSLContext
) -> Connection:
    """Connect to the first of a target's judged addresses that answers.

    Raises:
        Unreachable: None does, or its certificate is not valid for the name.
    """
    *others, last = addresses[:_MAX_ADDRESSES]
    for address in (*others, last):
        patience = None if address is last else _CONNECT_S
        try:
            stream = await _BACKEND.connect_tcp(str(address), target.port, timeout=patience)
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            continue
        if target.scheme == "https":
            stream = await _start_tls(stream, target, ssl_context)
        return Connection(target, address, stream)
    raise Unreachable(f"{target.host.name} does not accept connections.")


async def _start_tls(
    stream: httpcore.AsyncNetworkStream, target: Target, ssl_context: ssl.SSLContext
) -> httpcore.AsyncNetworkStream:
    name = target.host.name
    try:
        return await stream.start_tls(ssl_context, server_hostname=name)
    except httpcore.ConnectError as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise Unreachable(f"The certificate of {name} is not valid.") from None
        raise Unreachable(f"{name} does not speak TLS as it should.") from None
    except BaseException:
        # A deadline that passes during the handshake would leave the stream open.
        await stream.aclose()
        raise


def _url(target: Target) -> httpcore.URL:
    return httpcore.URL(
        scheme=target.scheme, host=target.host.name, port=target.port, target=target.path
    )
