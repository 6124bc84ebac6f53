"""The JSON shapes of the documented contract: what comes in, what goes out.

The OpenAPI document is made from these types; ranges stand here for its readers, and are enforced
by the domain. A request field that is null counts as left out.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from app.domain.classification import request as rules
from app.domain.jobs.job import JobStatus
from app.domain.schemas.schema import SchemaType
from app.engines.contract import ConfidenceSource, InputType, Mode, OutcomeKind, Truncated
from app.rest.parameters import MAX_ID


def about(text: str, **schema: Any) -> Meta:
    """Describe a field; `schema` holds further keywords of JSON Schema."""
    return Meta(description=text, extra_json_schema=schema or None)


# The rules of `check_text` and "must not be empty". Python takes a few more characters for white
# space than regular expressions do.
_FILLED = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"
_WITHOUT_NUL = r"^[^\u0000]*$"
_INPUT = about(
    "The content to classify. A text string, a public URL (image/audio/video), or a base64 data "
    "URI.",
    minLength=1,
    maxLength=rules.MAX_TEXT_LENGTH,
    pattern=_FILLED,
)
_TYPE = about("Input type. Defaults to text, or to the schema's type.")
_SCHEMA = about(
    "ID of a saved schema. Overrides categories. Requires Starter or above.",
    minimum=1,
    maximum=MAX_ID,
)
_MODE = about("How many results to return. Defaults to single, or to the schema's mode.")
_TOP_N = about(
    f"Number of results for top_n mode. Default {rules.DEFAULT_TOP_N}.",
    minimum=1,
    maximum=rules.MAX_TOP_N,
)
_THRESHOLD = about(
    "Minimum confidence. Results below it are left out. Default 0.0.", minimum=0.0, maximum=1.0
)
_EXPLAIN = about("If true, each label comes with what drove it. Default false.")
_ALLOW_NONE = about(
    "If true, the input may belong to none of the categories. single and top_n: the distribution "
    "is over the categories and none, whose entry has the label null. The result gets an outcome. "
    "Default false."
)
_MIN_MARGIN = about(
    "How far the answer has to be from the next one, else its outcome is unsure. single and top_n: "
    "between the first two confidences. multi: between each category's confidence and the "
    "threshold, or 0.5 when that is 0. The result gets an outcome. Default: any.",
    minimum=0.0,
    maximum=1.0,
)
_STORE = about("If false, not even the preview of the input is kept. Default true.")
_ASYNC = about("If true, answer at once with an id to poll. Default false.")
_DRY_RUN = about(
    "If true, everything is checked as for the real request, the plan and the quota too, and the "
    "answer says what would be counted. Nothing is counted, stored or shown to a model, and an "
    "Idempotency-Key stays free for the real request. Default false."
)


CategoryName = Annotated[
    str,
    about("The label returned.", minLength=1, maxLength=rules.MAX_NAME_LENGTH, pattern=_FILLED),
]
_Example = Annotated[
    str,
    about("An input.", minLength=1, maxLength=rules.MAX_EXAMPLE_LENGTH, pattern=_FILLED),
]


class CategoryBody(Struct):
    """A rich category object."""

    name: CategoryName
    description: Annotated[
        str | None,
        about(
            "What the category means.",
            maxLength=rules.MAX_DESCRIPTION_LENGTH,
            pattern=_WITHOUT_NUL,
        ),
    ] = None
    examples: Annotated[
        list[_Example] | None,
        about("Inputs that belong to the category.", maxItems=rules.MAX_EXAMPLES),
    ] = None


_CATEGORIES = about(
    "Names or category objects; names are unique. Omit for generic labels. "
    "Requires Starter or above.",
    minItems=1,
    maxItems=rules.MAX_CATEGORIES,
    uniqueItems=True,
)


class ClassifyBody(Struct):
    """What to classify, and how."""

    input: Annotated[str, _INPUT]
    type: Annotated[InputType | None, _TYPE] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    schema: Annotated[int | None, _SCHEMA] = None
    mode: Annotated[Mode | None, _MODE] = None
    top_n: Annotated[int | None, _TOP_N] = None
    threshold: Annotated[float | None, _THRESHOLD] = None
    explain: Annotated[bool | None, _EXPLAIN] = None
    allow_none: Annotated[bool | None, _ALLOW_NONE] = None
    min_margin: Annotated[float | None, _MIN_MARGIN] = None
    run_async: Annotated[bool | None, _ASYNC] = msgspec.field(default=None, name="async")
    store: Annotated[bool | None, _STORE] = None
    dry_run: Annotated[bool | None, _DRY_RUN] = None


class BatchItemBody(Struct):
    """One item of a batch; what it leaves out is as the batch says."""

    input: Annotated[str, _INPUT]
    id: Annotated[str | None, about("Your own ID, echoed. Default: the item's index.")] = None
    type: Annotated[InputType | None, _TYPE] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    schema: Annotated[int | None, _SCHEMA] = None


class BatchBody(Struct):
    """Several inputs, and the settings that they share."""

    items: Annotated[
        list[BatchItemBody], about("What to classify: up to the plan's batch size.", minItems=1)
    ]
    type: Annotated[InputType | None, _TYPE] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    schema: Annotated[int | None, _SCHEMA] = None
    mode: Annotated[Mode | None, _MODE] = None
    top_n: Annotated[int | None, _TOP_N] = None
    threshold: Annotated[float | None, _THRESHOLD] = None
    explain: Annotated[bool | None, _EXPLAIN] = None
    allow_none: Annotated[bool | None, _ALLOW_NONE] = None
    min_margin: Annotated[float | None, _MIN_MARGIN] = None
    run_async: Annotated[bool | None, _ASYNC] = msgspec.field(default=None, name="async")
    store: Annotated[bool | None, _STORE] = None
    dry_run: Annotated[bool | None, _DRY_RUN] = None


_SCHEMA_NAME = about("Human-readable name.", minLength=1, maxLength=200, pattern=_FILLED)
_SCHEMA_DESCRIPTION = about(
    "Internal note about what the schema is for.", maxLength=2000, pattern=_WITHOUT_NUL
)
_SCHEMA_TYPE = about("Input type that the schema is for. Default any.")
_SCHEMA_MODE = about(
    "Default mode: single or multi. Default single.", enum=[Mode.SINGLE, Mode.MULTI, None]
)


class SchemaBody(Struct):
    """A schema to save."""

    name: Annotated[str, _SCHEMA_NAME]
    categories: Annotated[list[CategoryName | CategoryBody], _CATEGORIES]
    description: Annotated[str | None, _SCHEMA_DESCRIPTION] = None
    type: Annotated[SchemaType | None, _SCHEMA_TYPE] = None
    mode: Annotated[Mode | None, _SCHEMA_MODE] = None


class SchemaChangeBody(Struct):
    """What to change of a schema; what is left out stays. A null description is taken away."""

    name: Annotated[str | None, _SCHEMA_NAME] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    description: Annotated[str | UnsetType | None, _SCHEMA_DESCRIPTION] = UNSET
    type: Annotated[SchemaType | None, _SCHEMA_TYPE] = None
    mode: Annotated[Mode | None, _SCHEMA_MODE] = None


_OUTCOME = about(
    "There with allow_none or min_margin. matched: a category fits. none_of_the_above: more likely "
    "than every category, in single and top_n; in multi, no category reaches the threshold and "
    "none is more likely than not. unsure: the margin is below min_margin, or the best is below "
    "the threshold."
)
_RESULT = about(
    "single: label, confidence. multi and top_n: labels, best first, each with label and "
    "confidence. A null label with a confidence is none of the categories, with allow_none; both "
    "are null when the best is below the threshold. With explain: true, explanation beside each "
    "label. With allow_none or min_margin, outcome: matched, none_of_the_above or unsure."
)


class LabelReply(Struct):
    """One label. Both are null when nothing reached the threshold."""

    label: Annotated[str | None, about("Null with a confidence: none of the categories.")]
    confidence: Annotated[float | None, about("In [0, 1], rounded to 4 places.")]
    explanation: Annotated[str | UnsetType, about("What drove it, with explain: true.")] = UNSET
    outcome: Annotated[OutcomeKind | UnsetType, _OUTCOME] = UNSET


class LabelsReply(Struct):
    """The labels of multi and top_n, best first."""

    labels: list[LabelReply]
    outcome: Annotated[OutcomeKind | UnsetType, _OUTCOME] = UNSET


ResultReply = LabelReply | LabelsReply


class MetaReply(Struct):
    """How an answer came about."""

    model: str | None
    latency_ms: Annotated[int | None, about("Whole milliseconds from request in to result ready.")]
    tokens: Annotated[int | None, about("Tokens that the model read of the input.")]
    mode: Mode
    confidence_source: Annotated[ConfidenceSource | None, about("Where the confidence is from.")]
    truncated: Annotated[
        list[Truncated],
        about("What was cut to fit the model, of the input and the categories' examples."),
    ]


class ClassifyReply(Struct):
    """A classified input."""

    id: str
    status: JobStatus
    type: InputType
    result: Annotated[dict[str, Any] | None, _RESULT]
    meta: MetaReply
    created_at: str


class PromiseReply(Struct):
    """What will be done without you waiting: poll `/jobs?id=…`, or use a webhook."""

    id: Annotated[str, about("Of the job, or of the batch.")]
    status: JobStatus


_COUNTED = about("Requests that would be counted.")
_LEFT = about("Requests that would be left of the month's limit; null is unlimited.")
_CHOICES = about("The names to choose from; null for generic labels.")


class DryRunReply(Struct):
    """What a classification would be, with dry_run: true."""

    dry_run: bool
    requests: Annotated[int, _COUNTED]
    remaining_after: Annotated[int | None, _LEFT]
    type: InputType
    mode: Mode
    categories: Annotated[tuple[str, ...] | None, _CHOICES]
    schema_id: int | None


class DryRunItemReply(Struct):
    """What an item of a batch would be."""

    id: str
    type: InputType
    mode: Mode
    categories: Annotated[tuple[str, ...] | None, _CHOICES]
    schema_id: int | None


class BatchDryRunReply(Struct):
    """What a batch would be, with dry_run: true."""

    dry_run: bool
    requests: Annotated[int, _COUNTED]
    remaining_after: Annotated[int | None, _LEFT]
    items: Annotated[list[DryRunItemReply], about("In the order sent.")]


class ItemErrorReply(Struct):
    """Why a job failed."""

    code: str
    message: str


class JobReply(Struct):
    """The job object. `error` is there when the job failed."""

    id: str
    status: JobStatus
    input_type: InputType
    input_preview: Annotated[str | None, about("The input's first 100 characters.")]
    result: Annotated[dict[str, Any] | None, _RESULT]
    categories: list[str] | None
    schema_id: int | None
    model_used: str | None
    tokens_used: int | None
    latency_ms: int | None
    created_at: str
    completed_at: str | None
    error: ItemErrorReply | UnsetType = UNSET


class JobListReply(Struct):
    """A page of jobs, newest first."""

    jobs: list[JobReply]
    total: int
    limit: int
    offset: int


class BatchItemReply(Struct):
    """One item of a batch, in the order sent."""

    id: str
    status: JobStatus
    result: Annotated[dict[str, Any] | UnsetType, _RESULT] = UNSET
    error: ItemErrorReply | UnsetType = UNSET


class BatchMetaReply(Struct):
    """Counts of a batch."""

    total: int
    completed: int
    failed: int
    latency_ms: int | None


class BatchReply(Struct):
    """A batch. `results` is there once every item has ended."""

    id: str
    status: JobStatus
    meta: BatchMetaReply
    created_at: str
    results: list[BatchItemReply] | UnsetType = UNSET


class SchemaReply(Struct):
    """A saved schema."""

    id: int
    name: str
    description: str | None
    categories: list[str | dict[str, Any]]
    type: SchemaType
    mode: Mode
    total_uses: Annotated[int, about("How many classifications used it.")]
    created_at: str


class SchemaListReply(Struct):
    """A page of schemas, newest first."""

    schemas: list[SchemaReply]
    total: int
    limit: int
    offset: int


class ErrorBody(Struct):
    """An error. Further members go with its code."""

    code: str
    message: str
    docs: str
    field: Annotated[str | UnsetType, about("The field that is wrong.")] = UNSET


class ErrorReply(Struct):
    """The body of every answer that is not a success."""

    error: ErrorBody
