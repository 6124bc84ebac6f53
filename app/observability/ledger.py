"""A ledger whose every operation is a span."""

from typing import TypeVar

from app.observability.tracing import span
from app.storage.ledger.ledger import Ledger
from app.storage.operation import Operation

T = TypeVar("T")


class TracedLedger:
    """Hands every operation to `ledger`; for processes that send traces."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def run(self, operation: Operation[T]) -> T:
        """Carry out an operation."""
        with span(f"storage {operation.name}"):
            return await self._ledger.run(operation)

    async def is_reachable(self) -> bool:
        """Tell whether the database answers."""
        return await self._ledger.is_reachable()

    async def close(self) -> None:
        """Carry out what is waiting and close the connections."""
        await self._ledger.close()
