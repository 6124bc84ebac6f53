"""What the ledger's operations take and return."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

#: Until when an input stays that goes only with its job.
AS_LONG_AS_THE_JOB = datetime(9999, 1, 1, tzinfo=UTC)

Labels = tuple[tuple[str | None, float, str | None], ...]


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A live key with its account, as stored. `used` is the month's use.

    `budget` is in nano-dollars a month; None is no limit. `cache_ttl` is in seconds.
    """

    key_id: int
    account_id: int
    account_name: str
    email: str | None
    plan: str
    subscription_status: str
    retain_inputs: bool
    account_created_at: datetime
    used: int
    budget: int | None
    cache_ttl: int | None
    default_model: str | None


@dataclass(frozen=True, slots=True)
class SchemaRecord:
    """A schema as the hot path needs it. `categories` is JSON: see `models.SchemaRow`."""

    id: int
    name: str
    input_type: str
    mode: str
    categories: str
    model: str | None


@dataclass(frozen=True, slots=True)
class JobStart:
    """A job to write.

    With a lease it runs already, in the process that answers the caller. Without one it waits for
    a worker, from `created_at` on, and needs its `payload`: whatever the domain has to know to run
    it. A payload of a job that runs already is kept for review. With a `template`, the number of
    one of its batch's, the payload is the content alone. With an `error`, a code and a message, it
    has failed before it could start, and counts nothing.
    """

    input_type: str
    input_preview: str | None
    mode: str
    categories: tuple[str, ...] | None
    schema_id: int | None
    created_at: datetime
    lease_expires_at: datetime | None = None
    payload: str | None = None
    priority: int = 0
    batch_index: int | None = None
    item_id: str | None = None
    template: int | None = None
    error: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class BatchStart:
    """A batch that starts with its jobs. `kind` tells what the caller sent."""

    batch_id: str
    kind: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FileLine:
    """A line of a file, at the place `index`: content to judge, or why it was refused.

    `template` is the number of the one that it goes with.
    """

    index: int
    item_id: str
    input_type: str
    template: int
    content: str | None = None
    input_preview: str | None = None
    error: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """What lines of a file have in common; see `models.BatchTemplateRow`."""

    number: int
    mode: str
    categories: tuple[str, ...] | None
    schema_id: int | None
    template: str


@dataclass(frozen=True, slots=True)
class FileLot:
    """Lines that are written down together, and the templates that come up in them first."""

    position: int
    size: int
    lines: str
    templates: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class FileStart:
    """A file whose lots have been written.

    `requests` counts its lines to judge by input type, `refused` the others.
    """

    batch: BatchStart
    requests: Mapping[str, int]
    refused: int

    @property
    def count(self) -> int:
        """How many lines count as requests."""
        return sum(self.requests.values())


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a request with an Idempotency-Key was answered.

    Without a status it is no answer yet: `body` is a note of what was done.
    """

    account_id: int
    key: str
    status: int | None
    body: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """The key was free: go ahead."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The key was used before: by what request, and the receipt of that, if there is one."""

    fingerprint: str
    status: int | None
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Reserved:
    """The quota was taken: the ids of the jobs in order, and the month's use after it."""

    job_ids: tuple[int, ...]
    used: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The quota did not cover the jobs, and nothing was written."""

    used: int


@dataclass(frozen=True, slots=True)
class OverBudget:
    """The budget did not cover what was needed (nano-dollars), and nothing was written."""

    spent: int
    held: int
    needed: int


@dataclass(frozen=True, slots=True)
class Took:
    """What an attempt at a job took. `cost` is in nano-dollars, None when it is not known."""

    tokens: int = 0
    completion_tokens: int = 0
    cost: int | None = 0


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended: with `labels`, or with an error code and message.

    `lease_id` is the lease under which a worker ran it, None for a job that ran in the process that
    answers the caller. `input_until` keeps its stored input until then; None drops it at once.
    `AS_LONG_AS_THE_JOB` holds only for an account that still retains inputs. `cost` is in
    nano-dollars, None when it is not known; it and the tokens are of this attempt, failed or not.
    With `holds` there may be some of the budget held for it, to be settled.
    """

    account_id: int
    job_id: int
    completed_at: datetime
    lease_id: str | None = None
    labels: Labels | None = None
    outcome: str | None = None
    model: str | None = None
    confidence_source: str | None = None
    truncated: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    tokens: int = 0
    completion_tokens: int = 0
    cost: int | None = 0
    latency_ms: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    input_until: datetime | None = None
    holds: bool = True
    cached: bool = False


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job as it ended, for whoever is told of it."""

    id: int
    account_id: int
    status: str
    input_type: str
    mode: str
    schema_id: int | None
    batch_id: str | None
    item_id: str | None
    labels: Labels | None
    outcome: str | None
    error_code: str | None
    error_message: str | None
    completed_at: datetime
    basis: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EndedBatch:
    """A batch as it ended, with its jobs in the order sent; a file's jobs are left out."""

    id: str
    account_id: int
    kind: str
    status: str
    total: int
    completed: int
    failed: int
    latency_ms: int | None
    created_at: datetime
    completed_at: datetime
    jobs: tuple[EndedJob, ...]


class Announcer(Protocol):
    """Renders what webhooks are told of an end. Called inside the step that ends the work."""

    def job(self, job: EndedJob) -> str:
        """Return the JSON of an ended job."""
        ...

    def batch(self, batch: EndedBatch) -> str:
        """Return the JSON of an ended batch."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """What an ending step changed: the jobs and batches that ended in it, deliveries to make."""

    jobs: tuple[EndedJob, ...]
    batches: tuple[str, ...]
    deliveries: int


@dataclass(frozen=True, slots=True)
class LeasedJob:
    """A job that a worker has to run, with the payload it was submitted with.

    With a `template` the payload is the content alone. `budget` and `cache_ttl` are its account's.
    """

    id: int
    account_id: int
    batch_id: str | None
    input_type: str
    attempts: int
    created_at: datetime
    payload: str
    template: str | None = None
    budget: int | None = None
    cache_ttl: int | None = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found of dead processes: jobs waiting again, and jobs given up."""

    requeued: int
    failed: Ended


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Work that waits: how much, and since when the oldest of it could have started."""

    waiting: int
    oldest_due_at: datetime | None


ReceiptMaker = Callable[[Reserved], Receipt | None]
