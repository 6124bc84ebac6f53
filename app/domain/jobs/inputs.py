"""Whole inputs, for accounts that retain them."""

from collections.abc import Sequence

from app.domain.accounts.account import Account
from app.domain.jobs.payload import load_payload
from app.storage import inputs as rows
from app.storage.ledger.records import AS_LONG_AS_THE_JOB
from app.storage.models import JobInputRow


async def get_inputs(account: Account, job_ids: Sequence[int]) -> dict[int, str]:
    """Return the inputs that are retained with the named jobs, by the job's id.

    What is stored only until a job has run, or in case it is tried again, is not among them.
    """
    if not account.retain_inputs:
        return {}
    stored = {row.job_id: _retained(row) for row in await rows.find_inputs(account.id, job_ids)}
    return {job_id: content for job_id, content in stored.items() if content is not None}


def _retained(row: JobInputRow) -> str | None:
    if row.template is not None:
        # A line of a file: its content alone, retained once the line has ended.
        return row.payload if row.keep_until == AS_LONG_AS_THE_JOB else None
    admitted = load_payload(row.payload).admitted
    return admitted.task.content if admitted.retain else None
