"""PostgreSQL's writer: many operations in one transaction, and none of them lost with another."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.storage.database import open_ledger
from app.storage.errors import DatabaseUnavailable
from app.storage.ledger.ledger import Ledger
from app.storage.location import Location, PostgresServer
from app.storage.operation import Many, Operation, Query, Rows, Statement, Steps, reading, writing
from tests.databases import PostgresDatabases, fetch
from tests.servers import start_postgres

_INSERT = Statement(
    "INSERT INTO accounts (name, plan, subscription_status, retain_inputs, created_at) "
    "VALUES (:name, 'free', 'active', FALSE, NOW()) RETURNING id",
    Rows.ONE,
)
_RENAME = Statement("UPDATE accounts SET name = :name WHERE id = :id", Rows.NONE)
_FIND = Statement("SELECT name FROM accounts WHERE id = :id")


@pytest.fixture
async def server(postgres_databases: PostgresDatabases) -> AsyncIterator[PostgresServer]:
    made = await postgres_databases.make()
    yield made
    await postgres_databases.drop(made)


@writing(durable=True)
def add(*names: str, fail: bool = False) -> Steps[list[str]]:
    rows = yield Many(_INSERT, [{"name": name} for name in names])
    ids = [row[0] for row in rows]
    assert len(ids) == len(names)
    if fail:
        raise ValueError(names)
    yield Many(_RENAME, [{"name": f"{n}!", "id": i} for n, i in zip(names, ids, strict=True)])
    found = []
    for account_id in ids:
        found += yield Query(_FIND, {"id": account_id})
    return [row[0] for row in found]


async def names(database: Location) -> set[str]:
    return {row[0] for row in await fetch(database, "SELECT name FROM accounts")}


async def transactions(ledger: Ledger, *operations: Operation[list[str]]) -> list[object]:
    return await asyncio.gather(*map(ledger.run, operations), return_exceptions=True)


async def test_each_of_a_group_gets_its_own_rows(server: PostgresServer) -> None:
    async with open_ledger(server) as ledger:
        sizes = [1, 3, 2, 5, 1, 4]
        asked = [[f"{n}-{k}" for k in range(size)] for n, size in enumerate(sizes)]
        answers = await transactions(ledger, *(add(*each) for each in asked))
    assert answers == [[f"{name}!" for name in each] for each in asked]


async def test_one_that_fails_is_undone_alone(server: PostgresServer) -> None:
    async with open_ledger(server) as ledger:
        good, bad, other = await transactions(ledger, add("a"), add("b", fail=True), add("c"))
    assert (good, other) == (["a!"], ["c!"])
    assert isinstance(bad, ValueError)
    assert await names(server) == {"a!", "c!"}


async def test_what_the_server_refuses_is_undone_alone(server: PostgresServer) -> None:
    async with open_ledger(server) as ledger:
        good, bad, other = await transactions(ledger, add("a"), add("b" * 201), add("c"))
    assert (good, other) == (["a!"], ["c!"])
    assert isinstance(bad, Exception)
    assert await names(server) == {"a!", "c!"}


async def test_a_write_goes_on_when_its_caller_has_gone(server: PostgresServer) -> None:
    async with open_ledger(server) as ledger:
        caller = asyncio.ensure_future(ledger.run(add("a")))
        await asyncio.sleep(0)
        caller.cancel()
        await ledger.run(add("b"))
    assert await names(server) == {"a!", "b!"}


@reading
def count() -> Steps[int]:
    rows = yield Query(Statement("SELECT COUNT(*) FROM pg_database"), {})
    return int(rows[0][0])


async def test_a_server_that_restarts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    private = await asyncio.to_thread(start_postgres)
    try:
        async with open_ledger(PostgresServer(private.url())) as ledger:
            before = await ledger.run(count())
            await asyncio.to_thread(private.kill)
            waiting = asyncio.ensure_future(ledger.run(count()))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            await asyncio.to_thread(private.start)
            assert await waiting == before
            assert await ledger.is_reachable()
            await asyncio.to_thread(private.kill)
            assert not await ledger.is_reachable()
            monkeypatch.setattr("app.storage.postgres_ledger.PATIENCE_S", 0.2)
            with pytest.raises(DatabaseUnavailable):
                await ledger.run(count())
    finally:
        await asyncio.to_thread(private.close)
