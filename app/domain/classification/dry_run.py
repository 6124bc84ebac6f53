"""What a request would do, without doing it: the rules and the quota hold, nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import clock
from app.domain.accounts.account import Caller
from app.domain.budget import require_budget
from app.domain.classification.admission import Admitted, admit_request
from app.domain.classification.request import ClassifyRequest
from app.domain.clock import Period
from app.domain.errors import RateLimitExceeded
from app.domain.services import Services


@dataclass(frozen=True, slots=True)
class DryRun:
    """The jobs that a request would make, each of which would count as one request.

    `remaining_after` is what would be left of the month's quota; None when unlimited.
    """

    jobs: tuple[Admitted, ...]
    remaining_after: int | None


async def dry_run(services: Services, caller: Caller, request: ClassifyRequest) -> DryRun:
    """Tell what `classify` would do.

    Raises:
        InvalidRequest: A value is out of its range.
        PlanRestriction: The plan lacks something that the request asks for.
        NotFound: The schema does not exist.
        RateLimitExceeded: The month's quota would not cover it.
        BudgetExceeded: The month's budget would not.
    """
    return await weigh(services, caller, [await admit_request(services, caller.account, request)])


async def weigh(services: Services, caller: Caller, jobs: Sequence[Admitted]) -> DryRun:
    """Hold jobs against what the month's budget and quota have left.

    Raises:
        RateLimitExceeded: The quota does not cover them all.
        BudgetExceeded: The budget does not.
    """
    await require_budget(services, caller.account, jobs)
    limit = caller.account.limits.requests
    if limit is None:
        return DryRun(tuple(jobs), None)
    remaining = limit - caller.used - len(jobs)
    if remaining < 0:
        raise RateLimitExceeded(limit=limit, used=caller.used, period=Period.of(clock.now()))
    return DryRun(tuple(jobs), remaining)
