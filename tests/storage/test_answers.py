"""Cached answers, in the database and in Redis: found until they lapse, and never in the way."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.answers.redis_answers import RedisAnswers
from app.domain.accounts.account import Account
from app.storage.ledger.answers import find_answers, keep_answers, purge_answers
from app.storage.ledger.ledger import Ledger
from app.storage.location import Location
from tests.databases import fetch
from tests.servers import free_port

NOW = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64


async def test_answers_are_there_until_they_lapse(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await ledger.run(keep_answers(account.id, {ONE: "a", TWO: "b"}, expires_at=NOW + MINUTE))
    assert await ledger.run(find_answers([ONE, TWO, THREE], NOW)) == {ONE: "a", TWO: "b"}
    assert await ledger.run(find_answers([ONE], NOW + MINUTE)) == {}
    await ledger.run(keep_answers(account.id, {ONE: "c"}, expires_at=NOW + 3 * MINUTE))
    assert await ledger.run(find_answers([ONE], NOW + MINUTE)) == {ONE: "c"}
    assert await ledger.run(purge_answers(NOW + MINUTE, count=10)) == 1
    assert await ledger.run(purge_answers(NOW + MINUTE, count=10)) == 0
    assert await fetch(database, "SELECT key FROM answers") == [(ONE,)]


async def test_redis_forgets_them_by_itself(redis_url: str) -> None:
    answers = RedisAnswers(redis_url)
    await answers.keep(1, {ONE: "a", TWO: "é"}, ttl_s=1)
    assert await answers.find([ONE, TWO, THREE]) == {ONE: "a", TWO: "é"}
    await asyncio.sleep(1.1)
    assert await answers.find([ONE, TWO]) == {}
    await answers.close()


async def test_a_redis_that_is_away_is_an_error_of_the_connection() -> None:
    answers = RedisAnswers(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(OSError, match=r"127\.0\.0\.1|refused"):
        await answers.find([ONE])
    with pytest.raises(OSError, match=r"127\.0\.0\.1|refused"):
        await answers.keep(1, {ONE: "a"}, ttl_s=1)
    await answers.close()
