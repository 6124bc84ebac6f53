"""`classifaily account …`."""

import click

from app.cli.session import with_database
from app.cli.table import echo_table
from app.domain.accounts import manage
from app.domain.accounts.account import SubscriptionStatus
from app.domain.clock import to_iso
from app.domain.plans import Plan

_PLANS = click.Choice([plan.value for plan in Plan])
_STATUSES = click.Choice([status.value for status in SubscriptionStatus])


@click.group()
def account() -> None:
    """Accounts: make, list, change."""


@account.command()
@click.option("--name", required=True, help="What to call it.")
@click.option("--plan", type=_PLANS, default=Plan.FREE.value, show_default=True)
@click.option("--email", help="Whom to write to about it.")
def create(name: str, plan: str, email: str | None) -> None:
    """Make an account and print its id."""
    made = with_database(lambda: manage.create_account(name, plan=Plan(plan), email=email))
    click.echo(made.id)


@account.command("list")
def list_() -> None:
    """List every account."""
    accounts = with_database(manage.list_accounts)
    echo_table(
        ("id", "name", "plan", "status", "email", "created"),
        [
            (a.id, a.name, a.plan, a.subscription_status, a.email, to_iso(a.created_at))
            for a in accounts
        ],
    )


@account.command("set-plan")
@click.argument("account_id", metavar="ID", type=int)
@click.argument("plan", metavar="PLAN", type=_PLANS)
def set_plan(account_id: int, plan: str) -> None:
    """Move an account to a plan, at once."""
    with_database(lambda: manage.set_plan(account_id, Plan(plan)))
    click.echo(f"Account {account_id} is on the {plan} plan.", err=True)


@account.command("set-status")
@click.argument("account_id", metavar="ID", type=int)
@click.argument("status", metavar="STATUS", type=_STATUSES)
def set_status(account_id: int, status: str) -> None:
    """Change the standing of an account's subscription, at once."""
    with_database(lambda: manage.set_status(account_id, SubscriptionStatus(status)))
    click.echo(f"Account {account_id}'s subscription is {status}.", err=True)
