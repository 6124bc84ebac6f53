"""The ledger on PostgreSQL: reads over a pool, writes in groups.

Whatever writes wait share one transaction and one flush of the server's disk, and the rows that all
of them want (a month's use) are locked once for all. An operation that fails is undone with its
group, and each of the group then runs by itself.

A server that restarts is waited for: what was surely not committed is tried again for a while. When
the connection breaks during a commit nobody knows whether it happened; only what may be repeated is
then tried again.

A group in which nothing need be durable commits without waiting for the disk
(`synchronous_commit=off` for that transaction alone,
https://www.postgresql.org/docs/current/wal-async-commit.html): others see it at once, and its locks
are short.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import asyncpg

from app.storage.errors import DatabaseUnavailable
from app.storage.operation import Operation
from app.storage.postgres_steps import run_together

T = TypeVar("T")

CONNECTIONS = 10
# Bounds how long one transaction holds its locks.
MAX_GROUP = 64
CONNECT_TIMEOUT_S = 5
# A statement that takes longer is stuck behind a lock that nobody should hold so long.
STATEMENT_TIMEOUT_S = 30
PATIENCE_S = 8
# Between attempts, in seconds; each is drawn from half to one and a half of it.
RETRY_S = 0.2

# The server went away, starts up or shuts down, or the pool's connection was cut.
GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # A connection that is cut while the server's answer is awaited.
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    OSError,
    TimeoutError,
)
# Two transactions met; one of them was undone and may simply run again.
_MET = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class _CommitUnknown(Exception):
    """The connection broke during the commit."""


async def _keep_settings(_connection: object) -> None:
    """Nothing is set on a connection that would have to be reset."""


class PostgresLedger:
    """The ledger of one process. Open it and close it inside its event loop."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str) -> "PostgresLedger":
        """Connect.

        Raises:
            DatabaseUnavailable: The server can't be reached.
        """
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=CONNECTIONS,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=STATEMENT_TIMEOUT_S,
                # The default asks the server for a reset each time a connection goes back.
                reset=_keep_settings,
            )
        except (*GONE, asyncpg.PostgresError) as error:
            raise DatabaseUnavailable(f"PostgreSQL can't be reached: {error}") from error
        return cls(pool)

    async def close(self) -> None:
        """Carry out what is waiting and close the connections."""
        if self._writer is not None:
            await asyncio.wait([self._writer])
        try:
            await asyncio.wait_for(self._pool.close(), CONNECT_TIMEOUT_S)
        except TimeoutError:
            self._pool.terminate()

    async def is_reachable(self) -> bool:
        """Tell whether the database answers."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._pool.fetchval("SELECT 1")
        except (*GONE, asyncpg.PostgresError):
            return False
        return True

    async def run(self, operation: Operation[T]) -> T:
        """Carry out an operation and return its result once it is committed."""
        if operation.reading:
            (result,) = await self._persist([operation])
            return cast("T", result)
        # The writer is a task of its own: a write goes on when whoever asked for it has gone.
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(operation, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await future

    async def _write_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
            try:
                results = await self._persist([each.operation for each in group])
            except Exception as error:  # noqa: BLE001 - it goes to whoever waits
                if len(group) == 1 or isinstance(error, DatabaseUnavailable):
                    _fail(group, error)
                else:
                    await self._write_singly(group)
                continue
            for each, result in zip(group, results, strict=True):
                each.resolve(result)

    async def _write_singly(self, group: Sequence["_Waiting"]) -> None:
        for each in group:
            try:
                (result,) = await self._persist([each.operation])
            except Exception as error:  # noqa: BLE001 - it goes to whoever waits
                _fail([each], error)
            else:
                each.resolve(result)

    async def _persist(self, group: Sequence[Operation[Any]]) -> list[Any]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self._attempt(group)
            except _MET:
                problem: BaseException | None = None
            except GONE as error:
                problem = error
            except _CommitUnknown as error:
                problem = error
                if not all(operation.repeatable for operation in group):
                    raise DatabaseUnavailable("the database went away during a commit") from error
            if time.monotonic() > deadline:
                raise DatabaseUnavailable("the database can't be reached") from problem
            await asyncio.sleep(random.uniform(0.5, 1.5) * (RETRY_S if problem else RETRY_S / 20))

    async def _attempt(self, group: Sequence[Operation[Any]]) -> list[Any]:
        async with self._pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
            several = [operation.start() for operation in group]
            if group[0].reading:
                return await run_together(several, connection)
            transaction = connection.transaction()
            await transaction.start()
            try:
                if not any(operation.durable for operation in group):
                    await connection.execute("SET LOCAL synchronous_commit TO OFF")
                results = await run_together(several, connection)
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
            try:
                await transaction.commit()
            except GONE as error:
                raise _CommitUnknown from error
            return results


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A write, and who waits for it."""

    operation: Operation[Any]
    future: asyncio.Future[Any]

    def resolve(self, result: object) -> None:
        # Whoever waited may have been cancelled since.
        if not self.future.done():
            self.future.set_result(result)


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for each in group:
        if not each.future.done():
            each.future.set_exception(error)
