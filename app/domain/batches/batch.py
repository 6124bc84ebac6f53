"""A batch: several classifications asked for at once, each one a job of its own."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.jobs.job import Job, JobStatus
from app.engines.contract import Category, InputType, Mode

MAX_ITEM_ID_LENGTH = 200
#: Of an id: what a table keeps of one is 40 characters.
ID_PATTERN = "batch_[0-9a-f]{1,32}"


class BatchKind(StrEnum):
    """What the caller sent: items in a request, one input for several sets, or a file of lines."""

    BATCH = "batch"
    SETS = "sets"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class BatchItemRequest:
    """One item as asked for. None means: as the batch says."""

    input: str
    id: str | None = None
    type: InputType | None = None
    categories: Sequence[Category] | None = None
    schema: int | None = None


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """A batch as asked for. None means: not given."""

    items: Sequence[BatchItemRequest]
    type: InputType | None = None
    categories: Sequence[Category] | None = None
    schema: int | None = None
    mode: Mode | None = None
    top_n: int | None = None
    threshold: float | None = None
    explain: bool | None = None
    allow_none: bool | None = None
    min_margin: float | None = None
    run_async: bool | None = None
    store: bool | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch and its jobs, in the order sent.

    `jobs` is empty where only the progress was read; those of a file are read page by page.
    `status` is `failed` when every item failed. `latency_ms` is from request in to results ready,
    None until then.
    """

    id: str
    account_id: int
    kind: BatchKind
    status: JobStatus
    total: int
    completed: int
    failed: int
    latency_ms: int | None
    jobs: tuple[Job, ...]
    created_at: datetime
    completed_at: datetime | None


def new_batch_id() -> str:
    """Make an id: `batch_` and 96 random bits in hex."""
    return f"batch_{secrets.token_hex(12)}"


def is_batch_id(text: str) -> bool:
    """Tell whether a string could be a batch's id."""
    return re.fullmatch(ID_PATTERN, text) is not None
