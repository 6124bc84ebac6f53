"""What webhooks are told: the documented payloads, written in the step that ends the work."""

from typing import Any

import msgspec

from app.domain.batches.batch import BatchKind
from app.domain.clock import to_iso
from app.domain.jobs.result import result_of
from app.engines.contract import Label, Mode, OutcomeKind
from app.storage.ledger.announcing import BATCH_COMPLETED, JOB_COMPLETED, JOB_FAILED
from app.storage.ledger.records import EndedBatch, EndedJob


class Events:
    """Renders the events of ended jobs and batches as JSON."""

    def job(self, job: EndedJob) -> str:
        """Return `job.completed` with the result, or `job.failed` with the error."""
        return _dump(
            {
                "event": JOB_FAILED if job.labels is None else JOB_COMPLETED,
                "id": str(job.id),
                **_result_or_error(job),
                **_basis_of(job),
                "type": job.input_type,
                "schema": job.schema_id,
                "timestamp": to_iso(job.completed_at),
            }
        )

    def batch(self, batch: EndedBatch) -> str:
        """Return `batch.completed` with status, results and counts.

        The results of a file stay where they can be fetched: they can be far larger than a message.
        """
        body: dict[str, Any] = {
            "event": BATCH_COMPLETED,
            "id": batch.id,
            "status": batch.status,
            "results": [item_of(job, batch.kind) for job in batch.jobs],
            "meta": {
                "total": batch.total,
                "completed": batch.completed,
                "failed": batch.failed,
                "latency_ms": batch.latency_ms,
            },
            "timestamp": to_iso(batch.completed_at),
        }
        if not batch.jobs:
            del body["results"]
        return _dump(body)


EVENTS = Events()


def item_of(job: EndedJob, kind: str) -> dict[str, Any]:
    """Return an ended job as one of a batch's results."""
    return {**_place_of(job, kind), "status": job.status, **_result_or_error(job), **_basis_of(job)}


def _place_of(job: EndedJob, kind: str) -> dict[str, Any]:
    if kind == BatchKind.SETS:
        return {"id": str(job.id), "schema": job.schema_id, "name": job.item_id}
    return {"id": job.item_id or str(job.id)}


def _result_or_error(job: EndedJob) -> dict[str, Any]:
    if job.labels is None:
        return {"error": {"code": job.error_code, "message": job.error_message}}
    outcome = None if job.outcome is None else OutcomeKind(job.outcome)
    return {"result": result_of(Mode(job.mode), [Label(*label) for label in job.labels], outcome)}


def _basis_of(job: EndedJob) -> dict[str, Any]:
    return {"basis": list(job.basis)} if job.basis else {}


def _dump(body: dict[str, Any]) -> str:
    return msgspec.json.encode(body).decode()
