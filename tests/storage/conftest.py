"""A migrated database of each kind, with an account."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.accounts.account import Account
from app.domain.accounts.manage import create_account
from app.domain.plans import Plan
from app.storage.database import open_ledger, open_orm
from app.storage.ledger.ledger import Ledger
from app.storage.location import Location
from tests.databases import PostgresDatabases, make_sqlite


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Location]:
    """A migrated database, open in the ORM."""
    if request.param == "sqlite":
        file = make_sqlite(tmp_path)
        async with open_orm(file):
            yield file
        return
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    server = await databases.make()
    async with open_orm(server):
        yield server
    await databases.drop(server)


@pytest.fixture
async def account(database: Location) -> Account:
    """A starter account."""
    return await create_account("test", plan=Plan.STARTER)


@pytest.fixture
async def ledger(database: Location) -> AsyncIterator[Ledger]:
    """A ledger on the database."""
    async with open_ledger(database) as ledger:
        yield ledger
