"""`classifaily doctor`: what is configured, reachable and missing, a line each."""

import asyncio
import platform
import sys
import time
from collections.abc import Callable
from functools import partial

import click

from app import __version__
from app.domain.sealing import KEY_FILE, SealBroken, load_seal
from app.domain.webhooks.reseal import count_unreadable
from app.engines.contract import Category, InputType, Task
from app.engines.errors import EngineError, ModelUnavailable, UnsupportedInput
from app.engines.litellm_provider import close_connections
from app.engines.remote.capabilities import unset_variables
from app.engines.remote.turns import Turns
from app.runtime import make_embedded, make_links, make_remote
from app.settings import EMBEDDED, PREFIX, Settings, load_settings
from app.storage.accounts import all_accounts, all_keys
from app.storage.database import migrate, open_orm
from app.storage.errors import DatabaseError
from app.storage.location import PostgresServer
from app.web import pages
from app.workers.broker import ping

PING = Task("Good morning!", categories=(Category("greeting"), Category("farewell")))
PING_S = 10


@click.command()
def doctor() -> None:
    """Check the configuration and everything it names. Exits 1 when something is missing."""
    settings = load_settings()
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("version", lambda _: f"{__version__}, Python {platform.python_version()}"),
        ("address", lambda s: s.base_url),
        ("database", _database),
        ("accounts", _accounts),
        ("broker", _broker),
        *((f"model {name}", partial(_model, name)) for name in settings.all_models),
        *((kind.value, partial(_judges, kind)) for kind in InputType if kind != InputType.TEXT),
        ("secret key", _secret_key),
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


def _broker(settings: Settings) -> str:
    if settings.broker_is_embedded:
        return f"{settings.broker_url}, in the serving process"
    try:
        ping(settings.broker_url)
    except ConnectionError as error:
        raise ConnectionError(f"{PREFIX}BROKER_URL can't be used: {error}") from None
    return "Redis answers"


def _model(name: str, settings: Settings) -> str:
    if name != EMBEDDED:
        try:
            return asyncio.run(_ask(name, settings))
        except EngineError as error:
            unset = [] if settings.model_api_key.get_secret_value() else unset_variables(name)
            hint = f"; not set: {', '.join(unset)}" if unset else ""
            raise ModelUnavailable(f"{error}{hint}") from None
    engine = make_embedded(settings)
    try:
        engine.load()
    finally:
        engine.close()
    return f"prepared in {settings.prepared_dir}"


async def _ask(name: str, settings: Settings) -> str:
    """Put a task of a few words to a model, which tells whether key, name and manner are right."""
    engine = make_remote(settings, name, turns=Turns())
    engine.load()
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PING_S):
            outcome = await engine.classify(PING)
    except TimeoutError:
        raise ModelUnavailable(f"no answer within {PING_S} s") from None
    finally:
        await close_connections()
    took = round((time.perf_counter() - started) * 1000)
    return f"answers in {took} ms, confidence {outcome.confidence_source.value}"


def _judges(kind: InputType, settings: Settings) -> str:
    """Say which models judge a type of input, asking none."""
    names = settings.models_for(kind)
    able = []
    for link in make_links(settings, names):
        if link.name != EMBEDDED:
            link.engine.load()
        if kind in link.engine.input_types:
            able.append(link.name)
        link.engine.close()
    if able:
        return f"judged by {', '.join(able)}"
    variable = f"{PREFIX}MODEL_{kind.name}"
    if settings.own_models_for(kind):
        raise UnsupportedInput(f"{', '.join(names)} can't judge it: see {variable}")
    remedy = f"; for {EMBEDDED}, install classifaily[{kind.value}]" if EMBEDDED in names else ""
    return f"refused: {', '.join(names)} can't judge it, and {variable} names no other{remedy}"


def _secret_key(settings: Settings) -> str:
    async def check() -> int:
        async with open_orm(settings.database):
            return await count_unreadable(load_seal(settings))

    unreadable = asyncio.run(check())
    if unreadable:
        raise SealBroken(f"of {unreadable} webhooks the secret was sealed under another key")
    if settings.secret_keys:
        return f"{PREFIX}SECRET_KEY"
    file = str(settings.data_dir / KEY_FILE)
    if isinstance(settings.database, PostgresServer):
        return f"{file}; processes elsewhere need the same: set {PREFIX}SECRET_KEY"
    return file


def _pages(_settings: Settings) -> str:
    if not (pages.BUILT / "dashboard.html").exists():
        raise FileNotFoundError("not built: run `make pages`")
    return "built"
