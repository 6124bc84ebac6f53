"""The hot path's storage: keys, quota and job rows.

Each operation is one atomic step, so that nothing is half done whatever dies in between:

- `find_key` reads the key, its account and the month's use: no cache, so a revoked key or a changed
  plan is seen by every process on its next request.
- `start_jobs` takes the quota of all jobs, or of none, in one conditional update, and writes their
  rows with a lease.
- `finish_jobs` ends those jobs that still run: a second end changes nothing. A failed job gives its
  quota back in the same step, and a receipt for the caller is written in it.
- `claim_receipt` lets one request with an Idempotency-Key go ahead.

Invariant: a month's `used` is the number of its completed and running jobs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A live key with its account, as stored. `used` is the month's use."""

    key_id: int
    account_id: int
    account_name: str
    email: str | None
    plan: str
    subscription_status: str
    account_created_at: datetime
    used: int


@dataclass(frozen=True, slots=True)
class JobStart:
    """A job that starts now."""

    input_type: str
    input_preview: str | None
    mode: str
    categories: tuple[str, ...] | None
    schema_id: int | None
    created_at: datetime
    lease_expires_at: datetime
    batch_index: int | None = None
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class BatchStart:
    """A batch that starts now; its jobs are those that start with it."""

    batch_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """How a batch ended."""

    batch_id: str
    status: str
    latency_ms: int
    completed_at: datetime


@dataclass(frozen=True, slots=True)
class SchemaRecord:
    """A schema as the hot path needs it. `categories` is JSON: see `models.SchemaRow`."""

    id: int
    input_type: str
    mode: str
    categories: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a request with an Idempotency-Key was answered."""

    account_id: int
    key: str
    status: int
    body: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """The key was free: go ahead."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The key was used before: by what request, and what that was answered, if it was."""

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
class JobEnd:
    """How a job ended: with `labels`, or with an error code and message."""

    account_id: int
    job_id: int
    completed_at: datetime
    labels: tuple[tuple[str, float, str | None], ...] | None = None
    model: str | None = None
    confidence_source: str | None = None
    tokens: int = 0
    latency_ms: int | None = None
    error_code: str | None = None
    error_message: str | None = None


class Ledger(Protocol):
    """What the hot path needs of a database.

    A write that was asked for is carried out even if the task that awaits it is cancelled.
    """

    async def is_reachable(self) -> bool:
        """Tell whether the database answers."""
        ...

    async def find_key(self, key_hash: str, *, period: str) -> KeyRecord | None:
        """Return the key that is not revoked, or None."""
        ...

    async def find_schemas(
        self, account_id: int, schema_ids: Sequence[int]
    ) -> dict[int, SchemaRecord]:
        """Return those of the named schemas that the account has, by id."""
        ...

    async def start_jobs(
        self,
        account_id: int,
        jobs: Sequence[JobStart],
        *,
        period: str,
        limit: int | None,
        batch: BatchStart | None = None,
    ) -> Reserved | Refused:
        """Take the quota of all jobs and write their rows, or refuse."""
        ...

    async def finish_jobs(
        self,
        ends: Sequence[JobEnd],
        *,
        batch: BatchEnd | None = None,
        receipt: Receipt | None = None,
    ) -> int:
        """End the jobs that still run, durably, and return how many these were.

        When none of them ran any more, the receipt is not written.
        """
        ...

    async def claim_receipt(
        self, account_id: int, key: str, *, fingerprint: str, moment: datetime, until: datetime
    ) -> Claimed | Taken:
        """Take an Idempotency-Key until `until`, or return who has it. Expired ones are free."""
        ...

    async def write_receipt(self, receipt: Receipt) -> None:
        """Keep an answer under a claimed key, durably."""
        ...

    async def release_receipt(self, account_id: int, key: str) -> None:
        """Free a claimed key that got no answer worth keeping."""
        ...

    async def fail_expired(self, moment: datetime, *, error_code: str, error_message: str) -> int:
        """Fail the running jobs whose lease has passed, give their quota back, count them."""
        ...
