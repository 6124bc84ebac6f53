"""The JSON shapes of the documented contract: what goes out."""

from typing import Annotated, Any

from msgspec import UNSET, Struct, UnsetType

from app.domain.jobs.job import JobStatus
from app.domain.schemas.schema import SchemaType
from app.engines.contract import (
    Basis,
    ConfidenceSource,
    Flag,
    InputType,
    Mode,
    OutcomeKind,
    Truncated,
)
from app.rest.described import DOLLARS, Moment, about, either

ID = about("The job's id: an integer, written as a string.", examples=["84"], pattern="^[0-9]+$")
BATCH_ID = about("The batch's id.", examples=["batch_6612abc0f1d2e3a4b5c6d7e8"])
STATUS = about("pending, processing, completed or failed. The last two are final.")
INPUT_TYPE = about("The kind of content.")
CREATED = about("When it was accepted.")
_LATENCY = about(
    "Whole milliseconds from request in to result ready; null until then.", examples=[218]
)
_LABEL = about(
    "The category's name. Null with a confidence is none of the categories, with allow_none; null "
    "without one, nothing reached the threshold.",
    examples=["finance"],
)
_CONFIDENCE = about(
    "In [0, 1], rounded to 4 places; null when nothing reached the threshold.",
    minimum=0,
    maximum=1,
    examples=[0.94],
)

_OUTCOME = about(
    "There with allow_none or min_margin. matched: a category fits. none_of_the_above: more likely "
    "than every category, in single and top_n; in multi, no category reaches the threshold and "
    "none is more likely than not. unsure: the margin is below min_margin, or the best is below "
    "the threshold."
)


class LabelReply(Struct):
    """One label. Both are null when nothing reached the threshold."""

    label: Annotated[str | None, _LABEL]
    confidence: Annotated[float | None, _CONFIDENCE]
    explanation: Annotated[str | UnsetType, about("What drove it, with explain: true.")] = UNSET
    outcome: Annotated[OutcomeKind | UnsetType, _OUTCOME] = UNSET


class LabelsReply(Struct):
    """The labels of multi and top_n, best first."""

    labels: Annotated[list[LabelReply], about("Best first; empty when none reached the threshold.")]
    outcome: Annotated[OutcomeKind | UnsetType, _OUTCOME] = UNSET


# msgspec has no unions of shapes without a tag, which the contract's have not: `Any` leaves the
# schema to what is told here.
_ONE_OR_SEVERAL = (
    "One label in mode single, the labels in multi and top_n. With allow_none or min_margin it has "
    "an outcome: matched, none_of_the_above or unsure."
)
RESULT = about(_ONE_OR_SEVERAL, anyOf=either(LabelReply, LabelsReply))
_RESULT_OR_NULL = about(
    f"{_ONE_OR_SEVERAL} Null until the job completed.",
    anyOf=either(LabelReply, LabelsReply, None),
)


BASIS = about(
    "What the answer rests on: of an image its pixels or the text in it (ocr), of audio its sound "
    "or what is said (transcript), of video its frames besides. Left out for text."
)


PROMPT_TOKENS = about("Of all tokens, those that were read; null until some were.", examples=[124])
COMPLETION_TOKENS = about(
    "Of all tokens, those that a model wrote; null until one was asked.", examples=[0]
)
COST = about(
    "What the job's models cost so far, in US dollars, those that were asked in vain too. Null "
    "when it is not known; the embedded model costs 0.",
    pattern=DOLLARS,
    examples=["0.0000165"],
)


CACHED = about("Whether the very same task had been answered before, and no model was asked.")


class MetaReply(Struct):
    """How an answer came about."""

    model: Annotated[
        str | None, about("The model's name; null until one answered.", examples=["classifai-v1"])
    ]
    latency_ms: Annotated[int | None, _LATENCY]
    tokens: Annotated[
        int | None,
        about("Tokens that the model read of the input; null until it did.", examples=[124]),
    ]
    prompt_tokens: Annotated[int | None, PROMPT_TOKENS]
    completion_tokens: Annotated[int | None, COMPLETION_TOKENS]
    cost: Annotated[str | None, COST]
    cached: Annotated[bool, CACHED]
    mode: Annotated[Mode, about("How many labels were asked for.")]
    confidence_source: Annotated[
        ConfidenceSource | None, about("Where the confidence is from; null until there is one.")
    ]
    truncated: Annotated[
        list[Truncated],
        about("What was cut to fit the model, of the input and the categories' examples."),
    ]
    flags: Annotated[
        list[Flag],
        about(
            "What is worth knowing of the input. instructions: it gives orders to the model, which "
            "are not followed."
        ),
    ]
    basis: Annotated[list[Basis] | UnsetType, BASIS] = UNSET


