"""The root command."""

import importlib

import click

from app import __version__
from app.cli.errors import errors_told

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
    """Run the command line."""
    with errors_told():
        cli.main(prog_name="classifaily")
