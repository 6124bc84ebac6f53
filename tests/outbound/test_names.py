"""Names: resolved once, judged as a whole, connected to where the judgement was made."""

import asyncio
import socket
from pathlib import Path

import pytest

from app.outbound.client import Outbound
from app.outbound.errors import Refused, TimedOut, Unreachable
from app.outbound.policy import WEB_PORTS, Policy
from app.outbound.private_hosts import parse_private_hosts
from app.outbound.resolver import SystemResolver
from tests.outbound.conftest import MakeOutbound
from tests.outbound.peers import OK, Zone, always, by_path, redirect, serving

NAME = "media.example.com"
ALLOWED, FORBIDDEN = "127.0.0.2", "127.0.0.1"


async def test_a_name_that_changes_its_mind_is_resolved_once_and_pinned(
    make_outbound: MakeOutbound, zone: Zone
) -> None:
    zone.add(NAME, ALLOWED, FORBIDDEN)
    outbound = await make_outbound(f"{ALLOWED}/32")
    async with (
        serving(always(OK), host=ALLOWED) as peer,
        serving(always(OK), host=FORBIDDEN, port=peer.port) as canary,
    ):
        fetched = await outbound.fetch(peer.url(host=NAME), max_bytes=100, deadline_s=5)
        assert fetched.content == b"hello"
        assert zone.questions[f"{NAME} 4"] == 1
        assert f"Host: {NAME}:{peer.port}\r\n".encode() in peer.heads[0]
        with pytest.raises(Refused):
            await outbound.fetch(peer.url(host=NAME), max_bytes=100, deadline_s=5)
        assert canary.connections == 0
        assert peer.connections == 1


async def test_a_redirect_to_the_same_name_is_resolved_and_judged_anew(
    make_outbound: MakeOutbound, zone: Zone
) -> None:
    zone.add(NAME, ALLOWED, FORBIDDEN)
    outbound = await make_outbound(f"{ALLOWED}/32")
    async with (
        serving(by_path({"/": redirect("/again")}), host=ALLOWED) as peer,
        serving(always(OK), host=FORBIDDEN, port=peer.port) as canary,
    ):
        with pytest.raises(Refused):
            await outbound.fetch(peer.url(host=NAME), max_bytes=100, deadline_s=5)
        assert (peer.connections, canary.connections) == (1, 0)


async def test_a_kept_connection_is_not_used_once_its_name_leads_elsewhere(
    make_outbound: MakeOutbound, zone: Zone
) -> None:
    zone.add(NAME, ALLOWED, ALLOWED, "127.0.0.3", FORBIDDEN)
    outbound = await make_outbound(f"{ALLOWED}, 127.0.0.3")
    async with (
        serving(always(OK), host=ALLOWED) as first,
        serving(always(OK), host="127.0.0.3", port=first.port) as second,
    ):
        for connections in ((1, 0), (1, 0), (1, 1)):
            await outbound.post(first.url(host=NAME), body=b"", headers={}, deadline_s=5)
            assert (first.connections, second.connections) == connections
        with pytest.raises(Refused):
            await outbound.post(first.url(host=NAME), body=b"", headers={}, deadline_s=5)
        assert len(second.heads) == 1


@pytest.mark.parametrize(
    "answer",
    [
        (ALLOWED, FORBIDDEN),
        (FORBIDDEN, ALLOWED),
        (ALLOWED, "::1"),
        (ALLOWED, "::ffff:127.0.0.2"),
        (ALLOWED, "64:ff9b::7f00:2"),
        ("93.184.216.34", ALLOWED, "10.0.0.1"),
    ],
)
async def test_one_bad_address_spoils_the_whole_answer(
    make_outbound: MakeOutbound, zone: Zone, answer: tuple[str, ...]
) -> None:
    zone.add(NAME, answer)
    async with serving(always(OK), host=ALLOWED) as peer:
        outbound = await make_outbound(f"{ALLOWED}/32", ports=WEB_PORTS | {peer.port})
        with pytest.raises(Refused):
            await outbound.fetch(peer.url(host=NAME), max_bytes=100, deadline_s=5)
        assert peer.connections == 0


async def test_the_next_address_is_tried_when_one_refuses(
    make_outbound: MakeOutbound, zone: Zone
) -> None:
    zone.add(NAME, ("127.0.0.3", "127.0.0.4", ALLOWED))
    outbound = await make_outbound("127.0.0.0/8")
    async with serving(always(OK), host=ALLOWED) as peer:
        fetched = await outbound.fetch(peer.url(host=NAME), max_bytes=100, deadline_s=5)
    assert fetched.content == b"hello"


async def test_a_name_that_nobody_knows(make_outbound: MakeOutbound) -> None:
    outbound = await make_outbound()
    with pytest.raises(Unreachable, match="has no public address"):
        await outbound.fetch("http://nowhere.example.com/", max_bytes=100, deadline_s=5)
    await outbound.check("https://nowhere.example.com/", require_https=True)
    with pytest.raises(Refused, match="https"):
        await outbound.check("http://nowhere.example.com/", require_https=True)


async def test_a_silent_name_server_holds_no_thread_and_nobody_else() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        outbound = Outbound(
            Policy(parse_private_hosts("127.0.0.1")),
            resolver=SystemResolver([f"127.0.0.1:{silent.getsockname()[1]}"]),
        )
        with pytest.raises(TimedOut):
            await outbound.fetch("http://n.example.com/", max_bytes=1, deadline_s=0.3)
        threads = _count_threads()
        waiting = [
            asyncio.create_task(
                outbound.fetch(f"http://n{n}.example.com/", max_bytes=1, deadline_s=60)
            )
            for n in range(300)
        ]
        await asyncio.sleep(0.2)
        assert _count_threads() < threads + 10
        async with serving(always(OK)) as peer:
            await outbound.fetch(peer.url(), max_bytes=100, deadline_s=10)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await outbound.aclose()


def _count_threads() -> int:
    """Return how many there are, those that Python did not start included."""
    return len(list(Path("/proc/self/task").iterdir()))


async def test_a_url_that_cannot_be_allowed_costs_no_look_up(
    make_outbound: MakeOutbound, zone: Zone
) -> None:
    outbound = await make_outbound()
    for url in ("http://media.example.com:6379/", "http://redis/", "http://a.internal/"):
        with pytest.raises(Refused):
            await outbound.fetch(url, max_bytes=100, deadline_s=5)
    assert not zone.questions
