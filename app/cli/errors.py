"""How what a user did wrong reaches them."""

import contextlib
import sys
from collections.abc import Iterator

import click

from app.domain.errors import Error
from app.engines.errors import EngineError
from app.settings import PREFIX, SettingsError
from app.storage.errors import DatabaseError


@contextlib.contextmanager
def errors_told() -> Iterator[None]:
    """End with status 1 and a message, never a traceback, where the user can mend it."""
    try:
        yield
    except (Error, EngineError, SettingsError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except DatabaseError as error:
        where = f"It is where {PREFIX}DATABASE_URL says, else in {PREFIX}DATA_DIR."
        click.echo(f"Error: {error}\n{where}", err=True)
        sys.exit(1)
