"""What a newcomer sees: on the first start an account and its key, always the addresses."""

import click

from app.domain.accounts.manage import create_account, list_accounts
from app.domain.keys.manage import create_key
from app.domain.plans import Plan
from app.settings import Settings
from app.storage.database import exclusive, open_orm

_FIRST = """
Your API key, shown only this once:

    {secret}

Try it:

    curl -s {base}/api/v1/classify \\
      -H "Authorization: Bearer {secret}" \\
      -H "Content-Type: application/json" \\
      -d '{{"input": "Our server costs doubled again this quarter.",
           "categories": ["finance", "engineering", "marketing", "support"]}}'
"""
_ADDRESSES = """
    GraphiQL       {base}/graphql
    Dashboard      {base}/
    API reference  {base}/docs
"""


async def welcome(settings: Settings) -> None:
    """Make the first account if there is none, and print where everything is."""
    async with exclusive(settings.database), open_orm(settings.database):
        if not await list_accounts():
            account = await create_account("default", plan=Plan.ENTERPRISE)
            made = await create_key(account, "first start")
            click.echo(_FIRST.format(secret=made.secret, base=settings.base_url))
    click.echo(_ADDRESSES.format(base=settings.base_url))
