"""What the ends of jobs change of an account's use: quota, tokens, money, uses of schemas.

Rows are locked in one order, as everywhere: months, days, schemas.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.storage.columns import read_time
from app.storage.ledger.budgets import Held
from app.storage.ledger.records import EndedJob, JobEnd
from app.storage.operation import Many, Parameters, Rows, Statement, Steps

_SETTLE_MONTH = Statement(
    """
UPDATE usage_months SET used = used - :given_back, spent = spent + :cost, held = held - :released
WHERE account_id = :account AND period = :period
""",
    Rows.NONE,
)
_SETTLE_DAY = Statement(
    """
UPDATE usage_days SET requests = requests - :given_back, tokens = tokens + :tokens,
                      cost = cost + :cost
WHERE account_id = :account AND day = :day AND input_type = :input_type
""",
    Rows.NONE,
)
#: Adds what an attempt took to what earlier ones have.
ADD_UP = """
tokens = COALESCE(tokens + :tokens, :tokens, tokens),
completion_tokens = COALESCE(completion_tokens + :completion_tokens, :completion_tokens,
                             completion_tokens),
cost = cost + :cost
"""
# Whoever drops what was held for the attempt counts it, and so nobody else does; where nothing was
# held, whoever takes the lease off the job.
_LATE_TEXT = """
UPDATE jobs SET {add_up}, lease_id = NULLIF(lease_id, :lease)
WHERE id = :job AND (:held = 1 OR lease_id = :lease AND status <> 'processing')
RETURNING id, account_id, input_type, COALESCE(billed_at, created_at)
"""
_LATE = Statement(_LATE_TEXT.format(add_up=ADD_UP))
_COUNT_SCHEMA_USES = Statement(
    """
