"""The ledger on PostgreSQL: a pool of connections, one transaction an operation.

A server that restarts is waited for: what was surely not committed is tried again for a while. When
the connection breaks during a commit nobody knows whether it happened; only what may be repeated is
then tried again.

What need not be durable commits without waiting for the disk (`synchronous_commit=off` for that
transaction alone, https://www.postgresql.org/docs/current/wal-async-commit.html): others see it at
once, and its locks are short.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from app.storage.errors import DatabaseUnavailable
from app.storage.operation import Many, Operation, Statement, Steps

T = TypeVar("T")

CONNECTIONS = 10
CONNECT_TIMEOUT_S = 5
# A statement that takes longer is stuck behind a lock that nobody should hold so long.
STATEMENT_TIMEOUT_S = 30
PATIENCE_S = 8
# Between attempts, in seconds; each is drawn from half to one and a half of it.
RETRY_S = 0.2

# The server went away, starts up or shuts down, or the pool's connection was cut.
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
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
        self._under_way: set[asyncio.Task[Any]] = set()

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
        except (*_GONE, asyncpg.PostgresError) as error:
            raise DatabaseUnavailable(f"PostgreSQL can't be reached: {error}") from error
        return cls(pool)

    async def close(self) -> None:
        """Carry out what is under way and close the connections."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        try:
            await asyncio.wait_for(self._pool.close(), CONNECT_TIMEOUT_S)
        except TimeoutError:
            self._pool.terminate()

    async def is_reachable(self) -> bool:
        """Tell whether the database answers."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._pool.fetchval("SELECT 1")
        except (*_GONE, asyncpg.PostgresError):
            return False
        return True

    async def run(self, operation: Operation[T]) -> T:
        """Carry out an operation and return its result once it is committed."""
        if operation.reading:
            return await self._persist(operation)
        # Shielded: a write goes on when whoever asked for it has gone.
        task = asyncio.ensure_future(self._persist(operation))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _persist(self, operation: Operation[T]) -> T:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self._attempt(operation)
            except _MET:
                problem: BaseException | None = None
            except _GONE as error:
                problem = error
            except _CommitUnknown as error:
                problem = error
                if not operation.repeatable:
                    raise DatabaseUnavailable("the database went away during a commit") from error
            if time.monotonic() > deadline:
                raise DatabaseUnavailable("the database can't be reached") from problem
            await asyncio.sleep(random.uniform(0.5, 1.5) * (RETRY_S if problem else RETRY_S / 20))

    async def _attempt(self, operation: Operation[T]) -> T:
        async with self._pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
            if operation.reading:
                return await _drive(operation.start(), connection)
            transaction = connection.transaction()
            await transaction.start()
            try:
                if not operation.durable:
                    await connection.execute("SET LOCAL synchronous_commit TO OFF")
                result = await _drive(operation.start(), connection)
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
            try:
                await transaction.commit()
            except _GONE as error:
                raise _CommitUnknown from error
            return result


async def _drive(steps: Steps[T], connection: PoolConnectionProxy) -> T:
    try:
        query = next(steps)
        while True:
            statement = query.statement
            if isinstance(query, Many):
                rows = await connection.fetchmany(
                    statement.postgres, [_values(statement, each) for each in query.parameters]
                )
            else:
                rows = await connection.fetch(
                    statement.postgres, *_values(statement, query.parameters)
                )
            query = steps.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


def _values(statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
    return [parameters[name] for name in statement.names]
