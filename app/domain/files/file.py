"""A file of lines to classify, as sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import Error
from app.domain.jobs.job import Job
from app.engines.contract import Category, InputType, Mode

# A file is held in memory while it is read; far more lines than this do not fit into a request.
MAX_LINES = 50_000


class FileFormat(StrEnum):
    """How the lines are written."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class FileRequest:
    """A file as sent, and the settings that its lines share. None means: not given."""

    content: bytes
    format: FileFormat
    type: InputType | None = None
    categories: Sequence[Category] | None = None
    schema: int | None = None
    mode: Mode | None = None
    top_n: int | None = None
    threshold: float | None = None
    explain: bool | None = None
    allow_none: bool | None = None
    min_margin: float | None = None
    store: bool | None = None


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that can't be judged; the error names it by its number."""

    item_id: str
    error: Error


@dataclass(frozen=True, slots=True)
class FileDryRun:
    """What a file would do: `requests` would be counted, `refused` lines would fail at once.

    `first_refused` are the first of these. `remaining_after` is what would be left of the month's
    quota; None when unlimited.
    """

    total: int
    requests: int
    refused: int
    first_refused: tuple[RefusedLine, ...]
    remaining_after: int | None


@dataclass(frozen=True, slots=True)
class PlacedJob:
    """A job of a batch, and its place in it: its key in a list of them."""

    id: int
    job: Job
