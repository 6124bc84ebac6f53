"""Rows of which an account may have only so many, written at the same time."""

import asyncio
from typing import Any

from tortoise.transactions import in_transaction

from app.domain import clock
from app.domain.accounts.account import Account
from app.storage.database import ORM_CONNECTIONS
from app.storage.limited import insert_within
from app.storage.models import SchemaRow

LIMIT = 3
SCHEMA: dict[str, Any] = {
    "name": "S",
    "input_type": "any",
    "mode": "single",
    "categories": [{"name": "a"}],
}


async def hold_connection() -> None:
    async with in_transaction():
        await asyncio.sleep(0.1)


async def test_writers_at_the_same_time_stay_within_the_limit(account: Account) -> None:
    columns = {**SCHEMA, "created_at": clock.now(), "updated_at": clock.now()}
    # Those who wait for a connection to be opened would come one after the other.
    await asyncio.gather(*(hold_connection() for _ in range(ORM_CONNECTIONS)))
    made = await asyncio.gather(
        *(insert_within(SchemaRow, account.id, columns, limit=LIMIT) for _ in range(20))
    )
    assert sum(row is not None for row in made) == await SchemaRow.all().count() == LIMIT


async def test_who_is_refused_leaves_nothing_behind(account: Account) -> None:
    columns = {**SCHEMA, "created_at": clock.now(), "updated_at": clock.now()}
    assert await insert_within(SchemaRow, account.id, columns, limit=0) is None
    assert await insert_within(SchemaRow, account.id, columns, limit=1) is not None
