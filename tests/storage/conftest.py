"""A migrated SQLite file with an account."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.accounts.account import Account
from app.domain.accounts.manage import create_account
from app.domain.plans import Plan
from app.storage.database import migrate, open_orm
from app.storage.sqlite_ledger import SqliteLedger


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Path]:
    """A migrated database, open in the ORM."""
    path = tmp_path / "classifaily.db"
    await migrate(path)
    async with open_orm(path):
        yield path


@pytest.fixture
async def account(database: Path) -> Account:
    """A starter account."""
    return await create_account("test", plan=Plan.STARTER)


@pytest.fixture
async def ledger(database: Path) -> AsyncIterator[SqliteLedger]:
    """A ledger on the database."""
    ledger = SqliteLedger(database)
    yield ledger
    await ledger.close()
