"""Submit a file: its lines are written down, then promised in one step.

The file is held to the rules first, as a whole and in memory; what is refused has written nothing.
Then its lots are written one by one, and counted by nothing; the last step takes the quota of all
lines to judge and makes the batch.
"""

from collections.abc import Callable

from app.domain import clock
from app.domain.accounts.account import Account, Caller
from app.domain.batches.batch import Batch, BatchKind, new_batch_id
from app.domain.batches.classify_batch import ClassifiedBatch
from app.domain.budget import budget_for
from app.domain.classification.reserve import granted
from app.domain.clock import Period
from app.domain.errors import RateLimitExceeded
from app.domain.files.admission import AdmittedFile, admit_file
from app.domain.files.file import FileDryRun, FileRequest
from app.domain.jobs.job import JobStatus
from app.domain.services import Services
from app.domain.signals import Queue
from app.storage.ledger.files import drop_file, write_lot
from app.storage.ledger.files import submit_file as submit
from app.storage.ledger.records import BatchStart, FileStart, Receipt, Reserved


async def submit_file(
    services: Services,
    caller: Caller,
    request: FileRequest,
    *,
    receipt: Callable[[Batch], Receipt | None] = lambda _batch: None,
) -> ClassifiedBatch:
    """Promise to classify the lines of a file; lines that are refused have failed at once.

    `receipt` says what to keep for a repeat of the request; it is written in the step that
    promises.

    Raises:
        InvalidRequest: A setting is out of its range, or the file can't be read.
        PlanRestriction: The plan lacks files, or something that the file asks for.
        NotFound: The file's schema does not exist.
        RateLimitExceeded: The month's quota does not cover every line; nothing was counted.
        BudgetExceeded: The month's budget does not cover any line.
    """
    account = caller.account
    file = await admit_file(services, account, request)
    _remaining_after(caller, file)
    opening = BatchStart(new_batch_id(), BatchKind.FILE.value, clock.now())
    for lot in file.lots():
        await services.ledger.run(
            write_lot(account.id, opening.batch_id, lot, created_at=opening.created_at)
        )
    batch = _batch(account, opening, file)
    period, limit = Period.of(opening.created_at), account.limits.requests
    # With a cache, any of the lines may cost nothing.
    has_cache = account.cache_ttl is not None
    budget = None if has_cache else await budget_for(services, account, file.admitted)
    reserved = await services.ledger.run(
        submit(
            account.id,
            FileStart(opening, file.requests, file.refused),
            period=str(period),
            limit=limit,
            receipt=lambda _reserved: receipt(batch),
            budget=budget,
        )
    )
    if not isinstance(reserved, Reserved):
        await services.ledger.run(drop_file(opening.batch_id))
    reserved = granted(reserved, period=period, limit=limit, budget=budget)
    services.signals.wake(Queue.JOBS, file.requests.total())
    return ClassifiedBatch(batch=batch, used=reserved.used)


async def dry_run_file(services: Services, caller: Caller, request: FileRequest) -> FileDryRun:
    """Tell what `submit_file` would do.

    Raises:
        InvalidRequest: A setting is out of its range, or the file can't be read.
        PlanRestriction: The plan lacks files, or something that the file asks for.
        NotFound: The file's schema does not exist.
        RateLimitExceeded: The month's quota would not cover every line.
    """
    file = await admit_file(services, caller.account, request)
    return FileDryRun(
        total=file.requests.total() + file.refused,
        requests=file.requests.total(),
        refused=file.refused,
        first_refused=tuple(file.first_refused),
        remaining_after=_remaining_after(caller, file),
    )


def _remaining_after(caller: Caller, file: AdmittedFile) -> int | None:
    limit = caller.account.limits.requests
    if limit is None:
        return None
    remaining = limit - caller.used - file.requests.total()
    if remaining < 0:
        raise RateLimitExceeded(limit=limit, used=caller.used, period=Period.of(clock.now()))
    return remaining


def _batch(account: Account, opening: BatchStart, file: AdmittedFile) -> Batch:
    return Batch(
        id=opening.batch_id,
        account_id=account.id,
        kind=BatchKind.FILE,
        status=JobStatus.PENDING,
        total=file.requests.total() + file.refused,
        completed=0,
        failed=file.refused,
        latency_ms=None,
        jobs=(),
        created_at=opening.created_at,
        completed_at=None,
    )
