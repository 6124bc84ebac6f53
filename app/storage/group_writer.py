"""One writer for SQLite that commits whatever is waiting.

SQLite lets one connection write at a time, and a durable commit costs a flush to disk. Many
requests that wait at once share one transaction and one flush: nobody waits on a timer, and under
load the group grows by itself. An operation that fails is undone and reported alone; the others of
its group are committed without it.

Transactions run in the event loop's own thread: a statement takes microseconds, less than a hop to
another thread, which would then fight for the interpreter's lock at each statement. What can take
long does not: a lock held by another process is tried again later, and the flush and checkpoints
have a thread of their own.

An operation that must survive a loss of power is `durable`: its result waits for a flush of the
write-ahead log that began after its commit. That is what `synchronous=FULL` does, for many commits
at once (https://sqlite.org/pragma.html#pragma_synchronous: NORMAL commits write the log in order
and leave out only this flush). A reservation is not durable: every process sees it at once, and if
the power goes, the work it stood for is gone with it.
"""

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

# Bounds how long one transaction keeps the loop, and other processes from writing.
MAX_GROUP = 256
# Between attempts while another process writes, in seconds; transactions are shorter than this.
BUSY_RETRY_S = 0.001
# SQLite would checkpoint a log of 1,000 pages by itself, in the thread that commits. One operation
# alone writes about five pages, a group far fewer for each: the log stays within some 40 MB.
OPERATIONS_BETWEEN_CHECKPOINTS = 2_000

# What SQLite itself uses: without the file's times where the system can leave them out.
_flush_file = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True)
class _Operation:
    run: Callable[[sqlite3.Connection], Any]
    durable: bool
    future: asyncio.Future[Any]


class GroupWriter:
    """One writing connection of an event loop. Make it and close it inside that loop."""

    def __init__(self, path: Path, *, busy_timeout_ms: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._busy_timeout_s = busy_timeout_ms / 1000
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        for pragma in (
            "busy_timeout=0",
            "foreign_keys=ON",
            "synchronous=NORMAL",
            "wal_autocheckpoint=0",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        # SQLite makes the log when a database is first read. It stays the same file as long as
        # any connection is open, and unlike the database's, its descriptors hold no locks.
        self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        self._log = os.open(f"{path}-wal", os.O_RDWR)
        # Two threads: a flush must not wait for a checkpoint, which flushes the whole database.
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix="storage-flush")
        self._checkpointer = ThreadPoolExecutor(1, thread_name_prefix="storage-checkpoint")
        self._waiting: list[_Operation] = []
        self._is_scheduled = False
        self._busy_since: float | None = None
        self._unflushed: list[tuple[asyncio.Future[Any], Any]] = []
        self._is_flushing = False
        self._since_checkpoint = 0

    async def submit(self, run: Callable[[sqlite3.Connection], T], *, durable: bool) -> T:
        """Run an operation in the next transaction and return its result once committed.

        `run` may be called a second time after an undone transaction, so it must have no effect
        outside the connection.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(_Operation(run, durable, future))
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._commit_waiting)
        return await future

    async def close(self) -> None:
        """Commit and flush what is waiting, then close the connection."""
        # Operations end in order, so this one ends last.
        await self.submit(lambda _: None, durable=True)
        await asyncio.to_thread(self._flusher.shutdown)
        await asyncio.to_thread(self._checkpointer.shutdown)
        os.close(self._log)
        self._connection.close()

    def _commit_waiting(self) -> None:
        self._is_scheduled = False
        group = self._waiting[:MAX_GROUP]
        ended = self._commit(group)
        del self._waiting[:ended]
        if ended == len(group):
            self._busy_since = None
        elif self._is_patient():
            self._is_scheduled = True
            # Spread, so that processes that met once do not meet at every attempt.
            delay = random.uniform(0.5, 1.5) * BUSY_RETRY_S
            self._loop.call_later(delay, self._commit_waiting)
            return
        else:
            _fail(self._waiting, sqlite3.OperationalError("database is locked"))
            self._waiting.clear()
            self._busy_since = None
        if self._waiting:
            self._is_scheduled = True
            self._loop.call_soon(self._commit_waiting)

    def _commit(self, group: list[_Operation]) -> int:
        """Commit a group, or its members one by one, and return how many have ended.

        These are all, unless another process writes.
        """
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return 0
            _fail(group, error)
            return len(group)
        try:
            results = [operation.run(connection) for operation in group]
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - it goes to whoever waits for the operation
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if len(group) == 1:
                _fail(group, error)
                return 1
            return self._commit_singly(group)
        self._settle(group, results)
        return len(group)

    def _commit_singly(self, group: list[_Operation]) -> int:
        for position, operation in enumerate(group):
            if not self._commit([operation]):
                return position
        return len(group)

    def _settle(self, group: list[_Operation], results: list[Any]) -> None:
        for operation, result in zip(group, results, strict=True):
            if operation.durable:
                self._unflushed.append((operation.future, result))
            else:
                _resolve(operation.future, result)
        self._since_checkpoint += len(group)
        if self._unflushed and not self._is_flushing:
            self._start_flush()

    def _is_patient(self) -> bool:
        now = time.monotonic()
        if self._busy_since is None:
            self._busy_since = now
        return now - self._busy_since < self._busy_timeout_s

    def _start_flush(self) -> None:
        settled, self._unflushed = self._unflushed, []
        self._is_flushing = True
        self._flusher.submit(self._flush, settled)
        if self._since_checkpoint >= OPERATIONS_BETWEEN_CHECKPOINTS:
            self._since_checkpoint = 0
            self._checkpointer.submit(self._checkpoint)

    def _flush(self, settled: list[tuple[asyncio.Future[Any], Any]]) -> None:
        error: OSError | None = None
        try:
            _flush_file(self._log)
        except OSError as failure:
            error = failure
        self._loop.call_soon_threadsafe(self._flushed, settled, error)

    def _flushed(
        self, settled: list[tuple[asyncio.Future[Any], Any]], error: OSError | None
    ) -> None:
        self._is_flushing = False
        for future, result in settled:
            if error is None:
                _resolve(future, result)
            elif not future.done():
                future.set_exception(error)
        if self._unflushed:
            self._start_flush()

    def _checkpoint(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        finally:
            connection.close()


def _resolve(future: asyncio.Future[Any], result: Any) -> None:
    # Whoever waited may have been cancelled since.
    if not future.done():
        future.set_result(result)


def _fail(group: list[_Operation], error: Exception) -> None:
    for operation in group:
        if not operation.future.done():
            operation.future.set_exception(error)
