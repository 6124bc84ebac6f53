"""What runs the operations of a database."""

from typing import Protocol, TypeVar

from app.storage.operation import Operation

T = TypeVar("T")


class Ledger(Protocol):
    """The storage of one process.

    A write that was asked for is carried out even if the task that awaits it is cancelled.
    """

    async def run(self, operation: Operation[T]) -> T:
        """Carry out an operation and return its result once it is committed.

        Raises:
            DatabaseUnavailable: The database can't be reached.
        """
        ...

    async def is_reachable(self) -> bool:
        """Tell whether the database answers."""
        ...

    async def close(self) -> None:
        """Carry out what is waiting and close the connections."""
        ...
