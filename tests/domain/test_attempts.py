"""What becomes of jobs whose turn at a model does not come."""

import asyncio
import time
from pathlib import Path

import pytest

from app.domain.accounts.account import Caller
from app.domain.accounts.manage import create_account
from app.domain.classification.classify import classify
from app.domain.classification.request import ClassifyRequest
from app.domain.jobs.job import JobStatus
from app.domain.jobs.read import get_jobs
from app.domain.plans import Plan
from app.domain.work import attempt
from app.engines.contract import Category
from app.runtime import open_services
from app.settings import Settings
from tests.databases import make_sqlite
from tests.provider.behaviours import slow
from tests.provider.server import Provider


@pytest.mark.filterwarnings("ignore")
async def test_a_job_is_not_used_up_by_waiting_for_a_model(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "PATIENCE_S", 0.2)
    monkeypatch.setattr(attempt, "FIRST_DELAY_S", 0.05)
    monkeypatch.setattr(attempt, "MODEL_ATTEMPTS", 2)
    provider.always("own", slow(0.3))
    make_sqlite(tmp_path)
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path,
        model="openai/own",
        model_api_base=provider.base_url,
        model_concurrency=1,
    )
    async with open_services(settings, works=True) as services:
        account = await create_account("busy", plan=Plan.ENTERPRISE)
        caller = Caller(account, key_id=0, used=0)
        categories = [Category("billing"), Category("tech")]
        ids = []
        for number in range(8):
            request = ClassifyRequest(f"{number}: billing", categories=categories, run_async=True)
            promised = await classify(services, caller, request, started=time.perf_counter())
            ids.append(promised.job.id)
        deadline = time.monotonic() + 30
        ended: set[JobStatus] = set()
        while not ended and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            jobs = await get_jobs(account, ids)
            states = {job.status for job in jobs.values()}
            ended = states if states <= {JobStatus.COMPLETED, JobStatus.FAILED} else set()
    assert ended == {JobStatus.COMPLETED}
    assert {job.attempts for job in jobs.values()} == {1}
    # Nobody was asked twice.
    assert len(provider.requests) == 8
