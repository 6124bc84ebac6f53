"""One writer for SQLite that commits whatever is waiting.

SQLite lets one connection write at a time, and a durable commit costs a flush to disk. Many
requests that wait at once share one transaction and one flush: nobody waits on a timer, and under
load the group grows by itself. An operation that fails is undone and reported alone; the others of
its group are committed without it.

An operation that must survive a loss of power is `durable`: the commit that holds it is flushed
(`synchronous=FULL`). A reservation is not: it is seen by every process at once, and if the power
goes, the work it stood for is gone with it. A later durable commit flushes what came before it,
because the log is flushed as a whole (https://sqlite.org/wal.html).
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

# Bounds how long one transaction keeps other processes from writing.
MAX_GROUP = 256


@dataclass(frozen=True, slots=True)
class _Operation:
    run: Callable[[sqlite3.Connection], Any]
    durable: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class GroupWriter:
    """A thread that owns one writing connection."""

    def __init__(self, path: Path, *, busy_timeout_ms: int) -> None:
        self._path = path
        self._busy_timeout_ms = busy_timeout_ms
        self._queue: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="storage-writer", daemon=True)
        self._flushes = True

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def submit(self, run: Callable[[sqlite3.Connection], T], *, durable: bool) -> T:
        """Run an operation in the next transaction and return its result once committed.

        `run` may be called a second time after an undone transaction, so it must have no effect
        outside the connection.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Operation(run, durable, loop, future))
        return await future

    def close(self) -> None:
        """Commit what is waiting, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=256)
        connection.execute(f"PRAGMA busy_timeout={self._busy_timeout_ms}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        try:
            running = True
            while running:
                group = self._next_group()
                operations = [operation for operation in group if operation is not None]
                running = len(operations) == len(group)
                if operations:
                    self._commit(connection, operations)
        finally:
            connection.close()

    def _next_group(self) -> list[_Operation | None]:
        group = [self._queue.get()]
        while group[-1] is not None and len(group) < MAX_GROUP:
            try:
                group.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return group

    def _commit(self, connection: sqlite3.Connection, operations: list[_Operation]) -> None:
        try:
            self._set_flushing(connection, any(operation.durable for operation in operations))
            connection.execute("BEGIN IMMEDIATE")
            results = [operation.run(connection) for operation in operations]
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - it goes to whoever waits for the operation
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if len(operations) == 1:
                _settle(operations, [error])
                return
            for operation in operations:
                self._commit(connection, [operation])
            return
        _settle(operations, results)

    def _set_flushing(self, connection: sqlite3.Connection, flushes: bool) -> None:
        if flushes != self._flushes:
            connection.execute(f"PRAGMA synchronous={'FULL' if flushes else 'NORMAL'}")
            self._flushes = flushes


def _settle(operations: list[_Operation], results: list[Any]) -> None:
    # One wake-up of the loop for the whole group.
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for operation, result in zip(operations, results, strict=True):
        by_loop.setdefault(operation.loop, []).append((operation.future, result))
    for loop, settled in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, settled)


def _resolve(settled: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in settled:
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
