"""A name server, and clients that ask it."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing

import pytest

from app.outbound.client import Outbound
from app.outbound.policy import WEB_PORTS, Policy
from app.outbound.private_hosts import parse_private_hosts
from app.outbound.resolver import SystemResolver
from tests.outbound.peers import Zone, naming

MakeOutbound = Callable[..., Awaitable[Outbound]]


@pytest.fixture(scope="session")
def names() -> Iterator[tuple[Zone, str]]:
    """One name server for all tests: what it knows, and where it is."""
    zone = Zone()
    with naming(zone) as address:
        yield zone, address


@pytest.fixture
def zone(names: tuple[Zone, str]) -> Zone:
    """What the name server knows: nothing yet."""
    zone, _ = names
    zone.forget()
    return zone


@pytest.fixture
def nameserver(names: tuple[Zone, str], zone: Zone) -> str:
    """Where the name server is."""
    return names[1]


@pytest.fixture
async def make_outbound(nameserver: str) -> AsyncIterator[MakeOutbound]:
    """Return a function that makes a client: what is allowed beside the public internet."""
    async with AsyncExitStack() as stack:

        async def make(
            private: str = "",
            *,
            ports: frozenset[int] = WEB_PORTS,
            ssl_context: ssl.SSLContext | None = None,
        ) -> Outbound:
            outbound = Outbound(
                Policy(parse_private_hosts(private), ports),
                resolver=SystemResolver([nameserver]),
                ssl_context=ssl_context,
            )
            return await stack.enter_async_context(aclosing(outbound))

        yield make
