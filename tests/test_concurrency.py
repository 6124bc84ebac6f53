"""Two processes on one database: the quota is exact, whatever dies."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from app.domain import clock
from app.domain.webhooks.events import EVENTS
from app.storage.database import open_ledger
from app.storage.ledger.records import JobEnd
from app.storage.ledger.work import recover_jobs
from tests.conftest import ROOT, Site, running


async def post_many(urls: list[str], key: str, count: int) -> Counter[tuple[int, str]]:
    """Send `count` requests, each on a connection of its own, to the servers in turn.

    Bare sockets: a client with a pool takes longer over a thousand connections than the servers.
    """
    body = b'{"input": "hi"}'
    request = (
        f"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode() + body

    async def post(number: int) -> tuple[int, str]:
        host, port = urls[number % len(urls)].removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        answer = await reader.read()
        writer.close()
        head = answer.partition(b"\r\n\r\n")[0].decode().lower()
        left = head.partition("x-ratelimit-remaining: ")[2].partition("\r\n")[0]
        return int(head.split(" ", 2)[1]), left

    return Counter(await asyncio.gather(*(post(number) for number in range(count))))


@pytest.mark.contract("account.concurrency")
async def test_a_thousand_requests_over_two_processes_grant_exactly_the_limit(
    make_site: Callable[..., Site],
) -> None:
    site = make_site()
    key = site.create_key(site.create_account("free"))
    with running(site) as one, running(site) as two:
        codes = await post_many([one.base_url, two.base_url], key, 1000)
        assert Counter(code for code, _ in codes.elements()) == {200: 100, 429: 900}
        # A refusal never says that something is left, whatever was when it came in.
        assert codes[429, "0"] == 900
        with one.client(key) as client:
            usage = client.get("/v1/usage").json()["usage"]
            assert (usage["requests"], usage["remaining"]) == (100, 0)
            assert usage["by_type"]["text"] == 100
            assert client.get("/v1/jobs", params={"status": "completed"}).json()["total"] == 100


@pytest.mark.contract("account.given_back")
async def test_a_killed_server_gives_back_what_it_had_taken(
    make_site: Callable[..., Site],
) -> None:
    site = make_site()
    key = site.create_key(site.create_account("free"))
    with running(site) as server:
        long = {"input": "A long text about nothing in particular. " * 20_000}
        headers = {"Authorization": f"Bearer {key}"}

        async def post() -> int:
            async with httpx.AsyncClient(headers=headers, timeout=60) as client:
                return (await client.post(f"{server.base_url}/v1/classify", json=long)).status_code

        waiting = [asyncio.ensure_future(post()) for _ in range(4)]
        await until(lambda: jobs_by_status(site).get("processing") == 4)
        os.kill(server.process.pid, signal.SIGKILL)
        broken = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(outcome, httpx.TransportError) for outcome in broken)

    assert used(site) == 4
    later = clock.now() + timedelta(minutes=10)
    lost = JobEnd(0, 0, later, error_code="server_error", error_message="m")
    found = recover_jobs(later, most_attempts=3, given_up=lost, abandoned=lost, announcer=EVENTS)
    async with open_ledger(site.database) as ledger:
        for expected in (4, 0):
            assert len((await ledger.run(found)).failed.jobs) == expected
    assert used(site) == 0
    assert jobs_by_status(site) == {"failed": 4}


def test_two_first_starts_make_one_account(make_site: Callable[..., Site]) -> None:
    site = make_site(migrated=False)
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda _: first_start(site), range(2)))
    assert sum("cai_live_" in each for each in said) == 1
    assert site.command("account", "list").stdout.count("\n") == 2


def first_start(site: Site) -> str:
    """Start a server, stop it once it has said where it is, return what it said."""
    with running(site) as server:
        pass
    return server.output


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def jobs_by_status(site: Site) -> dict[str, int]:
    return dict(query(site, "SELECT status, COUNT(*) FROM jobs GROUP BY status"))


def used(site: Site) -> int:
    return int(query(site, "SELECT SUM(used) FROM usage_months")[0][0])


def query(site: Site, sql: str) -> list[tuple]:
    connection = sqlite3.connect(site.data_dir / "classifaily.db")
    rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


def test_several_workers_serve_one_port(make_site: Callable[..., Site]) -> None:
    site = make_site()
    key = site.create_key(site.create_account("pro"))
    with running(site, "--workers", "2") as server, server.client(key) as client:
        for _ in range(4):
            assert client.post("/v1/classify", json={"input": "hi"}).status_code == 200
        assert client.get("/v1/usage").json()["usage"]["requests"] == 4


def test_a_terminated_server_ends_cleanly(make_site: Callable[..., Site]) -> None:
    site = make_site()
    key = site.create_key(site.create_account("pro"))
    with running(site) as server, server.client(key) as client:
        assert client.post("/v1/classify", json={"input": "hi"}).status_code == 200
    assert server.process.poll() in {0, -signal.SIGTERM}
    assert "Traceback" not in server.output
    assert "failed" not in server.output


def test_a_taken_port_is_said_plainly(make_site: Callable[..., Site]) -> None:
    site = make_site()
    with running(site) as server:
        port = server.base_url.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-m", "app", "serve", "--port", port],
            cwd=ROOT,
            env=site.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