class ClassifyReply(Struct):
    """A classified input."""

    id: Annotated[str, ID]
    status: Annotated[JobStatus, STATUS]
    type: Annotated[InputType, INPUT_TYPE]
    result: Annotated[Any, _RESULT_OR_NULL]
    meta: Annotated[MetaReply, about("How the answer came about.")]
    created_at: Annotated[Moment, CREATED]


class PromiseReply(Struct):
    """What will be done without you waiting: poll `/jobs?id=…`, or use a webhook."""

    id: Annotated[str, about("Of the job, or of the batch.", examples=["86"])]
    status: Annotated[JobStatus, about("pending.")]


DRY_RUN = about("True: nothing was done.")
COUNTED = about("Requests that would be counted.", examples=[1])
LEFT = about(
    "Requests that would be left of the month's limit; null is unlimited.", examples=[6578]
)
CHOICES = about("The names to choose from; null for generic labels.")
MODE = about("How many labels would be asked for.")
_SCHEMA_ID = about("The schema's id; null when there is none.", examples=[42])


class DryRunReply(Struct):
    """What a classification would be, with dry_run: true."""

    dry_run: Annotated[bool, DRY_RUN]
    requests: Annotated[int, COUNTED]
    remaining_after: Annotated[int | None, LEFT]
    type: Annotated[InputType, INPUT_TYPE]
    mode: Annotated[Mode, MODE]
    categories: Annotated[tuple[str, ...] | None, CHOICES]
    schema_id: Annotated[int | None, _SCHEMA_ID]


_ITEM_ID = about("Your own id of the item, or its index.", examples=["ticket_1001"])


class DryRunItemReply(Struct):
    """What an item of a batch would be."""

    id: Annotated[str, _ITEM_ID]
    type: Annotated[InputType, INPUT_TYPE]
    mode: Annotated[Mode, MODE]
    categories: Annotated[tuple[str, ...] | None, CHOICES]
    schema_id: Annotated[int | None, _SCHEMA_ID]


class BatchDryRunReply(Struct):
    """What a batch would be, with dry_run: true."""

    dry_run: Annotated[bool, DRY_RUN]
    requests: Annotated[int, COUNTED]
    remaining_after: Annotated[int | None, LEFT]
    items: Annotated[list[DryRunItemReply], about("In the order sent.")]


class ItemErrorReply(Struct):
    """Why a job failed."""

    code: Annotated[str, about("The code of the error.", examples=["model_unavailable"])]
    message: Annotated[str, about("What went wrong, for people.")]


class RefusedLineReply(Struct):
    """A line of a file that can't be judged."""

    id: Annotated[str, about("The line's id, or its number.", examples=["ticket_1002"])]
    error: Annotated[ItemErrorReply, about("Why; the message names the line by its number.")]


class FileDryRunReply(Struct):
    """What a file would be, with dry_run: true."""

    dry_run: Annotated[bool, DRY_RUN]
    requests: Annotated[int, COUNTED]
    remaining_after: Annotated[int | None, LEFT]
    total: Annotated[int, about("Lines in all.", examples=[3])]
    failed: Annotated[int, about("Lines that would fail at once.", examples=[1])]
    errors: Annotated[list[RefusedLineReply], about("The first 100 of these.")]


ERROR = about("Why it failed; there only when it did.")


