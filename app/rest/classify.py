"""`POST /classify`."""

from collections.abc import Sequence

from app.domain.classification.classify import classify
from app.domain.classification.dry_run import dry_run
from app.domain.classification.request import ClassifyRequest
from app.domain.errors import ErrorCode
from app.domain.jobs.job import Job, JobStatus
from app.engines.contract import Category
from app.rest.call import Call
from app.rest.operation import Operation
from app.rest.rendering import render_classification, render_dry_run, render_promise
from app.rest.replies import ClassifyReply, DryRunReply, PromiseReply
from app.rest.reply import Reply
from app.rest.shapes import CategoryBody, ClassifyBody


async def post_classify(call: Call) -> Reply:
    """Classify one input."""
    body = await call.body(ClassifyBody)
    request = to_request(body)
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


def _to_category(body: str | CategoryBody) -> Category:
    if isinstance(body, str):
        return Category(name=body)
    return Category(
        name=body.name, description=body.description, examples=tuple(body.examples or ())
    )


WORK_ERRORS = (
    ErrorCode.PLAN_RESTRICTION,
    ErrorCode.SCHEMA_NOT_FOUND,
    ErrorCode.RATE_LIMIT_EXCEEDED,
    ErrorCode.MODEL_UNAVAILABLE,
)

CLASSIFY = {
    "POST": Operation(
        post_classify,
        name="classify",
        summary="Classify one input",
        body=ClassifyBody,
        reply=ClassifyReply | DryRunReply,
        promise=PromiseReply,
        errors=WORK_ERRORS,
    )
}
