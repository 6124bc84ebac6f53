"""Several processes on one database: exact, and never twice."""

import asyncio
import time
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from tests.conftest import Site
from tests.databases import query
from tests.durability.cluster import started, web, worker
from tests.durability.conftest import LEASE_S
from tests.durability.promises import BODY, CATEGORIES, check_kept, open_jobs, statuses
from tests.provider.behaviours import hang, slow
from tests.provider.server import Provider
from tests.servers import PrivatePostgres, wait_until


def asking(site: Site, provider: Provider) -> Site:
    """Return the site with a provider's model, which takes as long as a test wants."""
    variables = {
        "CLASSIFAILY_MODEL": "openai/only",
        "CLASSIFAILY_MODEL_API_BASE": provider.base_url,
        "CLASSIFAILY_MODEL_API_KEY": "sk-test",
    }
    return replace(site, environment={**site.environment, **variables})


def submit(url: str, key: str, body: dict[str, object]) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{url}/v1/classify", json=body, headers=headers, timeout=30)
    assert answer.status_code == 202
    return int(answer.json()["id"])


@pytest.mark.timeout(180)
def test_a_worker_that_was_stopped_past_its_lease_changes_nothing(
    cluster_site: Site, provider: Provider
) -> None:
    provider.once("only", slow(LEASE_S + 3))
    site = asking(cluster_site, provider)
    key = site.create_key(site.create_account("enterprise"))
    server, one, two = web(site), worker(site, "one"), worker(site, "two")
    with started(server, one, two):
        two.kill()
        job = submit(server.address, key, BODY)
        wait_until(lambda: len(provider.asked("only")) == 1)
        one.freeze()
        time.sleep(LEASE_S + 1)
        two.start()
        wait_until(lambda: open_jobs(site.database) == 0, timeout_s=60)
        before = query(site.database, "SELECT * FROM jobs")
        one.thaw()
        wait_until(lambda: "lease has passed to others" in one.output)
        # Time enough for its answer, had it not been abandoned.
        time.sleep(LEASE_S)
        assert query(site.database, "SELECT * FROM jobs") == before
        assert query(site.database, "SELECT attempts FROM jobs") == [(2,)]
        check_kept(site.database, [job])


@pytest.mark.timeout(180)
def test_a_worker_that_is_told_to_end_hands_its_work_back(
    cluster_site: Site, provider: Provider
) -> None:
    # The first is answered while the worker is waited for, the others never.
    provider.once("only", slow(2), *[hang] * 7)
    site = asking(cluster_site, provider)
    key = site.create_key(site.create_account("enterprise"))
    server, one, two = web(site), worker(site, "one"), worker(site, "two")
    with started(server, one):
        jobs = [submit(server.address, key, BODY) for _ in range(8)]
        wait_until(lambda: len(provider.asked("only")) == len(jobs))
        assert one.terminate() < 20
        assert statuses(site.database) == {"completed": 1, "pending": 7}
        with started(two):
            wait_until(lambda: open_jobs(site.database) == 0, timeout_s=120)
        # What was handed back had not been started.
        assert query(site.database, "SELECT DISTINCT attempts FROM jobs") == [(1,)]
        check_kept(site.database, jobs)


@pytest.mark.timeout(180)
@pytest.mark.contract("account.concurrency")
async def test_two_servers_and_two_workers_grant_exactly_the_limit(cluster_site: Site) -> None:
    site = cluster_site
    key = site.create_key(site.create_account("free"))
    servers = [web(site, "web-one"), web(site, "web-two")]
    workers = [worker(site, "one"), worker(site, "two")]
    body = {"input": BODY["input"], "async": True}
    with started(*servers, *workers):
        urls = [server.address for server in servers]
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(headers=headers, timeout=60) as client:

            async def post(number: int) -> int:
                # Some wait for their answer, some do not.
                sent = {**body, "async": number % 3 > 0}
                answer = await client.post(f"{urls[number % 2]}/v1/classify", json=sent)
                return answer.status_code

            codes = Counter(await asyncio.gather(*(post(number) for number in range(160))))
            assert codes[200] + codes[202] == 100
            assert codes[429] == 60
            await asyncio.to_thread(wait_until, lambda: open_jobs(site.database) == 0)
            assert statuses(site.database) == {"completed": 100}
            # A revoked key is refused by both on the very next request.
            site.command("key", "revoke", "1")
            for url in urls:
                assert (await client.get(f"{url}/v1/usage")).status_code == 401


@pytest.mark.timeout(180)
def test_a_batch_is_shared_by_workers_and_ends_once(cluster_site: Site) -> None:
    site = cluster_site
    key = site.create_key(site.create_account("enterprise"))
    server, one, two = web(site), worker(site, "one"), worker(site, "two")
    headers = {"Authorization": f"Bearer {key}"}
    items = [{"id": f"n{n}", "input": f"Match {n} was won by the hosts."} for n in range(300)]
    body = {"items": items, "categories": CATEGORIES, "async": True}
    with started(server, one, two):
        sent = httpx.post(f"{server.address}/v1/batch", json=body, headers=headers, timeout=30)
        assert sent.status_code == 202
        address = f"{server.address}/v1/jobs"
        which = {"id": sent.json()["id"]}
        progress: list[int] = []

        def ended() -> bool:
            batch = httpx.get(address, params=which, headers=headers, timeout=30).json()
            progress.append(batch["meta"]["completed"])
            return batch["status"] == "completed"

        one.kill()
        wait_until(ended, timeout_s=60)
        assert progress == sorted(progress)
        batch = httpx.get(address, params=which, headers=headers, timeout=30).json()
        assert [result["id"] for result in batch["results"]] == [item["id"] for item in items]
        assert batch["meta"]["total"] == batch["meta"]["completed"] == 300
        assert query(site.database, "SELECT used FROM usage_months") == [(300,)]


def test_processes_wait_for_a_database_that_starts(
    cluster_site: Site, postgres: PrivatePostgres
) -> None:
    server, one = web(cluster_site), worker(cluster_site)
    postgres.stop()
    try:
        server.start()
        one.start()
        wait_until(lambda: all("waiting for it" in each.output for each in (server, one)))
    finally:
        postgres.start()
    server.wait_until_ready()
    one.wait_until_ready()
    server.kill()
    one.kill()