class JobReply(Struct):
    """The job object. `error` is there when the job failed."""

    id: Annotated[str, ID]
    status: Annotated[JobStatus, STATUS]
    input_type: Annotated[InputType, INPUT_TYPE]
    input_preview: Annotated[
        str | None,
        about(
            "The input's first 100 characters; null with store: false.",
            examples=["Our server costs doubled..."],
        ),
    ]
    result: Annotated[Any, _RESULT_OR_NULL]
    categories: Annotated[
        list[str] | None, about("The names to choose from; null for generic labels.")
    ]
    schema_id: Annotated[int | None, _SCHEMA_ID]
    model_used: Annotated[
        str | None, about("The model's name; null until one answered.", examples=["classifai-v1"])
    ]
    tokens_used: Annotated[
        int | None,
        about("Tokens that the model read of the input; null until it did.", examples=[124]),
    ]
    prompt_tokens: Annotated[int | None, PROMPT_TOKENS]
    completion_tokens: Annotated[int | None, COMPLETION_TOKENS]
    cost: Annotated[str | None, COST]
    cached: Annotated[bool, CACHED]
    latency_ms: Annotated[int | None, _LATENCY]
    created_at: Annotated[Moment, CREATED]
    completed_at: Annotated[Moment | None, about("When it ended; null while it runs.")]
    error: Annotated[ItemErrorReply | UnsetType, ERROR] = UNSET
    basis: Annotated[list[Basis] | UnsetType, BASIS] = UNSET
    input: Annotated[
        str | UnsetType,
        about("The whole input, of a job that is read alone; only where the account retains it."),
    ] = UNSET


_TOTAL = about("How many there are in all.", examples=[3421])
_LIMIT = about("How many a page holds at most.", examples=[20])
_OFFSET = about("How many come before this page.", examples=[0])


class JobListReply(Struct):
    """A page of jobs, newest first."""

    jobs: Annotated[list[JobReply], about("Newest first.")]
    total: Annotated[int, _TOTAL]
    limit: Annotated[int, _LIMIT]
    offset: Annotated[int, _OFFSET]


class BatchItemReply(Struct):
    """One item of a batch: `result` when it completed, `error` when it failed."""

    id: Annotated[str, _ITEM_ID]
    status: Annotated[JobStatus, STATUS]
    result: Annotated[Any, RESULT] = UNSET
    error: Annotated[ItemErrorReply | UnsetType, ERROR] = UNSET
    basis: Annotated[list[Basis] | UnsetType, BASIS] = UNSET


class BatchMetaReply(Struct):
    """Counts of a batch."""

    total: Annotated[int, about("Items in all.", examples=[3])]
    completed: Annotated[int, about("Items that completed so far.", examples=[3])]
    failed: Annotated[int, about("Items that failed so far.", examples=[0])]
    latency_ms: Annotated[int | None, _LATENCY]


class BatchReply(Struct):
    """A batch. `results` is there once every item has ended."""

    id: Annotated[str, BATCH_ID]
    status: Annotated[JobStatus, about("failed when every item failed.")]
    meta: Annotated[BatchMetaReply, about("Counts.")]
    created_at: Annotated[Moment, CREATED]
    results: Annotated[
        list[BatchItemReply] | UnsetType,
        about("In the order sent; there once every item has ended."),
    ] = UNSET


class CategoryReply(Struct):
    """A rich category object, with what it was given."""

    name: Annotated[str, about("The label returned.", examples=["billing"])]
    description: Annotated[str | UnsetType, about("What the category means.")] = UNSET
    examples: Annotated[list[str] | UnsetType, about("Inputs that belong to it.")] = UNSET


class SchemaReply(Struct):
    """A saved schema."""

    id: Annotated[int, about("The schema's id.", examples=[42])]
    name: Annotated[str, about("Human-readable name.", examples=["Support Ticket Topics"])]
    description: Annotated[str | None, about("Internal note; null when there is none.")]
    categories: Annotated[
        list[str | CategoryReply],
        about("Names when that is all they are, else category objects."),
    ]
    type: Annotated[SchemaType, about("The input type that it is for.")]
    mode: Annotated[Mode, about("The mode of requests that name none.")]
    total_uses: Annotated[int, about("How many classifications used it.", examples=[0])]
    created_at: Annotated[Moment, about("When it was saved first.")]
    model: Annotated[
        str | UnsetType, about("The models that judge for it; there only when some were chosen.")
    ] = UNSET


class SchemaListReply(Struct):
    """A page of schemas, newest first."""

    schemas: Annotated[list[SchemaReply], about("Newest first.")]
    total: Annotated[int, _TOTAL]
    limit: Annotated[int, _LIMIT]
    offset: Annotated[int, _OFFSET]
