"""Reading a month's usage."""

from collections import Counter
from itertools import groupby

from app.domain.accounts.account import Account
from app.domain.clock import Period
from app.domain.usage.usage import DayUsage, Usage
from app.engines.contract import InputType
from app.storage import usage as rows


async def get_usage(account: Account, period: Period) -> Usage:
    """Return what an account used of a month. A month with no use is all zeros."""
    used = await rows.month_used(account.id, str(period))
    stored = await rows.month_days(account.id, first=period.first_day, end=period.end.date())
    days = []
    for day, of_day in groupby(stored, key=lambda row: row.day):
        group = list(of_day)
        days.append(
            DayUsage(
                day=day,
                requests=sum(row.requests for row in group),
                tokens=sum(row.tokens for row in group),
                by_type=_by_type({row.input_type: row.requests for row in group}),
                cost_by_type=_by_type({row.input_type: row.cost for row in group}),
            )
        )
    totals: Counter[str] = Counter()
    costs: Counter[str] = Counter()
    for row in stored:
        totals[row.input_type] += row.requests
        costs[row.input_type] += row.cost
    return Usage(
        period=period,
        plan=account.plan,
        limits=account.limits,
        requests=used,
        tokens=sum(row.tokens for row in stored),
        by_type=_by_type(totals),
        cost_by_type=_by_type(costs),
        days=tuple(days),
    )


def _by_type(counts: dict[str, int]) -> dict[InputType, int]:
    return {input_type: counts.get(input_type.value, 0) for input_type in InputType}
