"""`classifaily doctor`: what is configured, reachable and missing, a line each."""

import asyncio
import platform
import sys
from collections.abc import Callable

import click

from app import __version__
from app.runtime import make_engine
from app.settings import Settings, load_settings
from app.storage.accounts import all_accounts, all_keys
from app.storage.database import migrate, open_orm
from app.storage.errors import DatabaseError
from app.web import pages


@click.command()
def doctor() -> None:
    """Check the configuration and everything it names. Exits 1 when something is missing."""
    settings = load_settings()
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("version", lambda _: f"{__version__}, Python {platform.python_version()}"),
        ("address", lambda s: s.base_url),
        ("database", _database),
        ("accounts", _accounts),
        ("model", _model),
        ("pages", _pages),
    ]
    healthy = True
    for name, check in checks:
        try:
            click.echo(f"ok       {name}: {check(settings)}")
        except Exception as error:  # noqa: BLE001 - a doctor reports every ailment
            healthy = False
            click.echo(f"missing  {name}: {error}")
    sys.exit(0 if healthy else 1)


def _database(settings: Settings) -> str:
    asyncio.run(migrate(settings.database))
    return str(settings.database)


def _accounts(settings: Settings) -> str:
    async def count() -> tuple[int, int]:
        async with open_orm(settings.database):
            return len(await all_accounts()), len(await all_keys())

    accounts, keys = asyncio.run(count())
    if not accounts:
        raise DatabaseError("no account yet: `classifaily serve` or `account create` makes one")
    return f"{accounts} with {keys} keys"


def _model(settings: Settings) -> str:
    engine = make_engine(settings)
    try:
        engine.load()
    finally:
        engine.close()
    return f"{settings.model}, prepared in {settings.prepared_dir}"


def _pages(_settings: Settings) -> str:
    if not (pages.BUILT / ".built").exists():
        raise FileNotFoundError("not built: run `make pages`")
    return "built"
