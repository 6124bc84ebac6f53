"""The group writer: atomic operations, one commit for those that wait together."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

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
def writer(database: Path) -> Iterator[GroupWriter]:
    writer = GroupWriter(database, busy_timeout_ms=5_000)
    writer.start()
    yield writer
    writer.close()


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
    held, release = threading.Event(), threading.Event()

    def block(_: sqlite3.Connection) -> None:
        held.set()
        release.wait(10)

    blocker = asyncio.ensure_future(writer.submit(block, durable=False))
    await asyncio.to_thread(held.wait, 10)
    # These wait together, so they share one transaction: the second breaks NOT NULL.
    waiting = [
        asyncio.ensure_future(writer.submit(note(text), durable=True)) for text in ("a", None, "b")
    ]
    await asyncio.sleep(0)
    release.set()
    await blocker
    first, second, third = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(second, sqlite3.IntegrityError)
    assert isinstance(first, int)
    assert isinstance(third, int)
    assert texts(database) == ["before a", "a", "before b", "b"]


async def test_many_at_once_all_arrive_in_order(writer: GroupWriter, database: Path) -> None:
    ids = await asyncio.gather(*(writer.submit(note(f"{i}"), durable=True) for i in range(500)))
    assert ids == sorted(ids)
    assert texts(database)[1::2] == [str(i) for i in range(500)]


async def test_close_commits_what_is_waiting(database: Path) -> None:
    writer = GroupWriter(database, busy_timeout_ms=5_000)
    writer.start()
    waiting = [asyncio.ensure_future(writer.submit(note(f"{i}"), durable=True)) for i in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(writer.close)
    await asyncio.gather(*waiting)
    assert len(texts(database)) == 40


async def test_a_durable_commit_is_flushed_and_a_reservation_is_not(writer: GroupWriter) -> None:
    def level(connection: sqlite3.Connection) -> int:
        return int(connection.execute("PRAGMA synchronous").fetchone()[0])

    full, normal = 2, 1
    assert await writer.submit(level, durable=True) == full
    assert await writer.submit(level, durable=False) == normal
    assert await writer.submit(level, durable=True) == full
