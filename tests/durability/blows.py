"""Killing everything at random moments while promises are made."""

import random
import time
from collections.abc import Sequence

from tests.conftest import Site
from tests.durability.cluster import START_TIMEOUT_S, Process, started, web, worker
from tests.durability.promises import Submitter, check_kept, in_background, open_jobs
from tests.durability.telling import check_told, reaching, register, undelivered
from tests.servers import PrivatePostgres, PrivateRedis, wait_until
from tests.webhooks.receiver import Receiver

ENDPOINT = "/told"


def revive(process: Process) -> None:
    """Kill a process and start it again."""
    process.kill()
    process.start()


def crash(server: PrivatePostgres | PrivateRedis) -> None:
    """Kill a server and start it again."""
    server.kill()
    server.start()


def endure_cluster(
    site: Site,
    postgres: PrivatePostgres,
    redis: PrivateRedis,
    receiver: Receiver,
    *,
    jobs: int,
    kills: int,
) -> Submitter:
    """Submit `jobs` to a web process with two workers while `kills` blows fall; check the end."""
    site = reaching(site)
    key = site.create_key(site.create_account("enterprise"))
    server, one, two = web(site), worker(site, "one"), worker(site, "two")
    blows = [
        lambda: revive(server),
        lambda: revive(one),
        lambda: revive(two),
        lambda: crash(redis),
        redis.flush,
        lambda: crash(postgres),
        postgres.restart,
    ]
    # Each kind about as often, in any order.
    order = (blows * (kills // len(blows) + 1))[:kills]
    random.shuffle(order)
    processes = [server, one, two]
    with started(*processes):
        register(server.address, key, receiver.url(ENDPOINT))
        submitter = Submitter([server.address], key, jobs, pause_s=0.02)
        submitting = in_background(submitter)
        for blow in order:
            time.sleep(random.uniform(0.1, 1.0))
            blow()
        _settle(site, submitter, receiver, processes)
        submitting.join()
    return submitter


def endure_alone(site: Site, receiver: Receiver, *, jobs: int, kills: int) -> Submitter:
    """Submit `jobs` to one process on the embedded database while it is killed again and again."""
    site = reaching(site)
    key = site.create_key(site.create_account("enterprise"))
    server = web(site)
    with started(server):
        register(server.address, key, receiver.url(ENDPOINT))
        submitter = Submitter([server.address], key, jobs, pause_s=0.01)
        submitting = in_background(submitter)
        for _ in range(kills):
            server.wait_until_ready()
            time.sleep(random.uniform(0.05, 0.5))
            revive(server)
        _settle(site, submitter, receiver, [server])
        submitting.join()
    return submitter


def _is_up(process: Process) -> bool:
    process.keep_up()
    return process.is_ready()


def _settle(
    site: Site, submitter: Submitter, receiver: Receiver, processes: Sequence[Process]
) -> None:
    # One that had no database for its start may end yet, as long as that takes.
    wait_until(lambda: all(map(_is_up, processes)), timeout_s=START_TIMEOUT_S)
    # A submitter that makes no way shows in the job counts; the bound is generous.
    wait_until(lambda: len(submitter.promised) >= submitter.wanted, timeout_s=submitter.wanted)
    wait_until(lambda: open_jobs(site.database) == 0, timeout_s=120)
    assert set(submitter.refused) <= {500, 503}
    wait_until(lambda: undelivered(site) == 0, timeout_s=120)
    check_kept(site.database, submitter.promised)
    check_told(receiver, ENDPOINT, submitter.promised)
