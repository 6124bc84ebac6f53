"""Migrations: safe to repeat, safe side by side, and equal to the models."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector

from app.storage.database import migrate, orm_config
from app.storage.location import SqliteFile
from tests.conftest import Site


async def test_twice_is_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "classifaily.db"
    assert await migrate(SqliteFile(path))
    assert await migrate(SqliteFile(path)) == []
    assert path.stat().st_mode & 0o077 == 0


def test_side_by_side_is_once(make_site: Callable[..., Site]) -> None:
    site = make_site(migrated=False)
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda _: site.command("migrate"), range(3)))
    said = sorted(outcome.stderr.split()[0] for outcome in outcomes)
    assert said == ["Already", "Already", "Applied"]


async def test_the_models_need_no_further_migration(tmp_path: Path) -> None:
    config = orm_config(SqliteFile(tmp_path / "unused.db"))
    async with TortoiseContext() as context:
        await context.init(config=config)
        changes = await MigrationAutodetector(context.apps, config["apps"]).changes()
    assert [writer.name for writer in changes] == []
