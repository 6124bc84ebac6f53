"""What comes back: bounded in bytes, in time and in what it costs to read."""

import asyncio
import gzip
import io
import socket
import time
from contextlib import ExitStack

import pytest

from app.outbound.client import Outbound
from app.outbound.errors import BadAnswer, OutboundError, TimedOut, TooLarge, Unreachable
from tests.outbound.conftest import MakeOutbound
from tests.outbound.peers import HAS_IPV6, OK, Script, always, drip, serving

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"
DEADLINE_S = 0.4
# For a machine that has other things to do. What is tested would go on for ever.
LEEWAY_S = 2


@pytest.fixture
async def outbound(make_outbound: MakeOutbound) -> Outbound:
    """A client that may reach the servers here."""
    return await make_outbound("127.0.0.1, ::1")


async def fetch_from(outbound: Outbound, script: Script, *, max_bytes: int = 1000) -> bytes:
    """Fetch what a script serves."""
    async with serving(script) as peer:
        fetched = await outbound.fetch(peer.url(), max_bytes=max_bytes, deadline_s=5)
    return fetched.content


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (OK, b"hello"),
        (LENGTH % 0, b""),
        (LENGTH % 1000 + b"x" * 1000, b"x" * 1000),
        (CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
        (UNTIL_CLOSE + b"hello", b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK, b"hello"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", b"x"),
        # More than was announced is not read.
        (LENGTH % 5 + b"hello and more", b"hello"),
    ],
)
async def test_what_is_taken(outbound: Outbound, answer: bytes, content: bytes) -> None:
    assert await fetch_from(outbound, always(answer, close=True)) == content


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (LENGTH % 1001 + b"x" * 1001, TooLarge),
        (LENGTH % 10**15, TooLarge),
        (CHUNKED + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", TooLarge),
        (CHUNKED + b"ffffffffffffffff\r\n" + b"x" * 2000, TooLarge),
        (UNTIL_CLOSE + b"x" * 1001, TooLarge),
        # Cut off, or not HTTP.
        (b"", Unreachable),
        (b"HTTP/1.1 200", Unreachable),
        (LENGTH % 100 + b"x" * 99, Unreachable),
        (CHUNKED + b"5\r\nhel", Unreachable),
        (CHUNKED + b"5\r\nhello\r\n", Unreachable),
        (CHUNKED + b"zz\r\nhello\r\n", Unreachable),
        (CHUNKED + b"-1\r\nhello\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi", Unreachable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", Unreachable),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", Unreachable),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Unreachable),
        (b"+OK redis\r\n-ERR\r\n\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n", Unreachable),
        # Not what was asked for.
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello", BadAnswer),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", BadAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", BadAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nhello", BadAnswer),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\n\r\nx",
            BadAnswer,
        ),
    ],
)
async def test_what_is_not_taken(
    outbound: Outbound, answer: bytes, error: type[OutboundError]
) -> None:
    with pytest.raises(error):
        await fetch_from(outbound, always(answer, close=True))


async def test_a_gzip_bomb_is_refused_unread(outbound: Outbound) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with pytest.raises(BadAnswer, match="Content-Encoding"):
        await fetch_from(outbound, always(head + bomb), max_bytes=10**6)


async def test_content_is_never_decoded(outbound: Outbound) -> None:
    packed = gzip.compress(b"\0" * 1000)
    assert await fetch_from(outbound, always(LENGTH % len(packed) + packed)) == packed


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 8192),
        (b"HTTP/1.1 200 OK\r\n", b"X-%d: y\r\n" % 1 * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 400),
        (CHUNKED, b"1\r\nx\r\n" * 1000),
        (CHUNKED, b"1;" + b"e" * 8000 + b"\r\nx\r\n"),
        (CHUNKED + b"0\r\n", b"X-%d: y\r\n" % 1 * 1000),
        (b"", b"\r\n" * 4000),
    ],
    ids=["header", "headers", "interim", "tiny chunks", "extensions", "trailers", "blank lines"],
)
async def test_what_is_not_content_is_bounded(
    outbound: Outbound, start: bytes, piece: bytes
) -> None:
    with pytest.raises((BadAnswer, Unreachable)):
        await fetch_from(outbound, drip(start, piece, every_s=0), max_bytes=10**9)


async def test_ordinary_chunks_may_go_on_for_long(outbound: Outbound) -> None:
    chunks = (b"80\r\n" + b"x" * 128 + b"\r\n") * 20_000
    content = await fetch_from(outbound, always(CHUNKED + chunks + b"0\r\n\r\n"), max_bytes=10**7)
    assert content == b"x" * 128 * 20_000


