"""The JSON shapes of the documented contract: what comes in, what goes out.

The OpenAPI document is made from these types; ranges stand here for its readers, and are enforced
by the domain. A request field that is null counts as left out.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from app.domain.classification import request as rules
from app.domain.jobs.job import JobStatus
from app.domain.plans import Plan
from app.domain.schemas.schema import SchemaType
from app.engines.contract import ConfidenceSource, InputType, Mode
from app.rest.parameters import MAX_ID


def _about(text: str, **schema: Any) -> Meta:
    return Meta(description=text, extra_json_schema=schema or None)


# The rules of `check_text` and "must not be empty". Python takes a few more characters for white
# space than regular expressions do.
_FILLED = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"
_WITHOUT_NUL = r"^[^\u0000]*$"
_INPUT = _about(
    "The content to classify. A text string, a public URL (image/audio/video), or a base64 data "
    "URI.",
    minLength=1,
    maxLength=rules.MAX_TEXT_LENGTH,
    pattern=_FILLED,
)
_TYPE = _about("Input type. Defaults to text, or to the schema's type.")
_SCHEMA = _about(
    "ID of a saved schema. Overrides categories. Requires Starter or above.",
    minimum=1,
    maximum=MAX_ID,
)
_MODE = _about("How many results to return. Defaults to single, or to the schema's mode.")
_TOP_N = _about(
    f"Number of results for top_n mode. Default {rules.DEFAULT_TOP_N}.",
    minimum=1,
    maximum=rules.MAX_TOP_N,
)
_THRESHOLD = _about(
    "Minimum confidence. Results below it are left out. Default 0.0.", minimum=0.0, maximum=1.0
)
_EXPLAIN = _about("If true, each label comes with what drove it. Default false.")
_STORE = _about("If false, not even the preview of the input is kept. Default true.")
_ASYNC = _about("If true, answer at once with an id to poll. Default false.")
_DRY_RUN = _about(
    "If true, everything is checked as for the real request, the plan and the quota too, and the "
    "answer says what would be counted. Nothing is counted, stored or shown to a model, and an "
    "Idempotency-Key stays free for the real request. Default false."
)


CategoryName = Annotated[
    str,
    _about("The label returned.", minLength=1, maxLength=rules.MAX_NAME_LENGTH, pattern=_FILLED),
]
_Example = Annotated[
    str,
    _about("An input.", minLength=1, maxLength=rules.MAX_EXAMPLE_LENGTH, pattern=_FILLED),
]


class CategoryBody(Struct):
    """A rich category object."""

    name: CategoryName
    description: Annotated[
        str | None,
        _about(
            "What the category means.",
            maxLength=rules.MAX_DESCRIPTION_LENGTH,
            pattern=_WITHOUT_NUL,
        ),
    ] = None
    examples: Annotated[
        list[_Example] | None,
        _about("Inputs that belong to the category.", maxItems=rules.MAX_EXAMPLES),
    ] = None


_CATEGORIES = _about(
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
    run_async: Annotated[bool | None, _ASYNC] = msgspec.field(default=None, name="async")
    store: Annotated[bool | None, _STORE] = None
    dry_run: Annotated[bool | None, _DRY_RUN] = None


class BatchItemBody(Struct):
    """One item of a batch; what it leaves out is as the batch says."""

    input: Annotated[str, _INPUT]
    id: Annotated[str | None, _about("Your own ID, echoed. Default: the item's index.")] = None
    type: Annotated[InputType | None, _TYPE] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    schema: Annotated[int | None, _SCHEMA] = None


class BatchBody(Struct):
    """Several inputs, and the settings that they share."""

    items: Annotated[
        list[BatchItemBody], _about("What to classify: up to the plan's batch size.", minItems=1)
    ]
    type: Annotated[InputType | None, _TYPE] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    schema: Annotated[int | None, _SCHEMA] = None
    mode: Annotated[Mode | None, _MODE] = None
    top_n: Annotated[int | None, _TOP_N] = None
    threshold: Annotated[float | None, _THRESHOLD] = None
    explain: Annotated[bool | None, _EXPLAIN] = None
    run_async: Annotated[bool | None, _ASYNC] = msgspec.field(default=None, name="async")
    store: Annotated[bool | None, _STORE] = None
    dry_run: Annotated[bool | None, _DRY_RUN] = None


_SCHEMA_NAME = _about("Human-readable name.", minLength=1, maxLength=200, pattern=_FILLED)
_SCHEMA_DESCRIPTION = _about(
    "Internal note about what the schema is for.", maxLength=2000, pattern=_WITHOUT_NUL
)
_SCHEMA_TYPE = _about("Input type that the schema is for. Default any.")
_SCHEMA_MODE = _about(
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


class LabelReply(Struct):
    """One label. Both are null when nothing reached the threshold."""

    label: str | None
    confidence: Annotated[float | None, _about("In [0, 1], rounded to 4 places.")]
    explanation: Annotated[str | UnsetType, _about("What drove it, with explain: true.")] = UNSET


class LabelsReply(Struct):
    """The labels of multi and top_n, best first."""

    labels: list[LabelReply]


ResultReply = LabelReply | LabelsReply


class MetaReply(Struct):
    """How an answer came about."""

    model: str | None
    latency_ms: Annotated[int | None, _about("Whole milliseconds from request in to result ready.")]
    tokens: Annotated[int | None, _about("Tokens that the model read of the input.")]
    mode: Mode
    confidence_source: Annotated[ConfidenceSource | None, _about("Where the confidence is from.")]


class ClassifyReply(Struct):
    """A classified input."""

    id: str
    status: JobStatus
    type: InputType
    result: dict[str, Any] | None
    meta: MetaReply
    created_at: str


class PromiseReply(Struct):
    """What will be done without you waiting: poll `/jobs?id=…`, or use a webhook."""

    id: Annotated[str, _about("Of the job, or of the batch.")]
    status: JobStatus


_COUNTED = _about("Requests that would be counted.")
_LEFT = _about("Requests that would be left of the month's limit; null is unlimited.")
_CHOICES = _about("The names to choose from; null for generic labels.")


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
    items: Annotated[list[DryRunItemReply], _about("In the order sent.")]


class ItemErrorReply(Struct):
    """Why a job failed."""

    code: str
    message: str


class JobReply(Struct):
    """The job object. `error` is there when the job failed."""

    id: str
    status: JobStatus
    input_type: InputType
    input_preview: Annotated[str | None, _about("The input's first 100 characters.")]
    result: dict[str, Any] | None
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
    result: dict[str, Any] | UnsetType = UNSET
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
    total_uses: Annotated[int, _about("How many classifications used it.")]
    created_at: str


class SchemaListReply(Struct):
    """A page of schemas, newest first."""

    schemas: list[SchemaReply]
    total: int
    limit: int
    offset: int


class UsageLimitsReply(Struct):
    """What the plan allows. Unlimited is null."""

    requests: int | None
    resets_at: str
    media: bool
    schemas: int | None
    batch_size: int


class UsageByTypeReply(Struct):
    """Requests by input type."""

    text: int
    image: int
    audio: int
    video: int


class UsageCountsReply(Struct):
    """What was used. `remaining` is null when unlimited."""

    requests: int
    remaining: int | None
    by_type: UsageByTypeReply
    tokens: int


class UsageReply(Struct):
    """A month's usage against the plan's limits."""

    period: str
    plan: Plan
    limits: UsageLimitsReply
    usage: UsageCountsReply


class PlanReply(Struct):
    """What a plan allows. Unlimited is null."""

    plan: Plan
    requests: Annotated[int | None, _about("Requests a month.")]
    batch_size: Annotated[int, _about("Items in a batch.")]
    input_types: Annotated[list[InputType], _about("The kinds of content it may classify.")]
    custom_categories: Annotated[bool, _about("Whether requests may bring their own categories.")]
    schemas: Annotated[int | None, _about("Saved schemas.")]
    api_keys: Annotated[int | None, _about("Live API keys.")]
    webhooks: Annotated[int | None, _about("Webhooks.")]
    history_days: Annotated[int | None, _about("Days for which jobs stay readable.")]
    explain: Annotated[bool, _about("Whether answers may come with explanations.")]
    async_jobs: Annotated[bool, _about("Whether jobs may be asked for without waiting.")]


class PlanListReply(Struct):
    """Every plan, cheapest first."""

    plans: list[PlanReply]


class ErrorBody(Struct):
    """An error. Further members go with its code."""

    code: str
    message: str
    docs: str
    field: Annotated[str | UnsetType, _about("The field that is wrong.")] = UNSET


class ErrorReply(Struct):
    """The body of every answer that is not a success."""

    error: ErrorBody
