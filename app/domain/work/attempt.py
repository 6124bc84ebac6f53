"""One attempt at leased jobs, and what becomes of them.

A job ends with its answer, or with an error that another attempt would not mend. Anything else is
put off, longer each time and at least as long as the model asks for, until it has been started
`MAX_ATTEMPTS` times. A model that is away is waited for longer: `MODEL_ATTEMPTS`. Where a turn does
not come and nothing was spent, nothing was begun, and nothing counts.
"""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.domain import clock
from app.domain.answers import find_cached, keep_answered
from app.domain.budget import over_budget, unpriced
from app.domain.classification.admission import Admitted
from app.domain.classification.classify import error_of
from app.domain.classification.judging import judge, judge_many
from app.domain.clock import Period
from app.domain.errors import (
    BudgetExceeded,
    Error,
    ErrorCode,
    InvalidRequest,
    MediaUnavailable,
    ServerError,
)
from app.domain.jobs.end import end_jobs
from app.domain.jobs.payload import load_payloads
from app.domain.jobs.record import completed, failed
from app.domain.services import Services
from app.engines.contract import InputType, Outcome
from app.engines.errors import (
    EngineBusy,
    EngineError,
    ModelUnavailable,
    Unfit,
    UnsupportedInput,
)
from app.engines.spending import NOTHING, Bill, Spent
from app.observability import metrics
from app.observability.context import working_on
from app.observability.tracing import job_span
from app.storage.errors import DatabaseUnavailable
from app.storage.ledger.budgets import Budget, hold_for_attempts
from app.storage.ledger.records import JobEnd, LeasedJob, Took
from app.storage.ledger.work import put_off

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# With the delays below, some four minutes.
MODEL_ATTEMPTS = 7
# Longer than the longest text with the longest list of unseen categories takes on a slow core.
TIME_LIMIT_S = 300
# Longer than eight recordings and eight videos take, two at a time, half an hour of speech each.
LONG_TIME_LIMIT_S = 7_200
# For a turn at a model, and for a place among the files that are held: nobody waits for the answer,
# and whoever waits in vain comes back.
PATIENCE_S = 120.0
# Before the second attempt, doubled before each further one.
FIRST_DELAY_S = 2.0
# A database that went away is waited for: what was computed must not be lost.
_RETRY_END_S = 1.0
_MOST_END_RETRIES = 600


class TookTooLong(Exception):
    """A job that took longer than any may, and what its calls took."""

    def __init__(self, spent: Spent) -> None:
        super().__init__("it took too long")
        self.spent = spent


Answer = Outcome | Exception
# The model is away, or has too much to do: nothing is wrong with the job.
_AWAY = (ModelUnavailable, EngineBusy)


async def attempt(services: Services, lease_id: str, jobs: Sequence[LeasedJob]) -> None:
    """Run jobs together, then end or put off each of them."""
    payloads = load_payloads(jobs)
    origin = payloads[0]
    metrics.jobs_started(len(jobs), by="worker")
    with (
        working_on(
            job=jobs[0].id if len(jobs) == 1 else None,
            batch=jobs[0].batch_id,
            request=origin.request_id,
        ),
        job_span(services.tracing, traceparent=origin.traceparent, jobs=len(jobs)),
    ):
        await _attempt(services, lease_id, jobs, [payload.admitted for payload in payloads])


async def _attempt(
    services: Services, lease_id: str, jobs: Sequence[LeasedJob], admitted: Sequence[Admitted]
) -> None:
    started = time.perf_counter()
    cached = await _cached(services, jobs, admitted)
    budgets = await _budgets(services, jobs, admitted, cached)
    refused = await _hold(services, lease_id, budgets)
    runs = [(job, item) for job, item in zip(jobs, admitted, strict=True) if job.id not in refused]
    asked = [(job, item) for job, item in runs if job.id not in cached]
    fresh = await _ask(services, lease_id, asked) if asked else []
    await _keep(services, asked, fresh)
    answers = {**cached, **{job.id: each for (job, _), each in zip(asked, fresh, strict=True)}}
    ends: list[JobEnd] = []
    for job, item in runs:
        answer = answers[job.id]
        if _is_worth_another(job, answer):
            logger.warning("job %d will be tried again: %s", job.id, _class_of(answer))
            await _put_off(services, job, lease_id, answer)
        else:
            holds = job.id in budgets
            ends.append(_end_of(job, item, answer, lease_id=lease_id, holds=holds))
    for job, item in zip(jobs, admitted, strict=True):
        if job.id in refused:
            ends += await _refuse(services, lease_id, job, item, refused[job.id])
    if ends:
        await _end(services, ends)
    ms = round((time.perf_counter() - started) * 1000)
    logger.info("%d of %d jobs ended after %d ms", len(ends), len(jobs), ms)


