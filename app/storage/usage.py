"""Reading usage rows."""

from datetime import date

from tortoise.expressions import Q

from app.storage.usage_models import UsageDayRow, UsageMonthRow


async def month_used(account_id: int, period: str) -> int:
    """Return what an account has used of a month."""
    row = await UsageMonthRow.get_or_none(account_id=account_id, period=period)
    return row.used if row else 0


async def month_committed(account_id: int, period: str) -> int:
    """Return what an account has spent of a month and what is held, in nano-dollars."""
    row = await UsageMonthRow.get_or_none(account_id=account_id, period=period)
    return row.spent + row.held if row else 0


async def month_days(account_id: int, *, first: date, end: date) -> list[UsageDayRow]:
    """Return an account's days with any use, in order; `end` is exclusive."""
    return (
        await UsageDayRow.filter(account_id=account_id, day__gte=first, day__lt=end)
        # What failed counts no request, and may have cost something all the same.
        .filter(Q(requests__gt=0) | Q(cost__gt=0))
        .order_by("day", "input_type")
    )
