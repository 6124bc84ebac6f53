"""`classifaily serve` and `classifaily migrate`."""

import asyncio
import os
from contextlib import nullcontext

import click
import uvicorn

from app.cli.ports import check_port_is_free
from app.cli.welcome import welcome
from app.observability.exposition import shared_between_processes
from app.runtime import check_models
from app.settings import PREFIX, Settings, load_settings
from app.storage import database

# Open streams end at once and answers under way within this; background work takes
# `app.workers.background.GRACE_S` more. Together they stay below the 20 s that orchestrators wait.
GRACE_S = 8
# As the documented limit of a text, a million characters, is sent by clients that escape them all.
MAX_SOCKET_MESSAGE_BYTES = 16 * 1024 * 1024


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--reload", is_flag=True, help="Restart when the code changes: for development.")
def serve(host: str | None, port: int | None, workers: int, reload: bool) -> None:
    """Migrate the database, then serve REST, GraphQL and the pages."""
    settings = _adopt(host, port)
    check_models(settings)
    # Before a key is shown to somebody whose server then does not start.
    check_port_is_free(settings.host, settings.port, f"--port or {PREFIX}PORT")
    asyncio.run(_prepare(settings))
    asyncio.run(welcome(settings))
    several = workers > 1
    with shared_between_processes(settings.data_dir, "serve") if several else nullcontext():
        uvicorn.run(
            "app.server:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=workers,
            reload=reload,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            ws="websockets-sansio",
            ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
            # Answers are small, and each compressed socket would hold memory for it all its life.
            ws_per_message_deflate=False,
        )


@click.command()
def migrate() -> None:
    """Bring the database to the current schema. Safe to run twice and side by side."""
    settings = load_settings()
    applied = asyncio.run(database.migrate(settings.database))
    click.echo(f"Applied {', '.join(applied)}." if applied else "Already current.", err=True)


async def _prepare(settings: Settings) -> None:
    await database.wait_until_reachable(settings.database)
    await database.migrate(settings.database)


def _adopt(host: str | None, port: int | None) -> Settings:
    # Worker processes read the environment, not this command line.
    if host is not None:
        os.environ[f"{PREFIX}HOST"] = host
    if port is not None:
        os.environ[f"{PREFIX}PORT"] = str(port)
    return load_settings()
