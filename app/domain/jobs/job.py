"""A job: the durable record of one classification."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from app.domain.errors import ErrorCode
from app.engines.contract import (
    Basis,
    ConfidenceSource,
    Flag,
    InputType,
    Label,
    Mode,
    OutcomeKind,
    Truncated,
)

PREVIEW_LENGTH = 100


class JobStatus(StrEnum):
    """Where a job stands. `completed` and `failed` are final."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing changes any more, unless it is tried again."""
        return self in {JobStatus.COMPLETED, JobStatus.FAILED}


class Priority(IntEnum):
    """In what order waiting jobs are started, the lowest first."""

    INTERACTIVE = 0
    BATCH = 1
    FILE = 2


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed."""

    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True)
class Job:
    """One classification, from acceptance to its end.

    `labels` is what mode and threshold left, best first: None until the job completed. `outcome` is
    None unless the caller allowed none of the categories or wanted a margin. `model` is the
    engine's real model; faces show it under the operator's label. `latency_ms` is from request in
    to result ready. `input_preview` is None when the caller asked that nothing be stored. `item_id`
    is the caller's own id of the item of a batch, or the name of the schema or set of categories of
    one that was asked for several. `truncated` is what the model got only in part, `flags` what is
    worth knowing of the content, `basis` what of other content than text the answer rests on.

    `tokens`, of which `completion_tokens` were written, and `cost`, in nano-dollars, are what all
    attempts took, in vain too; a cost of None is not known. With `cached` no model was asked.
    """

    id: int
    account_id: int
    status: JobStatus
    input_type: InputType
    input_preview: str | None
    mode: Mode
    categories: tuple[str, ...] | None
    schema_id: int | None
    labels: tuple[Label, ...] | None
    error: JobError | None
    model: str | None
    confidence_source: ConfidenceSource | None
    tokens: int | None
    completion_tokens: int | None
    cost: int | None
    latency_ms: int | None
    attempts: int
    created_at: datetime
    completed_at: datetime | None
    batch_id: str | None = None
    item_id: str | None = None
    outcome: OutcomeKind | None = None
    truncated: tuple[Truncated, ...] = ()
    flags: tuple[Flag, ...] = ()
    basis: tuple[Basis, ...] = ()
    cached: bool = False

    @property
    def prompt_tokens(self) -> int | None:
        """The tokens that were read."""
        return None if self.tokens is None else self.tokens - (self.completion_tokens or 0)
