"""What stands on the other side: servers, a canary and a name server, on real loopback sockets."""

import asyncio
import re
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


# Containers often have none.
HAS_IPV6 = _has_ipv6()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Peer:
    """A server and what it has seen: connections, and the heads and bodies of requests."""

    host: str
    port: int
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def url(self, path: str = "/", *, host: str | None = None, scheme: str = "http") -> str:
        """Return a URL that leads here."""
        return f"{scheme}://{host or self.host}:{self.port}{path}"


Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(
    script: Script,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Peer]:
    """Serve: `script` gets each request's head and writes what it likes."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.connections += 1
        talks.add(asyncio.current_task())  # type: ignore[arg-type]
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                peer.heads.append(head)
                peer.bodies.append(body)
                await script(head, writer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, host, port, ssl=tls)
    peer = Peer(host, server.sockets[0].getsockname()[1])
    try:
        yield peer
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def always(answer: bytes, *, close: bool = False) -> Script:
    """Return a script that gives the same answer to everything."""

    async def script(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if close:
            writer.close()

    return script


def by_path(answers: Mapping[str, bytes]) -> Script:
    """Return a script that answers by the request's path."""

    async def script(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[head.split(b" ")[1].decode()])

    return script


def redirect(location: str | bytes, status: int = 302) -> bytes:
    """Return an answer that redirects."""
    where = location if isinstance(location, bytes) else location.encode()
    return b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, where)


def drip(start: bytes, piece: bytes, *, every_s: float = 0.02) -> Script:
    """Return a script that goes on for ever."""

    async def script(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every_s)

    return script


@dataclass
class Zone:
    """What the name server knows. A name's answers are given in turn, the last one for ever."""

    answers: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    questions: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, *turns: str | Iterable[str]) -> None:
        """Let a name have these addresses, turn by turn."""
        self.answers[name] = [(turn,) if isinstance(turn, str) else tuple(turn) for turn in turns]

    def forget(self) -> None:
        """Know nothing."""
        self.answers.clear()
        self.aliases.clear()
        self.questions.clear()

    def addresses(self, name: str, version: int) -> list[str]:
        """Return what the name has at this turn."""
        turns = self.answers.get(name, [()])
        turn = turns[min(self.questions[f"{name} {version}"], len(turns)) - 1]
        return [address for address in turn if ip_address(address).version == version]


class _Answers(BaseResolver):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        reply = request.reply()
        name = str(request.q.qname).rstrip(".").lower()
        version = {QTYPE.A: 4, QTYPE.AAAA: 6}[request.q.qtype]
        self._zone.questions[f"{name} {version}"] += 1
        if name in self._zone.aliases:
            alias, name = name, self._zone.aliases[name]
            reply.add_answer(RR(alias, QTYPE.CNAME, rdata=CNAME(name), ttl=0))
        for address in self._zone.addresses(name, version):
            packed = list(ip_address(address).packed)
            rdata = A(address) if version == 4 else AAAA(packed)
            reply.add_answer(RR(name, request.q.qtype, rdata=rdata, ttl=0))
        if name not in self._zone.answers:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


@contextmanager
def naming(zone: Zone) -> Iterator[str]:
    """Run a name server; give its `address:port`."""
    silent = DNSLogger("-request,-reply,-truncated,-error")
    server = DNSServer(_Answers(zone), address="127.0.0.1", port=0, logger=silent)
    server.start_thread()
    try:
        yield f"127.0.0.1:{server.server.server_address[1]}"
    finally:
        server.stop()
        server.server.server_close()
