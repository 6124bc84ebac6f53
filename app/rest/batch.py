"""`POST /batch`."""

from app.domain.batches.batch import BatchItemRequest, BatchRequest
from app.domain.batches.classify_batch import classify_batch
from app.domain.batches.dry_run import dry_run_batch
from app.rest.call import Call
from app.rest.classify import WORK_ERRORS, reply_with_batch, to_categories
from app.rest.operation import Operation
from app.rest.rendering import render_batch_dry_run
from app.rest.replies import BatchDryRunReply, BatchReply, PromiseReply
from app.rest.reply import Reply
from app.rest.shapes import BatchBody, BatchItemBody


async def post_batch(call: Call) -> Reply:
    """Classify several inputs and answer when every one has ended."""
    body = await call.body(BatchBody)
    request = _to_request(body)
    if body.dry_run:
        planned = await dry_run_batch(call.services, call.caller, request)
        return Reply(render_batch_dry_run(planned), kept=False)
    classified = await classify_batch(
        call.services,
        call.caller,
        request,
        started=call.started,
        receipt=lambda batch: call.receipt(reply_with_batch(batch)),
    )
    call.used = classified.used
    return reply_with_batch(classified.batch)


def _to_request(body: BatchBody) -> BatchRequest:
    return BatchRequest(
        items=[_to_item(item) for item in body.items],
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


def _to_item(item: BatchItemBody) -> BatchItemRequest:
    return BatchItemRequest(
        input=item.input,
        id=item.id,
        type=item.type,
        categories=to_categories(item.categories),
        schema=item.schema,
    )


BATCH = {
    "POST": Operation(
        post_batch,
        name="classifyBatch",
        summary="Classify several inputs",
        body=BatchBody,
        reply=BatchReply | BatchDryRunReply,
        promise=PromiseReply,
        errors=WORK_ERRORS,
    )
}
