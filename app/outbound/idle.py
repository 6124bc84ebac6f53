"""Connections kept for the next request to the same endpoint."""

from collections.abc import Sequence

from app.outbound.addresses import Address
from app.outbound.connection import Connection
from app.outbound.target import Target

MAX_IDLE = 64


class IdleConnections:
    """At most `MAX_IDLE`; the oldest go first.

    A connection is only handed out to a request whose name was resolved and judged anew, and only
    if the answer still has the address that it leads to.
    """

    def __init__(self) -> None:
        self._connections: list[Connection] = []

    async def take(self, target: Target, addresses: Sequence[Address]) -> Connection | None:
        """Return a connection that leads there, if there is one."""
        await self._drop_dead()
        for connection in reversed(self._connections):
            if connection.serves(target, addresses):
                self._connections.remove(connection)
                return connection
        return None

    async def put(self, connection: Connection) -> None:
        """Keep a connection, or close it if no other request can be sent on it."""
        self._connections.append(connection)
        await self._drop_dead()

    async def aclose(self) -> None:
        """Close all."""
        closing, self._connections = self._connections, []
        for connection in closing:
            await connection.aclose()

    async def _drop_dead(self) -> None:
        alive = [connection for connection in self._connections if connection.is_idle]
        kept = alive[-MAX_IDLE:]
        closing = [connection for connection in self._connections if connection not in kept]
        self._connections = kept
        for connection in closing:
            await connection.aclose()
