"""Answer typed questions about one state.

Each question is a job of its own, and counts one; together they are a batch: reserved, run and
ended in one step each, or none of them. A question that fails is given back, the others stand.
"""

from collections.abc import Callable
from dataclasses import replace

from app.domain import clock
from app.domain.accounts.account import Account, Caller
from app.domain.batches.admission import check_batch_size
from app.domain.batches.batch import Batch, BatchKind, new_batch_id
from app.domain.batches.classify_batch import ClassifiedBatch, answer_batch
from app.domain.classification.admission import Admitted, admit
from app.domain.classification.classify import RETRY_AFTER_S
from app.domain.classification.request import ClassifyRequest
from app.domain.decisions.question import AskedQuestion, DecisionsRequest, check_decisions
from app.domain.errors import Error, ErrorCode, ModelUnavailable
from app.domain.jobs.job import JobStatus
from app.domain.services import Services
from app.engines.contract import Category, Mode, Question
from app.storage.ledger.records import BatchStart, Receipt


async def decide(
    services: Services,
    caller: Caller,
    request: DecisionsRequest,
    *,
    started: float,
    receipt: Callable[[Batch], Receipt | None] = lambda _batch: None,
) -> ClassifiedBatch:
    """Answer questions; the jobs of the batch are theirs, in the order asked.

    `started` is the `time.perf_counter()` of the request's arrival. `receipt` says what to keep for
    a repeat of the request, of which one is kept only when a question was answered.

    Raises:
        InvalidRequest: A value is out of its range, or more than any of the models can take.
        PlanRestriction: The plan has no categories of one's own, or fewer items in a batch.
        RateLimitExceeded: The month's quota does not cover every question; nothing was counted.
        BudgetExceeded: The month's budget does not cover what it could cost.
        ModelUnavailable: No question could be answered; the quota is given back.
        ServerError: Our fault; the quota is given back.
    """
    check_decisions(request)
    account = caller.account
    admitted = [_admit(services, account, request, asked) for asked in request.questions]
    check_batch_size(account, len(admitted))
    # One input and several sets of answers: to whoever reads batches it is one of these.
    opening = BatchStart(new_batch_id(), BatchKind.SETS.value, clock.now())
    decided = await answer_batch(
        services,
        account,
        admitted,
        opening,
        receipt=lambda batch: None if _has_failed(batch) else receipt(batch),
        started=started,
    )
    if _has_failed(decided.batch):
        raise _error_of(decided.batch)
    return decided


def _has_failed(batch: Batch) -> bool:
    return batch.status is JobStatus.FAILED


def _error_of(batch: Batch) -> Error:
    error = batch.jobs[0].error
    if error is None or error.code is ErrorCode.MODEL_UNAVAILABLE:
        message = "The model can't answer at the moment. Try again soon."
        return ModelUnavailable(message, retry_after=RETRY_AFTER_S)
    return Error(error.message, code=error.code)


def _admit(
    services: Services, account: Account, request: DecisionsRequest, asked: AskedQuestion
) -> Admitted:
    one = ClassifyRequest(
        input=request.state,
        categories=[Category(option.name, option.meaning) for option in asked.options],
        mode=Mode.TOP_N,
        top_n=len(asked.options),
        store=request.store,
    )
    admitted = admit(services, account, one, None, item_id=asked.name)
    question = Question(asked.kind, asked.instructions)
    return replace(admitted, task=replace(admitted.task, question=question))
