"""Deliveries survive the death of whoever makes them: at least once, under one id."""

import random
import time
from collections.abc import Callable

import pytest

from tests.conftest import Site
from tests.databases import query
from tests.durability.blows import revive
from tests.durability.cluster import started, web, worker
from tests.durability.conftest import LEASE_S
from tests.durability.promises import Submitter, in_background, open_jobs
from tests.durability.telling import check_told, reaching, register, undelivered
from tests.servers import PrivateRedis, wait_until
from tests.webhooks.receiver import Receiver

JOBS = 60


@pytest.mark.timeout(180)
def test_every_promise_is_told_under_one_id_while_workers_are_killed(
    cluster_site: Site, redis: PrivateRedis, receiver: Receiver
) -> None:
    site = reaching(cluster_site)
    key = site.create_key(site.create_account("enterprise"))
    server, one, two = web(site), worker(site, "one"), worker(site, "two")
    with started(server, one, two):
        register(server.address, key, receiver.url("/slow/told"))
        submitter = Submitter([server.address], key, JOBS, pause_s=0.05)
        submitting = in_background(submitter)
        for blow in (one, two, redis, one, two):
            time.sleep(random.uniform(0.5, 1.5))
            if isinstance(blow, PrivateRedis):
                blow.flush()
            else:
                revive(blow)
        submitting.join()
        wait_until(lambda: open_jobs(site.database) == 0, timeout_s=60)
        wait_until(lambda: undelivered(site) == 0, timeout_s=90)
    check_told(receiver, "/slow/told", submitter.promised)


@pytest.mark.timeout(120)
def test_a_process_that_dies_in_the_middle_sends_again_under_the_same_id(
    make_site: Callable[..., Site], receiver: Receiver
) -> None:
    site = reaching(make_site(lease_seconds=str(LEASE_S)))
    key = site.create_key(site.create_account("enterprise"))
    server = web(site)
    with started(server):
        register(server.address, key, receiver.url("/hang/told"))
        Submitter([server.address], key, 1).run()
        (first,) = receiver.wait("/hang/told")
        server.kill()
        receiver.then("/hang/told", 200)
        died_at = time.monotonic()
        server.start()
        server.wait_until_ready()
        ready_after = time.monotonic() - died_at
        second = receiver.wait("/hang/told", 2, timeout_s=LEASE_S + 20)[1]
        assert time.monotonic() - died_at < max(ready_after, LEASE_S) + 5
        assert (second.delivery_id, second.body) == (first.delivery_id, first.body)
        wait_until(lambda: undelivered(site) == 0)
    # The attempt that nobody lived to write down counts, but left no trace.
    assert query(site.database, "SELECT attempts FROM deliveries") == [(2,)]
    assert query(site.database, "SELECT status_code FROM delivery_attempts") == [(200,)]


@pytest.mark.timeout(120)
def test_a_process_that_is_told_to_end_hands_its_deliveries_back(
    make_site: Callable[..., Site], receiver: Receiver
) -> None:
    site = reaching(make_site(log_level="debug"))
    key = site.create_key(site.create_account("enterprise"))
    server = web(site)
    with started(server):
        secret = register(server.address, key, receiver.url("/hang/back"))
        Submitter([server.address], key, 1).run()
        (told,) = receiver.wait("/hang/back")
        assert server.terminate() < 20
    rows = query(site.database, "SELECT status, attempts, lease_id FROM deliveries")
    assert rows == [("pending", 0, None)]
    # Not even at debug level does the log tell what only the two of them should know.
    signatures = [told.headers["x-classifaily-signature"], told.headers["webhook-signature"]]
    for hidden in (secret, *signatures, receiver.url("/hang/back"), told.body.decode()):
        assert hidden not in server.output
