"""`classifaily account …`."""

import click

from app.cli.session import with_database
from app.cli.table import echo_table
from app.domain.accounts import manage
from app.domain.accounts.account import SubscriptionStatus
from app.domain.clock import to_iso
from app.domain.money import parse_dollars, to_dollars
from app.domain.plans import Plan
from app.settings import load_settings

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
        ("id", "name", "plan", "status", "email", "created", "budget"),
        [
            (
                *(a.id, a.name, a.plan, a.subscription_status, a.email, to_iso(a.created_at)),
                None if a.budget is None else f"${to_dollars(a.budget)}",
            )
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


@account.command("set-budget")
@click.argument("account_id", metavar="ID", type=int)
@click.argument("amount", metavar="AMOUNT|none")
def set_budget(account_id: int, amount: str) -> None:
    """Limit what an account's work may cost a month, in US dollars, at once; none is no limit."""
    try:
        budget = None if amount == "none" else parse_dollars(amount)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="AMOUNT") from None
    with_database(lambda: manage.set_budget(account_id, budget))
    said = "has no budget" if budget is None else f"may spend ${to_dollars(budget)} a month"
    click.echo(f"Account {account_id} {said}.", err=True)


@account.command("set-cache")
@click.argument("account_id", metavar="ID", type=int)
@click.argument("seconds", metavar="SECONDS|off")
def set_cache(account_id: int, seconds: str) -> None:
    """Answer exact repeats from a cache for so many seconds, up to a week."""
    if seconds != "off" and not (seconds.isascii() and seconds.isdigit()):
        raise click.BadParameter("must be a whole number or off", param_hint="SECONDS")
    ttl = 0 if seconds == "off" else int(seconds)
    with_database(lambda: manage.set_cache(account_id, ttl))
    said = f"are answered from a cache for {ttl} s" if ttl else "are asked anew"
    click.echo(f"Exact repeats of account {account_id} {said}.", err=True)


@account.command("set-model")
@click.argument("account_id", metavar="ID", type=int)
@click.argument("models", metavar="MODELS|none")
def set_model(account_id: int, models: str) -> None:
    """Let an account's work be judged by these of the allowed models; none is the server's own."""
    choice = None if models == "none" else models
    chosen = with_database(lambda: manage.set_model(load_settings(), account_id, choice))
    click.echo(
        f"Account {account_id} is judged by {chosen or 'the models of the server'}.", err=True
    )


@account.command("set-retention")
@click.argument("account_id", metavar="ID", type=int)
@click.argument("state", metavar="on|off", type=click.Choice(["on", "off"]))
def set_retention(account_id: int, state: str) -> None:
    """Keep whole inputs with their jobs, or stop it and delete what was kept."""
    with_database(lambda: manage.set_retention(account_id, on=state == "on"))
    kept = "are kept with their jobs" if state == "on" else "are not kept; those kept are deleted"
    click.echo(f"Account {account_id}'s inputs {kept}.", err=True)
