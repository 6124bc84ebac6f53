"""Promised jobs survive the death of everything, at random moments.

`benchmarks/durability.py` does the same with many more jobs and kills.
"""

import time
from collections.abc import Callable

import pytest

from tests.conftest import Site
from tests.durability.blows import endure_alone, endure_cluster
from tests.durability.cluster import started, web, worker
from tests.durability.conftest import LEASE_S
from tests.durability.promises import Submitter, check_kept, open_jobs, statuses
from tests.servers import PrivatePostgres, PrivateRedis, wait_until
from tests.webhooks.receiver import Receiver

JOBS = 500
KILLS = 20


@pytest.mark.timeout(300)
def test_every_promise_is_kept_while_everything_is_killed(
    cluster_site: Site, postgres: PrivatePostgres, redis: PrivateRedis, receiver: Receiver
) -> None:
    submitter = endure_cluster(cluster_site, postgres, redis, receiver, jobs=JOBS, kills=KILLS)
    assert len(submitter.promised) == JOBS


@pytest.mark.contract("classify.more.async_durable")
@pytest.mark.timeout(300)
def test_every_promise_is_kept_by_one_process_that_is_killed(
    make_site: Callable[..., Site], receiver: Receiver
) -> None:
    site = make_site(lease_seconds=str(LEASE_S))
    submitter = endure_alone(site, receiver, jobs=JOBS, kills=KILLS)
    assert len(submitter.promised) == JOBS


@pytest.mark.timeout(120)
def test_what_a_dead_worker_held_is_done_within_the_lease_and_five_seconds(
    cluster_site: Site,
) -> None:
    site = cluster_site
    key = site.create_key(site.create_account("enterprise"))
    server, one, two = web(site), worker(site, "one"), worker(site, "two")
    with started(server, one, two):
        one.freeze()
        two.freeze()
        submitter = Submitter([server.address], key, 40)
        submitter.run()
        one.thaw()
        wait_until(lambda: statuses(site.database)["processing"] > 0)
        one.kill()
        died_at = time.monotonic()
        two.thaw()
        wait_until(lambda: open_jobs(site.database) == 0)
        assert time.monotonic() - died_at < LEASE_S + 5
        check_kept(site.database, submitter.promised)
