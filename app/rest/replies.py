"""The JSON shapes of the documented contract: what goes out."""

from typing import Annotated, Any

from msgspec import UNSET, Struct, UnsetType

from app.domain.jobs.job import JobStatus
from app.domain.schemas.schema import SchemaType
from app.engines.contract import ConfidenceSource, InputType, Mode, OutcomeKind
from app.rest.described import about

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
