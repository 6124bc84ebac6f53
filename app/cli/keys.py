"""`classifaily key …`."""

import click

from app.cli.session import with_database
from app.cli.table import echo_table
from app.domain.accounts.manage import get_account
from app.domain.clock import to_iso
from app.domain.keys import manage
from app.domain.keys.key import NewApiKey


@click.group()
def key() -> None:
    """API keys: make, list, revoke."""


@key.command()
@click.option("--account", "account_id", type=int, required=True, help="Whose key.")
@click.option("--name", default="default", show_default=True, help="What to call it.")
def create(account_id: int, name: str) -> None:
    """Make a key and print it: the only time it is shown."""

    async def verb() -> NewApiKey:
        return await manage.create_key(await get_account(account_id), name)

    click.echo(with_database(verb).secret)


@key.command("list")
def list_() -> None:
    """List every account's keys, without their secrets."""
    keys = with_database(manage.list_all_keys)
    echo_table(
        ("id", "account", "name", "key", "created", "revoked"),
        [
            (
                k.id,
                k.account_id,
                k.name,
                k.hint,
                to_iso(k.created_at),
                to_iso(k.revoked_at) if k.revoked_at else None,
            )
            for k in keys
        ],
    )


@key.command()
@click.argument("key_id", metavar="ID", type=int)
def revoke(key_id: int) -> None:
    """Revoke a key: the next request with it is refused."""
    revoked = with_database(lambda: manage.revoke_any_key(key_id))
    click.echo(f"Key {revoked.id} ({revoked.name}) is revoked.", err=True)
