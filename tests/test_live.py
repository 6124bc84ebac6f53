"""What is followed across processes, and what happens to it when they stop."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from tests import processes
from tests.conftest import Server, Site, running
from tests.databases import PostgresDatabases
from tests.graphql.live import (
    BATCH,
    JOB,
    events,
    greeted,
    open_socket,
    open_stream,
    statuses,
    submit,
    submit_batch,
)
from tests.servers import in_own_loop


@pytest.fixture(scope="module")
def pair(make_site: Callable[..., Site]) -> Iterator[tuple[Server, Server, str]]:
    """Two servers on one SQLite file, and a key."""
    site = make_site()
    with running(site) as one, running(site) as other:
        yield one, other, site.create_key(site.create_account("pro"))


def test_two_processes_on_one_file(pair: tuple[Server, Server, str]) -> None:
    one, other, key = pair
    for here, there in ((one, other), (other, one)):
        with here.client(key) as client, greeted(there, key) as socket:
            socket.subscribe(JOB, id=submit(client))
            assert statuses(socket.results())[-1] == "COMPLETED"
            batch_id = submit_batch(client, "x", "y")
            socket.subscribe(BATCH, id=batch_id)
            assert statuses(socket.results(), "batch")[-1] == "COMPLETED"


def test_waiting_in_another_process(pair: tuple[Server, Server, str]) -> None:
    one, other, key = pair
    with one.client(key) as here, other.client(key) as there:
        job_id = submit(here)
        job = there.get("/v1/jobs", params={"id": job_id, "wait": 60}).json()
    assert job["status"] == "completed"


@contextmanager
def worker(site: Site) -> Iterator[None]:
    """Run a worker for the length of a block."""
    log = site.data_dir / "worker.log"
    process = processes.start(["worker"], environment=site.environment, stdout=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def test_a_web_process_sees_what_a_worker_does(
    make_site: Callable[..., Site], redis_url: str, postgres_databases: PostgresDatabases
) -> None:
    database = in_own_loop(postgres_databases.make)
    site = make_site(database_url=database.url, broker_url=redis_url)
    try:
        with running(site) as server:
            key = site.create_key(site.create_account("pro"))
            with server.client(key) as client, greeted(server, key) as socket:
                # Nobody works yet.
                job_id, batch_id = submit(client), submit_batch(client, "x", "y", "z")
                socket.subscribe(JOB, name="job", id=job_id)
                first = socket.receive()["payload"]["data"]["job"]
                assert (first["status"], first["attempts"]) == ("PENDING", 0)
                with ThreadPoolExecutor(1) as pool, worker(site):
                    long = {"id": batch_id, "wait": 60}
                    waiting = pool.submit(client.get, "/v1/jobs", params=long)
                    told = list(socket.results("job"))
                    assert [each["job"]["status"] for each in told] == ["PROCESSING", "COMPLETED"]
                    assert waiting.result().json()["status"] == "completed"
                with open_stream(client, BATCH, id=batch_id) as stream:
                    (_, payload), last = events(stream)
                assert payload["data"]["batch"]["meta"]["completed"] == 3
                assert last == ("complete", None)
    finally:
        in_own_loop(lambda: postgres_databases.drop(database))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_streams_end_at_once_when_the_process_stops(
    make_site: Callable[..., Site], redis_url: str, workers: str
) -> None:
    # Without workers a job waits for ever, and so would whoever follows it.
    site = make_site(broker_url=redis_url)
    key = site.create_key(site.create_account("pro"))
    with ExitStack() as stack:
        server = stack.enter_context(running(site, "--workers", workers))
        client = stack.enter_context(server.client(key))
        job_id = submit(client, input="x")
        socket = stack.enter_context(greeted(server, key))
        socket.subscribe(JOB, id=job_id)
        assert socket.receive()["type"] == "next"
        silent = stack.enter_context(open_socket(server))
        stream = events(stack.enter_context(open_stream(client, JOB, id=job_id)))
        assert next(stream)[0] == "next"
        other = stack.enter_context(server.client(key))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(other.get, f"/v1/jobs/{job_id}", params={"wait": 60})
            time.sleep(1)
            started = time.monotonic()
            os.kill(server.process.pid, signal.SIGTERM)
            assert socket.closing()[0] == 1001
            assert silent.closing()[0] == 1001
            # No `complete`: the client is to ask again.
            assert list(stream) == []
            assert waiting.result().json()["status"] == "pending"
            assert server.process.wait(timeout=30) in {0, -signal.SIGTERM}
            assert time.monotonic() - started < 8
