"""The root command and how its errors reach the user."""

import importlib
import sys

import click

from app import __version__
from app.domain.errors import Error
from app.engines.errors import EngineError
from app.settings import SettingsError
from app.storage.errors import DatabaseError

_MODULES = {
    "serve": "app.cli.serve",
    "worker": "app.cli.worker",
    "migrate": "app.cli.serve",
    "account": "app.cli.accounts",
    "key": "app.cli.keys",
    "classify": "app.cli.classify",
    "evaluate": "app.cli.evaluate",
    "export": "app.cli.export",
    "doctor": "app.cli.doctor",
}


class _LazyGroup(click.Group):
    """Imports a command when it is asked for: models and GraphQL take a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        command: click.Command = getattr(importlib.import_module(_MODULES[cmd_name]), cmd_name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="classifaily")
def cli() -> None:
    """Sort content into your own categories, with a confidence you can trust."""


def main() -> None:
    """Run the command line. What a user did wrong is a message, never a traceback."""
    try:
        cli.main(prog_name="classifaily")
    except (Error, EngineError, SettingsError, DatabaseError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