UPDATE schemas SET total_uses = total_uses + :count WHERE id = :schema AND account_id = :account
""",
    Rows.NONE,
)


@dataclass(frozen=True, slots=True)
class Settled:
    """A job that this step ended, and what its row says of its accounting."""

    end: JobEnd
    job: EndedJob
    background: bool
    billed_at: datetime
    may_be_kept: bool
    tokens: int


@dataclass(frozen=True, slots=True)
class Late:
    """What an attempt under a lease took whose job had ended elsewhere, or was taken over."""

    job_id: int
    lease_id: str
    tokens: int
    completion_tokens: int
    cost: int | None


_Month = tuple[int, str]
_Day = tuple[int, date, str]


class _Changes:
    """What changes of months and days, added up for each."""

    def __init__(self) -> None:
        #: Given back, cost, released.
        self._months: dict[_Month, list[int]] = {}
        #: Given back, cost, tokens.
        self._days: dict[_Day, list[int]] = {}

    def add(self, month: _Month, given_back: int, cost: int, released: int) -> None:
        """Change a month."""
        sums = self._months.setdefault(month, [0, 0, 0])
        sums[0] += given_back
        sums[1] += cost
        sums[2] += released

    def add_day(self, day: _Day, given_back: int, cost: int, tokens: int) -> None:
        """Change a day."""
        sums = self._days.setdefault(day, [0, 0, 0])
        sums[0] += given_back
        sums[1] += cost
        sums[2] += tokens

    def write(self) -> Steps[None]:
        """Write the changes, in the order in which rows are locked."""
        if self._months:
            yield Many(
                _SETTLE_MONTH,
                [
                    {
                        "account": account,
                        "period": period,
                        "given_back": given_back,
                        "cost": cost,
                        "released": released,
                    }
                    for (account, period), (given_back, cost, released) in sorted(
                        self._months.items()
                    )
                ],
            )
        if self._days:
            yield Many(
                _SETTLE_DAY,
                [
                    {
                        "account": account,
                        "day": day,
                        "input_type": input_type,
                        "given_back": given_back,
                        "cost": cost,
                        "tokens": tokens,
                    }
                    for (account, day, input_type), (given_back, cost, tokens) in sorted(
                        self._days.items()
                    )
                ],
            )


def settle_use(
    settled: Sequence[Settled], held: Sequence[Held], *, ends: Mapping[int, JobEnd]
) -> Steps[None]:
    """Give the quota of what failed back, count the tokens of what completed, and all costs.

    What was held of a budget is given back. `ends` are all that were to end: an attempt at a job
    that had ended elsewhere counts its cost too.
    """
    changes = _Changes()
    amounts = {hold.job_id: hold for hold in held}
    late = dict(ends)
    for each in settled:
        job, billed_at = each.job, each.billed_at
        del late[job.id]
        failed = each.end.error_code is not None
        cost = _cost(each.end.cost, amounts.get(job.id))
        tokens = 0 if failed else each.tokens
        changes.add_day((job.account_id, billed_at.date(), job.input_type), failed, cost, tokens)
        if failed or cost:
            changes.add((job.account_id, f"{billed_at:%Y-%m}"), failed, cost, 0)
    yield from _count_late(
        changes,
        [
            Late(end.job_id, end.lease_id or "", end.tokens, end.completion_tokens, end.cost)
            for _, end in sorted(late.items())
        ],
        amounts,
    )
    for hold in held:
        changes.add((hold.account_id, hold.period), 0, 0, hold.amount)
    yield from changes.write()


def settle_late(late: Late, held: Sequence[Held]) -> Steps[None]:
    """Count what an attempt cost whose job is no longer its own, and give back what was held."""
    changes = _Changes()
    yield from _count_late(changes, [late], {hold.job_id: hold for hold in held})
    for hold in held:
        changes.add((hold.account_id, hold.period), 0, 0, hold.amount)
    yield from changes.write()


def _count_late(
    changes: _Changes, late: Sequence[Late], amounts: Mapping[int, Held]
) -> Steps[None]:
    costs = {each.job_id: each for each in late if each.cost != 0 or each.job_id in amounts}
    if not costs:
        return
    rows = yield Many(_LATE, [_late_row(each, amounts) for each in costs.values()])
    for job_id, account_id, input_type, billed in rows:
        hold, billed_at = amounts.get(job_id), read_time(billed)
        cost = _cost(costs[job_id].cost, hold)
        period = f"{billed_at:%Y-%m}" if hold is None else hold.period
        changes.add((account_id, period), 0, cost, 0)
        changes.add_day((account_id, billed_at.date(), input_type), 0, cost, 0)


def settle_attempt(
    job: tuple[int, str, datetime], held: Sequence[Held], *, cost: int | None
) -> Steps[None]:
    """Count what an attempt cost whose job has not ended, and give back what was held for it.

    `job` is its account, its input type, and when it was billed.
    """
    changes = _Changes()
    account_id, input_type, billed_at = job
    counted = _cost(cost, held[0] if held else None)
    if counted:
        changes.add((account_id, f"{billed_at:%Y-%m}"), 0, counted, 0)
        changes.add_day((account_id, billed_at.date(), input_type), 0, counted, 0)
    for hold in held:
        changes.add((hold.account_id, hold.period), 0, 0, hold.amount)
    yield from changes.write()


def _cost(cost: int | None, hold: Held | None) -> int:
    """Return what counts: a cost that is not known may have been all that was held for it."""
    if cost is not None:
        return cost
    return 0 if hold is None else hold.amount


def _late_row(late: Late, amounts: Mapping[int, Held]) -> Parameters:
    return {
        "job": late.job_id,
        "lease": late.lease_id,
        "held": int(late.job_id in amounts),
        "tokens": late.tokens or None,
        "completion_tokens": late.completion_tokens or None,
        "cost": late.cost,
    }


def count_schema_uses(settled: Sequence[Settled]) -> Steps[None]:
    """Count the schemas that completed jobs used."""
    uses = Counter(
        (each.job.schema_id, each.job.account_id)
        for each in settled
        if each.job.schema_id is not None and each.end.error_code is None
    )
    if uses:
        yield Many(
            _COUNT_SCHEMA_USES,
            [
                {"schema": schema, "account": account, "count": count}
                for (schema, account), count in sorted(uses.items())
            ],
        )
