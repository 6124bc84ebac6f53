"""The month's budget of an account, in nano-dollars: held before a model is asked, settled after.

    spent + held <= budget

What a job may cost at most is held in the step that starts it, or before an attempt in a worker.
The step that ends the attempt drops the hold and counts what it really cost. So however many run at
once, what has been spent never passes the budget. A hold goes with its attempt: what waits holds
nothing, and what dead processes held comes back with the sweep that takes up their jobs.

A job that is canceled while a model works on it keeps its hold until whoever asked the model is
done: then it is settled, or swept away after a while.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.storage.columns import read_time
from app.storage.ledger.records import OverBudget
from app.storage.operation import Many, Query, Rows, Statement, Steps, reading, writing

_HOLD = Statement("""
INSERT INTO usage_months (account_id, period, used, held)
VALUES (:account, :period, 0, :amount)
ON CONFLICT (account_id, period) DO UPDATE SET held = usage_months.held + excluded.held
WHERE usage_months.spent + usage_months.held + excluded.held <= :most
RETURNING held
""")
_STANDING = Statement("""
SELECT spent, held FROM usage_months WHERE account_id = :account AND period = :period
""")
_INSERT = Statement(
    """
INSERT INTO budget_holds (job_id, lease_id, account_id, period, amount, created_at)
VALUES (:job, :lease, :account, :period, :amount, :moment)
""",
    Rows.NONE,
)
_DROP_OF_LEASE = Statement("""
DELETE FROM budget_holds WHERE job_id = :job AND lease_id = :lease
RETURNING job_id, account_id, period, amount
""")
_DROP_ALL = Statement("""
DELETE FROM budget_holds WHERE job_id = :job RETURNING job_id, account_id, period, amount
""")
_RELEASE = Statement(
    """
UPDATE usage_months SET held = held - :amount WHERE account_id = :account AND period = :period
""",
    Rows.NONE,
)
_RUNNING = Statement("""
SELECT id, account_id, COALESCE(billed_at, created_at) FROM jobs
WHERE id = :job AND lease_id = :lease AND status = 'processing' /* lock */
""")
_ORPHANED = """
FROM budget_holds WHERE created_at < :before
  AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = budget_holds.job_id
                  AND jobs.status = 'processing')
"""
_ANY_ORPHANED = Statement(f"SELECT 1 {_ORPHANED} LIMIT 1")
_DROP_ORPHANED = Statement(f"DELETE {_ORPHANED} RETURNING job_id, account_id, period, amount")


@dataclass(frozen=True, slots=True)
class Budget:
    """An account's budget, and what each of some jobs may cost at most."""

    most: int
    needs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """What was held for a job, of which month."""

    job_id: int
    account_id: int
    period: str
    amount: int


def take(account_id: int, *, period: str, amount: int, most: int) -> Steps[OverBudget | None]:
    """Hold an amount, as a part of a step, or say why not."""
    named = {"account": account_id, "period": period}
    # The first insert of a month meets no conflict, so the update's condition can't guard it.
    if amount <= most and (yield Query(_HOLD, {**named, "amount": amount, "most": most})):
        return None
    return (yield from _over(account_id, period=period, amount=amount))


def _over(account_id: int, *, period: str, amount: int) -> Steps[OverBudget]:
    rows = yield Query(_STANDING, {"account": account_id, "period": period})
    spent, held = rows[0] if rows else (0, 0)
    return OverBudget(spent=spent, held=held, needed=amount)


def check(account_id: int, *, period: str, budget: Budget) -> Steps[OverBudget | None]:
    """Tell, as a part of a step, whether not even the cheapest of some jobs could run later.

    What is held now comes back, at least in part: it is not counted.
    """
    least = min(budget.needs)
    if not least:
        return None
    over = yield from _over(account_id, period=period, amount=least)
    return over if over.spent + over.needed > budget.most else None


@reading
def check_budget(account_id: int, *, period: str, budget: Budget) -> Steps[OverBudget | None]:
    """Tell whether some jobs could not run together now."""
    over = yield from _over(account_id, period=period, amount=sum(budget.needs))
    return over if over.spent + over.held + over.needed > budget.most else None


def keep_holds(
    account_id: int,
    holds: Sequence[tuple[int, int]],
    *,
    period: str,
    moment: datetime,
    lease_id: str = "",
) -> Steps[None]:
    """Write down what was taken for which jobs, as (id, amount)."""
    yield Many(
        _INSERT,
        [
            {
                "job": job_id,
                "lease": lease_id,
                "account": account_id,
                "period": period,
                "amount": amount,
                "moment": moment,
            }
            for job_id, amount in holds
        ],
    )


def drop_holds(job_ids: Sequence[int], *, lease_id: str | None) -> Steps[list[Held]]:
    """Remove the holds of attempts under a lease, or of all; whoever asks settles them."""
    if not job_ids:
        return []
    if lease_id is None:
        rows = yield Many(_DROP_ALL, [{"job": job_id} for job_id in sorted(job_ids)])
    else:
        rows = yield Many(
            _DROP_OF_LEASE, [{"job": job_id, "lease": lease_id} for job_id in sorted(job_ids)]
        )
    return [Held(*row) for row in rows]


def release(holds: Sequence[Held]) -> Steps[None]:
    """Give back what was held for attempts that cost nothing."""
    if not holds:
        return
    amounts: dict[tuple[int, str], int] = {}
    for held in holds:
        key = (held.account_id, held.period)
        amounts[key] = amounts.get(key, 0) + held.amount
    yield Many(
        _RELEASE,
        [
            {"account": account, "period": period, "amount": amount}
            for (account, period), amount in sorted(amounts.items())
        ],
    )


@writing(durable=False)
def hold_for_attempts(
    lease_id: str, budgets: Mapping[int, Budget], *, moment: datetime
) -> Steps[dict[int, OverBudget]]:
    """Hold what leased jobs may cost, each by itself, and return those that don't fit.

    `budgets` are by job, each with one need. Jobs that are not leased any more are left alone.
    """
    rows = yield Many(_RUNNING, [{"job": job, "lease": lease_id} for job in sorted(budgets)])
    refused: dict[int, OverBudget] = {}
    for job_id, account_id, billed_at in rows:
        budget, period = budgets[job_id], f"{read_time(billed_at):%Y-%m}"
        (need,) = budget.needs
        over = yield from take(account_id, period=period, amount=need, most=budget.most)
        if over is not None:
            refused[job_id] = over
        else:
            yield from keep_holds(
                account_id, [(job_id, need)], period=period, moment=moment, lease_id=lease_id
            )
    return refused


@reading
def has_orphaned_holds(before: datetime) -> Steps[bool]:
    """Tell whether anything from before then is held for jobs that do not run any more."""
    return bool((yield Query(_ANY_ORPHANED, {"before": before})))


@writing(durable=False, repeatable=True)
def release_orphaned_holds(before: datetime) -> Steps[int]:
    """Give back what is held for jobs that do not run any more, and return how many these are."""
    rows = yield Query(_DROP_ORPHANED, {"before": before})
    yield from release([Held(*row) for row in rows])
    return len(rows)
