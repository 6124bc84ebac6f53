"""What a batch would do, without doing it."""

from app.domain.accounts.account import Caller
from app.domain.batches.admission import admit_batch
from app.domain.batches.batch import BatchRequest
from app.domain.classification.dry_run import DryRun, weigh
from app.domain.services import Services


async def dry_run_batch(services: Services, caller: Caller, request: BatchRequest) -> DryRun:
    """Tell what `classify_batch` would do.

    Raises:
        InvalidRequest: A value is out of its range.
        PlanRestriction: The plan lacks something that the batch asks for.
        NotFound: A schema does not exist.
        RateLimitExceeded: The month's quota would not cover every item.
    """
    return await weigh(services, caller, await admit_batch(services, caller.account, request))
