"""Hostile URLs: none leads to a connection, whatever it is asked for."""

import gc
import resource
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from app.outbound.client import Outbound
from app.outbound.errors import OutboundError, Refused, Unreachable
from app.outbound.policy import WEB_PORTS
from tests.outbound.conftest import MakeOutbound
from tests.outbound.hostile_urls import HOSTILE_URLS, UNKNOWN_NAMES
from tests.outbound.peers import HAS_IPV6, OK, Peer, Zone, always, serving

_connected: list[object] | None = None


def _note_connections(event: str, arguments: tuple[object, ...]) -> None:
    if _connected is not None and event == "socket.connect":
        _connected.append(arguments[1])


# Python has no way to take it off again; it notes nothing outside `noted_connections`.
sys.addaudithook(_note_connections)


@contextmanager
def noted_connections() -> Iterator[list[object]]:
    """Give every address that Python tries to connect to, reached or not."""
    global _connected  # noqa: PLW0603
    _connected = noted = []
    try:
        yield noted
    finally:
        _connected = None


@pytest.fixture
async def canary() -> AsyncIterator[Peer]:
    """A server on every loopback address, which nobody may reach."""
    async with AsyncExitStack() as stack:
        four = await stack.enter_async_context(
            serving(always(OK), host="0.0.0.0")  # noqa: S104
        )
        peers = [four]
        if HAS_IPV6:
            six = serving(always(OK), host="::1", port=four.port)
            peers.append(await stack.enter_async_context(six))
        yield four
        assert not any(peer.connections for peer in peers[1:])


@pytest.fixture
async def outbound(make_outbound: MakeOutbound, canary: Peer, zone: Zone) -> Outbound:
    """A client that allows nothing private, and the canary's port."""
    zone.add("localtest.me", ("127.0.0.1", "::1"))
    zone.add("v6.localtest.me", "::1")
    zone.add("127.0.0.1.nip.io", "127.0.0.1")
    zone.add("company.127.0.0.1.nip.io", "127.0.0.1")
    zone.add("10.0.0.1.nip.io", "10.0.0.1")
    zone.add("169.254.169.254.nip.io", "169.254.169.254")
    zone.add("a9fea9fe.nip.io", "169.254.169.254")
    zone.add("mapped.example.com", "::ffff:127.0.0.1")
    zone.add("translated.example.com", "64:ff9b::7f00:1")
    zone.add("mixed.example.com", ("93.184.216.34", "127.0.0.1"))
    zone.add("mixed6.example.com", ("93.184.216.34", "::1"))
    zone.add("zero.example.com", "0.0.0.0")  # noqa: S104
    zone.add("wireserver.example.com", "168.63.129.16")
    zone.aliases["alias.example.com"] = "localtest.me"
    return await make_outbound(ports=WEB_PORTS | {canary.port})


def test_the_table_is_large_and_has_nothing_twice() -> None:
    assert len(HOSTILE_URLS) >= 300
    assert len(set(HOSTILE_URLS)) == len(HOSTILE_URLS)


async def test_no_hostile_url_leads_to_a_connection(outbound: Outbound, canary: Peer) -> None:
    with noted_connections() as connected:
        for template in HOSTILE_URLS:
            url = template.replace("{port}", str(canary.port))
            with pytest.raises((Refused, Unreachable)):
                await outbound.fetch(url, max_bytes=1000, deadline_s=5)
            with pytest.raises((Refused, Unreachable)):
                await outbound.post(url, body=b"{}", headers={}, deadline_s=5)
    assert connected == []
    assert canary.connections == 0


async def test_the_canary_sings_when_it_is_reached(
    make_outbound: MakeOutbound, canary: Peer
) -> None:
    outbound = await make_outbound("127.0.0.0/8")
    with noted_connections() as connected:
        await outbound.fetch(f"http://127.0.0.1:{canary.port}/", max_bytes=1000, deadline_s=5)
    assert connected == [("127.0.0.1", canary.port)]
    assert canary.connections == 1


async def test_no_hostile_url_can_be_saved(outbound: Outbound, canary: Peer) -> None:
    for template in HOSTILE_URLS:
        url = template.replace("{port}", str(canary.port)).replace("http://", "https://", 1)
        if template in UNKNOWN_NAMES:
            await outbound.check(url, require_https=True)
        else:
            with pytest.raises(Refused):
                await outbound.check(url, require_https=True)
    assert canary.connections == 0


async def test_a_private_name_reads_like_one_that_does_not_exist(
    outbound: Outbound, canary: Peer
) -> None:
    said = set()
    for name in ("localtest.me", "nowhere.example.com", "mixed.example.com", "vault.corp"):
        with pytest.raises(OutboundError) as refused:
            await outbound.fetch(f"http://{name}:{canary.port}/", max_bytes=1000, deadline_s=5)
        said.add(str(refused.value).replace(name, "NAME"))
    assert said == {"NAME has no public address."}


async def test_hostile_urls_leave_nothing_behind(outbound: Outbound, canary: Peer) -> None:
    async def ask_all() -> None:
        for template in HOSTILE_URLS:
            url = template.replace("{port}", str(canary.port))
            with pytest.raises(OutboundError):
                await outbound.fetch(url, max_bytes=1000, deadline_s=5)

    await ask_all()
    before = _resident_bytes()
    for _ in range(8):
        await ask_all()
    assert _resident_bytes() - before < 8 * 1024 * 1024


def _resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
