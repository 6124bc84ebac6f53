"""The group writer: atomic operations, one commit for those that wait together."""

import asyncio
import errno
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.storage import group_writer
from app.storage.group_writer import GroupWriter


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "test.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    connection.close()
    return path


@pytest.fixture
async def writer(database: Path) -> AsyncIterator[GroupWriter]:
    writer = GroupWriter(database, busy_timeout_ms=5_000)
    yield writer
    await writer.close()


def texts(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    rows = [row[0] for row in connection.execute("SELECT text FROM notes ORDER BY id")]
    connection.close()
    return rows


def note(text: str | None):
    def run(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO notes (text) VALUES ('before ' || ?)", (text or "",))
        cursor = connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))
        return cursor.lastrowid or 0

    return run


async def test_a_result_comes_once_it_is_committed(writer: GroupWriter, database: Path) -> None:
    assert await writer.submit(note("a"), durable=True) == 2
    assert texts(database) == ["before a", "a"]


async def test_a_failing_operation_is_undone_alone(writer: GroupWriter, database: Path) -> None:
    # These wait together, so they share one transaction: the second breaks NOT NULL.
    first, second, third = await asyncio.gather(
        *(writer.submit(note(text), durable=True) for text in ("a", None, "b")),
        return_exceptions=True,
    )
    assert isinstance(second, sqlite3.IntegrityError)
    assert isinstance(first, int)
    assert isinstance(third, int)
    assert texts(database) == ["before a", "a", "before b", "b"]


async def test_those_that_wait_together_share_one_transaction(writer: GroupWriter) -> None:
    def count(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO notes (text) VALUES ('x')")
        return connection.total_changes

    begun: list[str] = []
    writer._connection.set_trace_callback(begun.append)
    await asyncio.gather(*(writer.submit(count, durable=True) for _ in range(50)))
    assert begun.count("BEGIN IMMEDIATE") == 1


async def test_many_at_once_all_arrive_in_order(writer: GroupWriter, database: Path) -> None:
    ids = await asyncio.gather(*(writer.submit(note(f"{i}"), durable=True) for i in range(500)))
    assert ids == sorted(ids)
    assert texts(database)[1::2] == [str(i) for i in range(500)]


async def test_an_operation_whose_caller_is_cancelled_is_carried_out(
    writer: GroupWriter, database: Path
) -> None:
    waiting = asyncio.ensure_future(writer.submit(note("a"), durable=True))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await writer.submit(note("b"), durable=True) == 4
    assert waiting.cancelled()
    assert texts(database)[1::2] == ["a", "b"]


async def test_close_commits_what_is_waiting(database: Path) -> None:
    writer = GroupWriter(database, busy_timeout_ms=5_000)
    waiting = [asyncio.ensure_future(writer.submit(note(f"{i}"), durable=True)) for i in range(20)]
    await asyncio.sleep(0)
    await writer.close()
    await asyncio.gather(*waiting)
    assert len(texts(database)) == 40


async def test_a_durable_result_waits_for_a_flush_and_a_reservation_does_not(
    writer: GroupWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushing, goes_on = threading.Event(), threading.Event()

    def flush(descriptor: int) -> None:
        flushing.set()
        assert goes_on.wait(10)
        os.fsync(descriptor)

    monkeypatch.setattr(group_writer, "_flush_file", flush)
    durable = asyncio.ensure_future(writer.submit(note("answer"), durable=True))
    assert await asyncio.to_thread(flushing.wait, 10)
    # Committed after that flush began: it has to wait for another one.
    late = asyncio.ensure_future(writer.submit(note("late"), durable=True))
    assert await writer.submit(note("reservation"), durable=False)
    assert not durable.done()
    flushing.clear()
    goes_on.set()
    await durable
    await late
    assert flushing.is_set()


async def test_a_failed_flush_is_reported(
    writer: GroupWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flush(_descriptor: int) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(group_writer, "_flush_file", flush)
    with pytest.raises(OSError, match="broken disk"):
        await writer.submit(note("a"), durable=True)


async def test_another_writer_is_waited_for_without_holding_the_loop(
    writer: GroupWriter, database: Path
) -> None:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(writer.submit(note("a"), durable=True))
    started = time.monotonic()
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert time.monotonic() - started < 1
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    assert await waiting == 2


async def test_a_database_locked_for_too_long_fails_what_waits(database: Path) -> None:
    writer = GroupWriter(database, busy_timeout_ms=50)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await writer.submit(note("a"), durable=True)
    other.execute("COMMIT")
    other.close()
    assert await writer.submit(note("b"), durable=True) == 2
    await writer.close()


async def test_the_log_is_checkpointed_before_it_grows(writer: GroupWriter, database: Path) -> None:
    for _ in range(40):
        await asyncio.gather(*(writer.submit(note("x" * 900), durable=True) for _ in range(250)))
        # The checkpoint of one group ends before the next writes, however busy the machine is.
        await asyncio.wrap_future(writer._checkpointer.submit(lambda: None))
    assert size(database.with_name("test.db-wal")) < size(database) / 2
    assert size(database) > 5 * 2**20


def size(path: Path) -> int:
    return path.stat().st_size
