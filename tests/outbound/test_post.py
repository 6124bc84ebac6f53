"""Posting to an endpoint."""

import asyncio
import time

import pytest
import uvloop

from app.outbound.client import Outbound
from app.outbound.errors import Refused, TimedOut, Unreachable
from app.outbound.policy import Policy
from app.outbound.private_hosts import parse_private_hosts
from app.outbound.resolver import SystemResolver
from tests.outbound.conftest import MakeOutbound
from tests.outbound.peers import OK, Zone, always, drip, redirect, serving


@pytest.fixture
async def outbound(make_outbound: MakeOutbound) -> Outbound:
    """A client that may reach the servers here."""
    return await make_outbound("127.0.0.1")


async def test_what_is_sent_and_what_comes_back(outbound: Outbound) -> None:
    async with serving(always(OK)) as peer:
        answer = await outbound.post(
            peer.url("/hook?a=b"),
            body='{"é": 1}'.encode(),
            headers={"Content-Type": "application/json", "X-Signature": "sha256=00"},
            deadline_s=5,
        )
    assert (answer.status, answer.body_head) == (200, b"hello")
    assert 0 <= answer.duration_ms < 2000
    lines = peer.heads[0].decode().split("\r\n")
    assert lines[0] == "POST /hook?a=b HTTP/1.1"
    assert {"Content-Type: application/json", "X-Signature: sha256=00", "Content-Length: 9"} <= set(
        lines
    )
    assert peer.bodies == ['{"é": 1}'.encode()]


@pytest.mark.parametrize("status", [204, 301, 307, 400, 404, 410, 429, 500, 503])
async def test_any_status_is_an_answer_and_no_redirect_is_followed(
    outbound: Outbound, status: int
) -> None:
    async with serving(always(redirect("/elsewhere", status))) as peer:
        answer = await outbound.post(peer.url(), body=b"", headers={}, deadline_s=5)
        assert answer.status == status
        assert len(peer.heads) == 1


async def test_connections_are_used_again(outbound: Outbound) -> None:
    async with serving(always(OK)) as peer:
        for _ in range(5):
            await outbound.post(peer.url(), body=b"x", headers={}, deadline_s=5)
        assert (peer.connections, len(peer.heads)) == (1, 5)
        posts = (outbound.post(peer.url(), body=b"x", headers={}, deadline_s=5) for _ in range(20))
        await asyncio.gather(*posts)
        assert len(peer.heads) == 25


async def test_a_connection_is_not_used_again_when_its_answer_was_not_read_to_the_end(
    outbound: Outbound,
) -> None:
    async with serving(always(OK)) as peer:
        for _ in range(2):
            answer = await outbound.post(
                peer.url(), body=b"x", headers={}, deadline_s=5, keep_bytes=2
            )
            assert answer.body_head == b"he"
        assert peer.connections == 2


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(
    outbound: Outbound,
) -> None:
    served = 0

    async def once_a_connection(head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        if served % 2:
            writer.write(OK)
        else:
            # The request has been read, and nothing comes back.
            served -= 1
            writer.close()

    async with serving(once_a_connection) as peer:
        first = await outbound.post(peer.url(), body=b"x", headers={}, deadline_s=5)
        assert first.status == 200
        served = 1
        with pytest.raises(Unreachable):
            await outbound.post(peer.url(), body=b"x", headers={}, deadline_s=5)
        # Once on the kept connection, once anew, and no more.
        assert (peer.connections, len(peer.heads)) == (2, 3)


async def test_a_kept_connection_is_dropped_when_the_peer_closes_it(outbound: Outbound) -> None:
    async with serving(always(OK, close=True)) as peer:
        for _ in range(3):
            await outbound.post(peer.url(), body=b"x", headers={}, deadline_s=5)
            await asyncio.sleep(0.05)
        assert (peer.connections, len(peer.heads)) == (3, 3)


async def test_the_status_is_the_answer_though_the_body_never_ends(outbound: Outbound) -> None:
    start = b"HTTP/1.1 200 OK\r\n\r\n"
    async with serving(drip(start, b"x")) as peer:
        started = time.monotonic()
        answer = await outbound.post(peer.url(), body=b"", headers={}, deadline_s=0.4)
        assert time.monotonic() - started < 3
    assert answer.status == 200
    assert set(answer.body_head) == {ord("x")}


async def test_no_more_is_read_than_is_kept(outbound: Outbound) -> None:
    async with serving(drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, every_s=0)) as peer:
        answer = await outbound.post(
            peer.url(), body=b"", headers={}, deadline_s=5, keep_bytes=4096
        )
    assert answer.body_head == b"x" * 4096
    assert answer.duration_ms < 2000


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX"])
async def test_no_status_in_time(outbound: Outbound, start: bytes) -> None:
    async with serving(drip(start, b"")) as peer:
        with pytest.raises(TimedOut, match=r"within 0\.3 seconds"):
            await outbound.post(peer.url(), body=b"", headers={}, deadline_s=0.3)


async def test_a_body_that_nobody_reads_ends_at_the_deadline(outbound: Outbound) -> None:
    async def never_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    server = await asyncio.start_server(never_read, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    with pytest.raises(TimedOut):
        await outbound.post(url, body=b"x" * 50_000_000, headers={}, deadline_s=0.3)
    server.close()
    await asyncio.sleep(0.8)


async def test_https_is_demanded_but_of_what_the_operator_allows(
    make_outbound: MakeOutbound, zone: Zone
) -> None:
    zone.add("hooks.example.com", "93.184.216.34")
    outbound = await make_outbound()
    with pytest.raises(Refused, match="https://"):
        await outbound.post("http://hooks.example.com/", body=b"", headers={}, deadline_s=5)


def test_it_runs_on_uvloop(nameserver: str, zone: Zone) -> None:
    zone.add("hooks.example.com", "127.0.0.1")
    zone.add("other.example.com", "127.0.0.2")

    async def post() -> None:
        resolver = SystemResolver([nameserver])
        outbound = Outbound(Policy(parse_private_hosts("127.0.0.1")), resolver=resolver)
        async with serving(always(OK)) as peer:
            for _ in range(2):
                url = peer.url(host="hooks.example.com")
                answer = await outbound.post(url, body=b"", headers={}, deadline_s=5)
                assert answer.status == 200
            assert peer.connections == 1
            with pytest.raises(Refused):
                await outbound.fetch(peer.url(host="other.example.com"), max_bytes=1, deadline_s=5)
            with pytest.raises(TimedOut):
                await outbound.fetch(peer.url(), max_bytes=100, deadline_s=0)
        await outbound.aclose()

    uvloop.run(post())
