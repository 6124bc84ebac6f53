"""`POST /classify`."""

from collections.abc import Sequence

from app.domain.batches.batch import Batch
from app.domain.batches.classify_sets import classify_sets, dry_run_sets
from app.domain.batches.sets import CategorySet, SetsRequest
from app.domain.classification.classify import classify
from app.domain.classification.dry_run import dry_run
from app.domain.classification.request import ClassifyRequest
from app.domain.errors import ErrorCode
from app.domain.jobs.job import Job, JobStatus
from app.engines.contract import Category
from app.rest.call import Call
from app.rest.operation import Operation
from app.rest.rendering import (
    render_batch,
    render_classification,
    render_dry_run,
    render_promise,
    render_sets_dry_run,
)
from app.rest.replies import ClassifyReply, DryRunReply, PromiseReply
from app.rest.reply import Reply
from app.rest.sets_replies import SetsDryRunReply, SetsReply
from app.rest.shapes import CategoryBody, CategorySetBody, ClassifyBody


async def post_classify(call: Call) -> Reply:
    """Classify one input."""
    body = await call.body(ClassifyBody)
    request = to_request(body)
    if body.schemas is not None or body.category_sets is not None:
        return await _classify_sets(call, body, request)
    if body.dry_run:
        planned = await dry_run(call.services, call.caller, request)
        return Reply(render_dry_run(planned), kept=False)

    def reply(job: Job) -> Reply:
        if job.status is JobStatus.PENDING:
            return Reply(render_promise(str(job.id)), status=202)
        return Reply(render_classification(job, call.services.settings))

    classified = await classify(
        call.services,
        call.caller,
        request,
        started=call.started,
        receipt=lambda job: call.receipt(reply(job)),
    )
    call.used = classified.used
    return reply(classified.job)


async def _classify_sets(call: Call, body: ClassifyBody, request: ClassifyRequest) -> Reply:
    asked = SetsRequest(request, body.schemas, _to_category_sets(body.category_sets))
    if body.dry_run:
        planned = await dry_run_sets(call.services, call.caller, asked)
        return Reply(render_sets_dry_run(planned), kept=False)
    classified = await classify_sets(
        call.services,
        call.caller,
        asked,
        started=call.started,
        receipt=lambda batch: call.receipt(reply_with_batch(batch)),
    )
    call.used = classified.used
    return reply_with_batch(classified.batch)


def reply_with_batch(batch: Batch) -> Reply:
    """Answer with a batch, or with the promise of one."""
    if batch.status is JobStatus.PENDING:
        return Reply(render_promise(batch.id), status=202)
    return Reply(render_batch(batch))


def to_request(body: ClassifyBody) -> ClassifyRequest:
    """Hand a body's values to the domain."""
    return ClassifyRequest(
        input=body.input,
        type=body.type,
        categories=to_categories(body.categories),
        schema=body.schema,
        mode=body.mode,
        top_n=body.top_n,
        threshold=body.threshold,
        explain=body.explain,
        allow_none=body.allow_none,
        min_margin=body.min_margin,
        run_async=body.run_async,
        store=body.store,
    )


def to_categories(bodies: Sequence[str | CategoryBody] | None) -> list[Category] | None:
    """Read categories given as strings or as objects."""
    return None if bodies is None else [_to_category(body) for body in bodies]


def _to_category_sets(
    bodies: Sequence[Sequence[str | CategoryBody] | CategorySetBody] | None,
) -> list[CategorySet] | None:
    if bodies is None:
        return None
    return [
        CategorySet(to_categories(body.categories) or [], body.name)
        if isinstance(body, CategorySetBody)
        else CategorySet(to_categories(body) or [])
        for body in bodies
    ]


def _to_category(body: str | CategoryBody) -> Category:
    if isinstance(body, str):
        return Category(name=body)
    return Category(
        name=body.name, description=body.description, examples=tuple(body.examples or ())
    )


WORK_ERRORS = (
    ErrorCode.MEDIA_UNAVAILABLE,
    ErrorCode.PLAN_RESTRICTION,
    ErrorCode.SCHEMA_NOT_FOUND,
    ErrorCode.RATE_LIMIT_EXCEEDED,
    ErrorCode.BUDGET_EXCEEDED,
    ErrorCode.MODEL_UNAVAILABLE,
)

CLASSIFY = {
    "POST": Operation(
        post_classify,
        name="classify",
        summary="Classify one input, once or against several schemas or category sets",
        body=ClassifyBody,
        reply=ClassifyReply | SetsReply | DryRunReply | SetsDryRunReply,
        promise=PromiseReply,
        errors=WORK_ERRORS,
    )
}
