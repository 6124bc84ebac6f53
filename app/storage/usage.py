"""Reading usage rows."""

from datetime import date

from app.storage.models import UsageDayRow, UsageMonthRow


async def month_used(account_id: int, period: str) -> int:
    """Return what an account has used of a month."""
    row = await UsageMonthRow.get_or_none(account_id=account_id, period=period)
    return row.used if row else 0


async def month_days(account_id: int, *, first: date, end: date) -> list[UsageDayRow]:
    """Return an account's days with any use, in order; `end` is exclusive."""
    return await UsageDayRow.filter(
        account_id=account_id, day__gte=first, day__lt=end, requests__gt=0
    ).order_by("day", "input_type")
