"""The ids of the work at hand, which every log line of it carries.

They live in context variables: a task that is made while they are set inherits them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
job_id: ContextVar[int | None] = ContextVar("job_id", default=None)
batch_id: ContextVar[str | None] = ContextVar("batch_id", default=None)
trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)

_IDS: tuple[ContextVar[str | None] | ContextVar[int | None], ...] = (
    request_id,
    job_id,
    batch_id,
    trace_id,
)


def ids() -> dict[str, str | int]:
    """Return those ids that are set, by name."""
    return {variable.name: value for variable in _IDS if (value := variable.get()) is not None}


@contextmanager
def working_on(
    *, job: int | None = None, batch: str | None = None, request: str | None = None
) -> Iterator[None]:
    """Name the job or the batch that a block works on, and the request that asked for it."""
    job_token = job_id.set(job)
    batch_token = batch_id.set(batch)
    request_token = request_id.set(request or request_id.get())
    try:
        yield
    finally:
        request_id.reset(request_token)
        batch_id.reset(batch_token)
        job_id.reset(job_token)
