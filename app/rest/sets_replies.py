"""The JSON shapes of one input against several schemas or category sets: what goes out."""

from typing import Annotated, Any

from msgspec import UNSET, Struct, UnsetType

from app.domain.jobs.job import JobStatus
from app.engines.contract import Basis, InputType, Mode
from app.rest.described import Moment, about
from app.rest.replies import (
    BASIS,
    BATCH_ID,
    CHOICES,
    COUNTED,
    CREATED,
    DRY_RUN,
    ERROR,
    ID,
    INPUT_TYPE,
    LEFT,
    MODE,
    RESULT,
    STATUS,
    BatchMetaReply,
    ItemErrorReply,
)

_SCHEMA = about("The schema's id; null for a category set.", examples=[42])
_NAME = about("The schema's name, or the category set's own; null when it has none.")
_IN_ORDER = "In the order sent"


class SetReply(Struct):
    """What one schema or set made of the input: `result` when it completed, else `error`."""

    id: Annotated[str, ID]
    schema: Annotated[int | None, _SCHEMA]
    name: Annotated[str | None, _NAME]
    status: Annotated[JobStatus, STATUS]
    result: Annotated[Any, RESULT] = UNSET
    error: Annotated[ItemErrorReply | UnsetType, ERROR] = UNSET
    basis: Annotated[list[Basis] | UnsetType, BASIS] = UNSET


class SetsReply(Struct):
    """One input against several. `results` is there once every one has ended."""

    id: Annotated[str, BATCH_ID]
    status: Annotated[JobStatus, about("failed when every one failed.")]
    type: Annotated[InputType, INPUT_TYPE]
    meta: Annotated[BatchMetaReply, about("Counts.")]
    created_at: Annotated[Moment, CREATED]
    results: Annotated[
        list[SetReply] | UnsetType, about(f"{_IN_ORDER}; there once every one has ended.")
    ] = UNSET


class SetDryRunReply(Struct):
    """What one of several classifications would be."""

    schema: Annotated[int | None, _SCHEMA]
    name: Annotated[str | None, _NAME]
    mode: Annotated[Mode, MODE]
    categories: Annotated[tuple[str, ...] | None, CHOICES]


class SetsDryRunReply(Struct):
    """What an input against several schemas or sets would be, with dry_run: true."""

    dry_run: Annotated[bool, DRY_RUN]
    requests: Annotated[int, COUNTED]
    remaining_after: Annotated[int | None, LEFT]
    type: Annotated[InputType, INPUT_TYPE]
    results: Annotated[list[SetDryRunReply], about(f"{_IN_ORDER}.")]
