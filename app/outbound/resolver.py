"""Names to addresses, without a thread for each: a name server that never answers holds nothing.

`getaddrinfo` would hold a thread of a bounded pool for as long as the name's own server likes, so
that one caller's dead names would stop everybody's look-ups.
"""

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Protocol

import aiodns

from app.outbound.addresses import Address
from app.outbound.errors import UnknownName, Unreachable
from app.outbound.policy import no_public_address

# Seconds for the first try at a name server, and tries for each: together under webhooks' 15 s.
_TRY_S = 2.0
_TRIES = 2
_UNKNOWN = {aiodns.error.ARES_ENOTFOUND, aiodns.error.ARES_ENODATA, aiodns.error.ARES_EBADNAME}


class Resolver(Protocol):
    """Looks names up."""

    async def resolve(self, name: str) -> Sequence[Address]:
        """Return every address of a name, the likeliest to be reachable first.

        Raises:
            Unreachable: There is none, or nobody could say.
        """
        ...

    async def aclose(self) -> None:
        """Give up what is being looked up."""
        ...


class SystemResolver:
    """Asks as the machine is configured: its hosts file, then its name servers.

    `nameservers` (`address:port`) are asked in place of the configured ones.
    """

    def __init__(self, nameservers: Sequence[str] = ()) -> None:
        self._nameservers = nameservers
        self._resolver: aiodns.DNSResolver | None = None

    async def resolve(self, name: str) -> Sequence[Address]:
        """Return every address of a name: see `Resolver`."""
        if self._resolver is None:
            # It belongs to the running event loop, so it can't be made earlier.
            self._resolver = aiodns.DNSResolver(self._nameservers, timeout=_TRY_S, tries=_TRIES)
        try:
            answer = await self._resolver.getaddrinfo(name, type=socket.SOCK_STREAM)
        except aiodns.error.DNSError as error:
            if error.args[0] in _UNKNOWN:
                raise UnknownName(no_public_address(name)) from None
            raise Unreachable(f"The name {name} could not be looked up.") from None
        found = (ip_address(node.addr[0].decode("ascii")) for node in answer.nodes)
        addresses = tuple(dict.fromkeys(found))
        if not addresses:
            raise UnknownName(no_public_address(name))
        return addresses

    async def aclose(self) -> None:
        """Give up what is being looked up."""
        if self._resolver is not None:
            await self._resolver.close()