async def _cached(
    services: Services, jobs: Sequence[LeasedJob], admitted: Sequence[Admitted]
) -> dict[int, Answer]:
    """Return what has been answered before; of one account, as all of a lot are that is larger."""
    first = jobs[0]
    found = await find_cached(services, first.account_id, admitted, ttl_s=first.cache_ttl)
    pairs = zip(jobs, found, strict=True)
    return {job.id: answer for job, answer in pairs if answer is not None}


async def _keep(
    services: Services, asked: Sequence[tuple[LeasedJob, Admitted]], answers: Sequence[Answer]
) -> None:
    if asked:
        first = asked[0][0]
        items = [item for _, item in asked]
        await keep_answered(services, first.account_id, items, answers, ttl_s=first.cache_ttl)


async def _budgets(
    services: Services,
    jobs: Sequence[LeasedJob],
    admitted: Sequence[Admitted],
    cached: Mapping[int, Answer],
) -> dict[int, Budget | BudgetExceeded]:
    """Return what has to be held for the jobs whose account has a budget."""
    budgets: dict[int, Budget | BudgetExceeded] = {}
    for job, item in zip(jobs, admitted, strict=True):
        if job.budget is None or job.id in cached:
            continue
        need = await services.engine.most_cost(item.task)
        if need is None:
            budgets[job.id] = unpriced(job.budget, used=0)
        elif need:
            budgets[job.id] = Budget(job.budget, (need,))
    return budgets


async def _hold(
    services: Services, lease_id: str, budgets: Mapping[int, Budget | BudgetExceeded]
) -> dict[int, BudgetExceeded]:
    """Hold what attempts may cost, and return the jobs for which the budget does not cover it."""
    known = {job: budget for job, budget in budgets.items() if isinstance(budget, Budget)}
    refused = {job: each for job, each in budgets.items() if isinstance(each, BudgetExceeded)}
    if known:
        now = clock.now()
        over = await services.ledger.run(hold_for_attempts(lease_id, known, moment=now))
        period = Period.of(now)
        refused |= {job: over_budget(over[job], known[job], period=period) for job in over}
    return refused


async def _refuse(
    services: Services, lease_id: str, job: LeasedJob, item: Admitted, error: BudgetExceeded
) -> list[JobEnd]:
    """Let a job wait for those that hold the budget, or return its end when it is used up."""
    if error.held_up:
        due_at = clock.now() + timedelta(seconds=error.retry_after() * random.uniform(0.5, 1.5))
        await services.ledger.run(put_off(job.id, lease_id, due_at=due_at, counts=False))
        return []
    logger.warning("job %d failed: %s", job.id, error.error_code)
    return [failed(job.account_id, job.id, error, retain=item.retain, lease_id=lease_id)]


async def _ask(
    services: Services, lease_id: str, asked: Sequence[tuple[LeasedJob, Admitted]]
) -> Sequence[Answer]:
    bills = [Bill(hurried=services.stopping) for _ in asked]
    tasks = [
        replace(item.task, bill=bill, patience_s=PATIENCE_S)
        for (_, item), bill in zip(asked, bills, strict=True)
    ]
    engine, media = services.engine, services.media
    try:
        async with asyncio.timeout(_time_limit(asked[0][1])):
            if len(tasks) > 1:
                return await judge_many(engine, media, tasks, patience_s=PATIENCE_S)
            return [await judge(engine, media, tasks[0], patience_s=PATIENCE_S)]
    except asyncio.CancelledError:
        # Nobody wants the answers, or the process stops: what was paid for them counts.
        for (job, _), bill in zip(asked, bills, strict=True):
            if bill.spent != NOTHING:
                took, now = _took(bill.spent), clock.now()
                await services.ledger.run(
                    put_off(job.id, lease_id, due_at=now, took=took, counts=False)
                )
        raise
    except TimeoutError:
        return [TookTooLong(bill.spent) for bill in bills]
    except Exception as failure:
        if not isinstance(failure, EngineError | MediaUnavailable):
            logger.exception("an attempt failed")
        return [failure] * len(asked)


