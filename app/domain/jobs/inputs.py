"""Whole inputs, for accounts that retain them."""

from collections.abc import Sequence

from app.domain.accounts.account import Account
from app.domain.jobs.payload import load_payload
from app.storage import inputs as rows


async def get_inputs(account: Account, job_ids: Sequence[int]) -> dict[int, str]:
    """Return the inputs that are retained with the named jobs, by the job's id.

    What is stored only until a job has run, or in case it is tried again, is not among them.
    """
    if not account.retain_inputs:
        return {}
    stored = {
        row.job_id: load_payload(row.payload).admitted
        for row in await rows.find_inputs(account.id, job_ids)
    }
    return {job_id: admitted.task.content for job_id, admitted in stored.items() if admitted.retain}
