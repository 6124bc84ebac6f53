"""The ledger on SQLite: operations in grouped transactions, reads on a connection of its own."""

import sqlite3
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from app.storage.group_writer import GroupWriter
from app.storage.operation import Many, Operation, Row, Steps

T = TypeVar("T")


class SqliteLedger:
    """The ledger of one process. Make it and close it inside its event loop."""

    def __init__(self, path: Path, *, busy_timeout_ms: int) -> None:
        self._writer = GroupWriter(path, busy_timeout_ms=busy_timeout_ms)
        # Readers never wait for the writer in WAL mode, and an indexed read takes microseconds:
        # less than a hop to another thread.
        self._reader = sqlite3.connect(path, isolation_level=None)
        self._reader.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
        self._reader.execute("PRAGMA query_only=ON")

    async def close(self) -> None:
        """Commit what is waiting and close both connections."""
        await self._writer.close()
        self._reader.close()

    async def is_reachable(self) -> bool:
        """Tell whether the database answers."""
        try:
            self._reader.execute("SELECT 1 FROM accounts LIMIT 1").fetchone()
        except sqlite3.Error:
            return False
        return True

    async def run(self, operation: Operation[T]) -> T:
        """Carry out an operation and return its result once it is committed."""
        if operation.reading:
            return _drive(operation.start(), self._reader)
        return await self._writer.submit(
            lambda connection: _drive(operation.start(), connection), durable=operation.durable
        )


def _drive(steps: Steps[T], connection: sqlite3.Connection) -> T:
    rows: list[Row] = []
    try:
        query = next(steps)
        while True:
            text = query.statement.sqlite
            if isinstance(query, Many):
                rows = [
                    row
                    for parameters in query.parameters
                    for row in connection.execute(text, _adapted(parameters))
                ]
            else:
                rows = connection.execute(text, _adapted(query.parameters)).fetchall()
            query = steps.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


def _adapted(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if value.__class__ in _PLAIN else _adapt(value)
        for name, value in parameters.items()
    }


_PLAIN = frozenset({str, int, float, bytes, bool, type(None)})


def _adapt(value: object) -> object:
    # The ORM writes times this way, and they sort as text.
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else value
