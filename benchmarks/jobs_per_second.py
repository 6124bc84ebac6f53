"""Jobs per second through each broker with a model that costs nothing.

    python -m benchmarks.jobs_per_second [jobs]

The baseline of the same run is Dramatiq's own rate on an actor that does nothing, with the settings
the product uses. Ours writes each job durably, leases it, ends it, counts it. PostgreSQL and Redis
are private servers, with their disk writes on. One process works, on the machine that serves.
"""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import dramatiq

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.accounts.manage import create_account
from app.domain.answers import LedgerAnswers
from app.domain.classification.admission import Admitted
from app.domain.classification.reserve import submit
from app.domain.jobs.job import Priority
from app.domain.jobs.record import waiting_of
from app.domain.media.sources import open_media
from app.domain.plans import Plan
from app.domain.sealing import load_seal
from app.domain.services import Services
from app.engines.contract import Category, Task
from app.outbound.client import Outbound
from app.outbound.policy import Policy
from app.settings import Settings
from app.storage.database import migrate, open_ledger, open_orm
from app.storage.ledger.work import queue_depths
from app.workers.background import THREADS, background_work
from app.workers.broker import make_broker
from app.workers.process_signals import ProcessSignals
from benchmarks.apps import FreeEngine
from tests.servers import PrivatePostgres, find_binary, start_redis

TASK = Task("How do I change my address?", categories=(Category("billing"), Category("account")))


def main() -> None:
    """Measure and print."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    redis = start_redis()
    postgres = _postgres()
    try:
        print(f"{jobs:,} jobs each\n")
        print("| broker | database | jobs/s submitted | jobs/s done | of Dramatiq's own |")
        print("| --- | --- | --- | --- | --- |")
        for url in ("memory://", redis.url):
            own = dramatiq_rate(url, jobs)
            name = url.partition(":")[0]
            print(f"| {name} | none: Dramatiq, an empty actor | | {own:,.0f} | 1.00 |")
            with TemporaryDirectory() as scratch:
                databases = [f"sqlite://{scratch}/jobs.db", postgres.url()]
                for database in databases:
                    settings = Settings(
                        data_dir=Path(scratch), database_url=database, broker_url=url
                    )
                    submitted, done = asyncio.run(our_rates(settings, jobs))
                    kind = database.partition(":")[0]
                    print(
                        f"| {name} | {kind} | {submitted:,.0f} | {done:,.0f} | {done / own:.2f} |"
                    )
    finally:
        redis.close()
        postgres.close()


def _postgres() -> PrivatePostgres:
    initdb, binary = find_binary("initdb"), find_binary("postgres")
    if initdb is None or binary is None:
        raise SystemExit("PostgreSQL is not installed")
    server = PrivatePostgres(initdb, binary, fsync=True)
    server.start()
    return server


def dramatiq_rate(url: str, count: int) -> float:
    """Return messages per second of an actor that does nothing."""
    broker = make_broker(url)
    done = threading.Semaphore(0)

    @dramatiq.actor(broker=broker, queue_name="empty")
    def empty() -> None:
        done.release()

    worker = dramatiq.Worker(broker, worker_threads=THREADS)
    for _ in range(count):
        broker.enqueue(empty.message())
    began = time.perf_counter()
    worker.start()
    for _ in range(count):
        done.acquire()
    taken = time.perf_counter() - began
    worker.stop()
    return count / taken


async def our_rates(settings: Settings, count: int) -> tuple[float, float]:
    """Return jobs per second, submitted by 64 callers at once, and done after that."""
    await migrate(settings.database)
    async with _services(settings) as (services, broker):
        account = await create_account("benchmark", plan=Plan.ENTERPRISE)
        began = time.perf_counter()
        await asyncio.gather(*(_submit(services, account, count // 64) for _ in range(64)))
        submitted = time.perf_counter() - began
        began = time.perf_counter()
        async with background_work(services, broker):
            # Workers tell nobody that the queue is empty.
            while await services.ledger.run(queue_depths()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return count // 64 * 64 / submitted, count // 64 * 64 / (time.perf_counter() - began)


@asynccontextmanager
async def _services(settings: Settings) -> AsyncIterator[tuple[Services, dramatiq.Broker]]:
    async with open_orm(settings.database), open_ledger(settings.database) as ledger:
        broker = make_broker(settings.broker_url)
        redis_url = None if settings.broker_is_embedded else settings.broker_url
        signals = ProcessSignals(broker, redis_url=redis_url)
        outbound = Outbound(Policy())
        with open_media(settings, outbound) as media:
            services = Services(
                settings=settings,
                ledger=ledger,
                engine=FreeEngine(),
                signals=signals,
                outbound=outbound,
                media=media,
                answers=LedgerAnswers(ledger),
                seal=load_seal(settings),
            )
            yield services, broker
        await outbound.aclose()
        await signals.close()


async def _submit(services: Services, account: Account, count: int) -> None:
    admitted = Admitted(task=TASK, schema_id=None, store=True)
    for _ in range(count):
        start = waiting_of(admitted, created_at=clock.now(), priority=Priority.INTERACTIVE)
        await submit(services, account, [start], receipt=lambda _: None)


if __name__ == "__main__":
    main()
