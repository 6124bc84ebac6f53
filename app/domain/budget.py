"""The month's budget of an account: what its work may cost, checked before a model is asked.

What the work could cost at most is held, and settled to what it really cost. The rules:

- Work that its caller waits for is held all together, or refused.
- Work that waits holds nothing. It is refused when it is promised if nothing of it could run any
  more. Held is what an attempt may cost, just before it; if the budget does not cover that, the job
  fails, and counts nothing. If it would, but for what runs at the moment, the job waits for that.
- What could cost nothing is never refused, nor is what the cache can answer. Lines of a file are
  not looked up beforehand: where there is a cache, each is refused by itself when its turn comes.
- A list of models is held as if all were asked, also when the last one is free.
- Where a price is not known nothing can be held, so an account with a budget is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.answers import foresee_cached
from app.domain.classification.admission import Admitted
from app.domain.clock import Period
from app.domain.errors import BudgetExceeded
from app.domain.services import Services
from app.engines.contract import Outcome
from app.observability import metrics
from app.storage import usage as rows
from app.storage.ledger.budgets import Budget, check_budget
from app.storage.ledger.records import OverBudget


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """A month's budget (nano-dollars). `used` counts what is held for work that runs."""

    limit: int
    used: int
    resets_at: datetime

    @property
    def remaining(self) -> int:
        """What is left of it."""
        return max(self.limit - self.used, 0)


async def get_standing(account: Account) -> BudgetStanding | None:
    """Return how the current month's budget stands; None when there is none."""
    if account.budget is None:
        return None
    period = Period.of(clock.now())
    used = await rows.month_committed(account.id, str(period))
    return BudgetStanding(limit=account.budget, used=used, resets_at=period.end)


async def budget_for(
    services: Services,
    account: Account,
    admitted: Sequence[Admitted],
    *,
    known: Sequence[Outcome | None] = (),
) -> Budget | None:
    """Return what has to be held for work; None when that is nothing.

    `known` has the answers of what need not be asked.

    Raises:
        BudgetExceeded: What it costs is not known.
    """
    if account.budget is None:
        return None
    needs = [
        0 if answer else await services.engine.most_cost(each.task)
        for each, answer in zip_longest(admitted, known)
    ]
    amounts = [need for need in needs if need is not None]
    if len(amounts) < len(needs):
        period = Period.of(clock.now())
        used = await rows.month_committed(account.id, str(period))
        raise unpriced(account.budget, used=used)
    return Budget(account.budget, tuple(amounts)) if any(amounts) else None


async def budget_ahead(
    services: Services, account: Account, admitted: Sequence[Admitted]
) -> Budget | None:
    """Return what would have to be held for work that is yet to begin; None when that is nothing.

    Raises:
        BudgetExceeded: What it costs is not known.
    """
    if account.budget is None:
        return None
    known = await foresee_cached(services, account.id, admitted, ttl_s=account.cache_ttl)
    return await budget_for(services, account, admitted, known=known)


def unpriced(limit: int, *, used: int) -> BudgetExceeded:
    """Return the error for work of which nobody knows what it may cost."""
    metrics.budget_refused()
    return BudgetExceeded(limit=limit, used=used, needed=None, period=Period.of(clock.now()))


async def require_budget(
    services: Services, account: Account, admitted: Sequence[Admitted]
) -> None:
    """Refuse work that could not run now, without holding anything for it.

    Raises:
        BudgetExceeded: The budget does not cover it.
    """
    budget = await budget_ahead(services, account, admitted)
    if budget is None:
        return
    period = Period.of(clock.now())
    over = await services.ledger.run(check_budget(account.id, period=str(period), budget=budget))
    if over is not None:
        raise over_budget(over, budget, period=period)


def over_budget(over: OverBudget, budget: Budget, *, period: Period) -> BudgetExceeded:
    """Return the error for what the budget did not cover."""
    metrics.budget_refused()
    return BudgetExceeded(
        limit=budget.most,
        used=over.spent + over.held,
        needed=over.needed,
        period=period,
        held_up=over.spent + over.needed <= budget.most,
    )
