"""`classifaily export …`."""

import click
import msgspec

from app.graphql.sdl import export_schema
from app.rest.openapi import openapi_document
from app.rest.router import ADDRESSES
from app.settings import load_settings


@click.group()
def export() -> None:
    """Write the API's descriptions to stdout."""


@export.command()
def schema() -> None:
    """Write the GraphQL schema (SDL)."""
    click.echo(export_schema(), nl=False)


@export.command()
def openapi() -> None:
    """Write the OpenAPI 3.1 document of the REST face."""
    document = openapi_document(ADDRESSES, base_url=load_settings().base_url)
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))