async def test_tiny_chunks_hold_up_nobody(outbound: Outbound) -> None:
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(take_turns())
    chunks = b"1\r\nx\r\n" * 5000
    content = await fetch_from(outbound, always(CHUNKED + chunks + b"0\r\n\r\n"), max_bytes=5000)
    other.cancel()
    assert content == b"x" * 5000
    assert turns > 5000


async def test_an_endless_body_ends_at_the_limit(outbound: Outbound) -> None:
    async with serving(drip(UNTIL_CLOSE, b"x" * 65536, every_s=0)) as peer:
        file = io.BytesIO()
        with pytest.raises(TooLarge):
            await outbound.download(peer.url(), file, max_bytes=5_000_000, deadline_s=30)
        assert len(file.getvalue()) <= 5_000_000


@pytest.mark.parametrize(
    "script",
    [
        drip(b"", b""),
        drip(b"HTTP/1.1 200 OK\r\n", b"X"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(LENGTH % 1000, b"x"),
        drip(CHUNKED, b"1\r\nx\r\n"),
        drip(UNTIL_CLOSE, b"x"),
        drip(b"HTTP/1.1 302 Found\r\nLocation: /", b"x"),
    ],
    ids=["silence", "header", "interim", "body", "chunks", "until close", "location"],
)
async def test_a_slow_answer_ends_at_the_deadline(outbound: Outbound, script: Script) -> None:
    async with serving(script) as peer:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            await outbound.fetch(peer.url(), max_bytes=1000, deadline_s=DEADLINE_S)
        assert time.monotonic() - started < DEADLINE_S + LEEWAY_S


async def test_redirects_share_one_deadline(outbound: Outbound) -> None:
    async def slowly(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(DEADLINE_S * 0.6)
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")

    async with serving(slowly) as peer:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            await outbound.fetch(peer.url(), max_bytes=1000, deadline_s=DEADLINE_S)
        assert time.monotonic() - started < DEADLINE_S + LEEWAY_S


async def test_a_handshake_that_never_comes_ends_at_the_deadline(outbound: Outbound) -> None:
    accepted = asyncio.Event()
    ended = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        while await reader.read(1000):
            pass
        ended.set()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(TimedOut):
        await outbound.fetch(f"https://127.0.0.1:{port}/", max_bytes=10, deadline_s=DEADLINE_S)
    assert accepted.is_set()
    # The connection is given up, not left open.
    await asyncio.wait_for(ended.wait(), 2)
    server.close()


async def test_a_connection_that_is_never_accepted_ends_at_the_deadline(
    outbound: Outbound,
) -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        started = time.monotonic()
        with pytest.raises(TimedOut):
            await outbound.fetch(
                f"http://127.0.0.1:{full.getsockname()[1]}/", max_bytes=10, deadline_s=DEADLINE_S
            )
        assert time.monotonic() - started < DEADLINE_S + LEEWAY_S


async def test_nobody_listens(outbound: Outbound) -> None:
    async with serving(always(OK)) as peer:
        gone = peer.url()
    with pytest.raises(Unreachable, match="does not accept connections"):
        await outbound.fetch(gone, max_bytes=10, deadline_s=5)


@pytest.mark.parametrize(
    ("host", "in_url"),
    [
        ("127.0.0.1", "127.0.0.1"),
        pytest.param("::1", "[::1]", marks=pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 here")),
    ],
)
async def test_what_is_asked_for(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch, host: str, in_url: str
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Type: image/png\r\n\r\nhello"
    async with serving(always(cookie, close=True), host=host) as peer:
        url = peer.url("/a?b#c", host=in_url)
        for _ in range(2):
            fetched = await outbound.fetch(url, max_bytes=1000, deadline_s=5)
            assert fetched.content_type == "image/png"
            assert fetched.final_url == url.removesuffix("#c")
    lines = peer.heads[1].decode().split("\r\n")
    assert lines[0] == "GET /a?b HTTP/1.1"
    assert lines[1] == f"Host: {in_url}:{peer.port}"
    assert "Accept-Encoding: identity" in lines
    names = {line.partition(":")[0].lower() for line in lines[1:] if line}
    assert names == {"host", "accept", "accept-encoding", "user-agent", "connection"}


async def test_hundreds_of_dead_endpoints_do_not_hold_up_a_live_one(outbound: Outbound) -> None:
    async with serving(drip(b"", b"")) as dead, serving(always(OK)) as alive:
        waiting = [
            asyncio.create_task(outbound.fetch(dead.url(), max_bytes=10, deadline_s=60))
            for _ in range(300)
        ]
        while dead.connections < 300:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await outbound.fetch(alive.url(), max_bytes=10, deadline_s=10)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
