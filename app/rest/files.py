"""`POST /batch/files`, and the results of a batch as lines."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from app.domain.batches.batch import Batch
from app.domain.errors import ErrorCode
from app.domain.files.file import MAX_LINES, FileRequest
from app.domain.files.results import open_results
from app.domain.files.submit import dry_run_file, submit_file
from app.http.file_body import CSV_TYPE, FORM_TYPE, JSONL_TYPE, SentFile, read_file
from app.rest.call import Call, encode
from app.rest.classify import WORK_ERRORS, to_categories
from app.rest.described import REF
from app.rest.file_options import read_options
from app.rest.operation import Operation, Parameter
from app.rest.parameters import REQUIRED_BATCH_ID
from app.rest.rendering import render_batch, render_file_dry_run
from app.rest.replies import BatchReply, FileDryRunReply
from app.rest.reply import Reply, Stream
from app.rest.shapes import FileOptions

# Sent together: a line alone is far smaller than what a network carries.
_CHUNK_LINES = 500


async def post_file(call: Call) -> Reply:
    """Promise to classify the lines of a file."""
    sent = await read_file(call.request, await call.raw_body())
    options = read_options({**call.request.query_params, **sent.fields})
    request = _to_request(sent, options)
    if options.dry_run:
        planned = await dry_run_file(call.services, call.caller, request)
        return Reply(render_file_dry_run(planned), kept=False)
    promised = await submit_file(
        call.services, call.caller, request, receipt=lambda batch: call.receipt(_reply(batch))
    )
    call.used = promised.used
    return _reply(promised.batch)


def _reply(batch: Batch) -> Reply:
    return Reply(render_batch(batch), status=202)


def _to_request(sent: SentFile, options: FileOptions) -> FileRequest:
    return FileRequest(
        content=sent.content,
        format=sent.format,
        type=options.type,
        categories=to_categories(options.categories),
        schema=options.schema,
        mode=options.mode,
        top_n=options.top_n,
        threshold=options.threshold,
        explain=options.explain,
        allow_none=options.allow_none,
        min_margin=options.min_margin,
        store=options.store,
    )


async def get_results(call: Call) -> Stream:
    """Return the results of a batch as JSON Lines, in the order sent."""
    results = await open_results(
        call.services,
        call.account,
        call.required_batch_id(),
        partial=call.query_flag("partial"),
    )
    return Stream(_as_lines(results), JSONL_TYPE)


async def _as_lines(results: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    lines: list[bytes] = []
    async for result in results:
        lines.append(encode(result) + b"\n")
        if len(lines) == _CHUNK_LINES:
            yield b"".join(lines)
            lines.clear()
    if lines:
        yield b"".join(lines)


def _option_schemas() -> dict[str, dict[str, Any]]:
    _, components = msgspec.json.schema_components([FileOptions], ref_template=REF)
    described: dict[str, dict[str, Any]] = components["FileOptions"]["properties"]
    described["categories"] = {
        "type": "string",
        "minLength": 1,
        "description": "Names separated by commas, or a JSON array of names or category objects. "
        "Leave out for generic labels. Requires Starter or above.",
    }
    return {name: _as_text(schema) for name, schema in described.items()}


def _as_text(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Leave null out of a schema: a text is there or not."""
    described = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    for alternative in schema.get("anyOf", ()):
        if alternative.get("type") != "null":
            described |= alternative
    return described


_OPTIONS = _option_schemas()
_FILE = (
    f"UTF-8, up to {MAX_LINES:,} lines. CSV has a header with a column `input` or `text`, and may "
    "have `id` and `type`. A line of JSON Lines (`application/x-ndjson` too) is an item as in "
    "`/batch`, with `input` or `text`. A line without an `id` is called by its number."
)
_TEXT = {"type": "string", "minLength": 1, "description": _FILE}

FILES = {
    "POST": Operation(
        post_file,
        name="createBatchFile",
        summary="Classify the lines of a file",
        reply=FileDryRunReply,
        promise=BatchReply,
        consumes={
            **dict.fromkeys((CSV_TYPE, JSONL_TYPE), _TEXT),
            FORM_TYPE: {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": _FILE},
                    **_OPTIONS,
                },
                "required": ["file"],
            },
        },
        query=tuple(
            Parameter(name, schema.pop("description", ""), schema)
            for name, schema in ((name, dict(schema)) for name, schema in _OPTIONS.items())
        ),
        errors=WORK_ERRORS,
    )
}
RESULTS = {
    "GET": Operation(
        get_results,
        name="getBatchResults",
        summary="The results of a batch as JSON Lines, in the order sent",
        reply=None,
        produces={
            JSONL_TYPE: {
                "type": "string",
                "description": "A line each: an entry of a batch's `results`.",
            }
        },
        query=(
            REQUIRED_BATCH_ID,
            Parameter(
                "partial",
                "If true, return what has ended so far. Default false: 409 until all have.",
                {"type": "boolean", "default": False},
            ),
        ),
        errors=(ErrorCode.JOB_NOT_FOUND, ErrorCode.CONFLICT),
    )
}
