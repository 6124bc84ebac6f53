"""Promised jobs survive the death of everything, at random moments."""

import random
import time
from collections.abc import Callable

import pytest

from tests.conftest import Site
from tests.durability.cluster import Process, started, web, worker
from tests.durability.conftest import LEASE_S
from tests.durability.promises import (
    Submitter,
    check_kept,
    in_background,
    open_jobs,
    statuses,
)
from tests.servers import PrivatePostgres, PrivateRedis, wait_until

JOBS = 500
KILLS = 20


def revive(process: Process) -> None:
    """Kill a process and start it again."""
    process.kill()
    process.start()


@pytest.mark.timeout(300)
def test_every_promise_is_kept_while_everything_is_killed(
    cluster_site: Site, postgres: PrivatePostgres, redis: PrivateRedis
) -> None:
    site = cluster_site
    key = site.create_key(site.create_account("enterprise"))
    server, one, two = web(site), worker(site, "one"), worker(site, "two")
    assert server.url is not None

    def crash(private: PrivatePostgres | PrivateRedis) -> None:
        private.kill()
        private.start()

    blows = [
        lambda: revive(server),
        lambda: revive(one),
        lambda: revive(two),
        lambda: crash(redis),
        redis.flush,
        lambda: crash(postgres),
        postgres.restart,
    ]
    with started(server, one, two):
        submitter = Submitter([server.url], key, JOBS, pause_s=0.02)
        submitting = in_background(submitter)
        # Each kind at least twice, in any order.
        order = random.sample(blows * 2, len(blows) * 2) + random.choices(blows, k=KILLS)
        for blow in order[:KILLS]:
            time.sleep(random.uniform(0.1, 1.0))
            blow()
        for process in (server, one, two):
            process.wait_until_ready()
        submitting.join(timeout=120)
        assert len(submitter.promised) == JOBS
        assert set(submitter.refused) <= {500, 503}
        wait_until(lambda: open_jobs(site.database) == 0, timeout_s=60)
        check_kept(site.database, submitter.promised)


@pytest.mark.timeout(120)
def test_what_a_dead_worker_held_is_done_within_the_lease_and_five_seconds(
    cluster_site: Site,
) -> None:
    site = cluster_site
    key = site.create_key(site.create_account("enterprise"))
    server, one, two = web(site), worker(site, "one"), worker(site, "two")
    assert server.url is not None
    with started(server, one):
        two.start()
        two.wait_until_ready()
        one.freeze()
        two.freeze()
        submitter = Submitter([server.url], key, 40)
        submitter.run()
        one.thaw()
        wait_until(lambda: statuses(site.database)["completed"] > 0)
        one.kill()
        died_at = time.monotonic()
        two.thaw()
        wait_until(lambda: open_jobs(site.database) == 0)
        two.kill()
        assert time.monotonic() - died_at < LEASE_S + 5
        check_kept(site.database, submitter.promised)


@pytest.mark.timeout(300)
def test_every_promise_is_kept_by_one_process_that_is_killed(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(lease_seconds=str(LEASE_S))
    key = site.create_key(site.create_account("enterprise"))
    server = web(site)
    assert server.url is not None
    with started(server):
        submitter = Submitter([server.url], key, JOBS, pause_s=0.01)
        submitting = in_background(submitter)
        for _ in range(KILLS):
            server.wait_until_ready()
            time.sleep(random.uniform(0.05, 0.5))
            revive(server)
        server.wait_until_ready()
        submitting.join(timeout=120)
        assert len(submitter.promised) == JOBS
        wait_until(lambda: open_jobs(site.database) == 0, timeout_s=60)
        check_kept(site.database, submitter.promised)