def _time_limit(item: Admitted) -> int:
    is_long = item.task.input_type in {InputType.AUDIO, InputType.VIDEO}
    return LONG_TIME_LIMIT_S if is_long else TIME_LIMIT_S


def _is_worth_another(job: LeasedJob, answer: Answer) -> bool:
    if isinstance(answer, Outcome | UnsupportedInput | Unfit):
        return False
    if isinstance(answer, MediaUnavailable) and answer.lasting:
        return False
    if _was_not_begun(answer):
        return True
    return job.attempts < (MODEL_ATTEMPTS if isinstance(answer, _AWAY) else MAX_ATTEMPTS)


def _was_not_begun(answer: Answer) -> bool:
    return isinstance(answer, EngineBusy) and answer.spent == NOTHING


def _class_of(answer: Answer) -> str:
    return type(answer).__name__


def _wanted_pause(answer: Answer) -> float:
    wanted = answer.retry_after if isinstance(answer, ModelUnavailable) else None
    return wanted or 0.0


def _spent(answer: Answer) -> Spent:
    return answer.spent if isinstance(answer, EngineError | TookTooLong) else NOTHING


def _took(spent: Spent) -> Took:
    return Took(spent.tokens, spent.completion_tokens, spent.cost)


async def _put_off(services: Services, job: LeasedJob, lease_id: str, answer: Answer) -> None:
    delay = FIRST_DELAY_S * 2 ** (job.attempts - 1) * random.uniform(0.5, 1.5)
    due_at = clock.now() + timedelta(seconds=max(delay, _wanted_pause(answer)))
    took = _took(_spent(answer))
    counts = not _was_not_begun(answer)
    if await services.ledger.run(
        put_off(job.id, lease_id, due_at=due_at, took=took, counts=counts)
    ):
        metrics.job_put_off()


def _end_of(
    job: LeasedJob, item: Admitted, answer: Answer, *, lease_id: str, holds: bool
) -> JobEnd:
    if isinstance(answer, Outcome):
        return completed(
            job.account_id,
            job.id,
            item,
            answer,
            latency_ms=_since(job.created_at),
            lease_id=lease_id,
            holds=holds,
        )
    error = _error_of(item, answer)
    logger.warning("job %d failed: %s", job.id, _class_of(answer))
    return failed(
        job.account_id,
        job.id,
        error,
        spent=_spent(answer),
        retain=item.retain,
        lease_id=lease_id,
    )


def _error_of(item: Admitted, failure: Exception) -> Error:
    if isinstance(failure, UnsupportedInput):
        kind = item.task.input_type.value
        return InvalidRequest(("type",), f"this server's model can't judge {kind}")
    if isinstance(failure, MediaUnavailable):
        return failure
    if isinstance(failure, TookTooLong):
        return Error(
            f"The job took longer than {_time_limit(item)} s, {MAX_ATTEMPTS} times.",
            code=ErrorCode.SERVER_ERROR,
        )
    return error_of(failure) if isinstance(failure, EngineError) else ServerError()


def _since(moment: datetime) -> int:
    return max(round((clock.now() - moment).total_seconds() * 1000), 0)


async def _end(services: Services, ends: Sequence[JobEnd]) -> None:
    for retries in range(_MOST_END_RETRIES + 1):
        try:
            ended = await end_jobs(services, ends)
        except DatabaseUnavailable:
            if retries == _MOST_END_RETRIES:
                raise
            await asyncio.sleep(_RETRY_END_S)
        else:
            if len(ended.jobs) < len(ends):
                logger.warning("%d jobs had ended elsewhere", len(ends) - len(ended.jobs))
            return
