"""`wait` on `GET /jobs`: the answer when a job or a batch has ended, or when the time is over."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.conftest import Server, Tenant
from tests.graphql.live import LONG_TEXT, submit, submit_batch


@pytest.mark.parametrize("address", ["/api/v1/jobs?id={}&wait=60", "/v1/jobs/{}?wait=60"])
def test_the_answer_comes_with_the_end(tenant: Tenant, address: str) -> None:
    job_id = submit(tenant.client)
    job = tenant.client.get(address.format(job_id)).json()
    assert (job["id"], job["status"]) == (job_id, "completed")
    assert job["result"]["label"] in {"gardening", "sports"}


def test_a_batch_too(tenant: Tenant) -> None:
    batch_id = submit_batch(tenant.client, LONG_TEXT, "x")
    batch = tenant.client.get("/api/v1/jobs", params={"id": batch_id, "wait": 60}).json()
    assert batch["status"] == "completed"
    assert len(batch["results"]) == 2


def test_what_has_ended_is_answered_at_once(tenant: Tenant) -> None:
    job_id = tenant.client.post("/api/v1/classify", json={"input": "x"}).json()["id"]
    started = time.monotonic()
    job = tenant.client.get(f"/api/v1/jobs/{job_id}", params={"wait": 60}).json()
    assert job["status"] == "completed"
    assert time.monotonic() - started < 20


def test_the_time_is_kept(idle_tenant: Tenant) -> None:
    for wanted in (submit(idle_tenant.client), submit_batch(idle_tenant.client, "x")):
        started = time.monotonic()
        job = idle_tenant.client.get("/api/v1/jobs", params={"id": wanted, "wait": 1}).json()
        assert job["status"] == "pending"
        assert time.monotonic() - started >= 0.95


def test_a_cancel_ends_the_waiting(idle_tenant: Tenant) -> None:
    job_id = submit(idle_tenant.client)
    with ThreadPoolExecutor(1) as pool:
        asked = {"id": job_id, "wait": 60}
        waiting = pool.submit(idle_tenant.client.get, "/api/v1/jobs", params=asked)
        time.sleep(0.5)
        idle_tenant.client.post(f"/api/v1/jobs/{job_id}/cancel")
        assert waiting.result(20).json()["error"]["code"] == "canceled"


@pytest.mark.parametrize("wait", ["-1", "61", "x", "1.5", ""])
def test_a_bad_time_is_refused(tenant: Tenant, wait: str) -> None:
    for address in ("/api/v1/jobs", "/api/v1/jobs/1"):
        answer = tenant.client.get(address, params={"id": "1", "wait": wait})
        assert answer.status_code == 400
        assert answer.json()["error"]["field"] == "wait"


def test_nobody_waits_for_what_is_not_theirs(
    tenant: Tenant, make_tenant: Callable[..., Tenant]
) -> None:
    other = make_tenant("pro")
    for wanted in (submit(tenant.client), submit_batch(tenant.client, "x"), "999999999"):
        answer = other.client.get("/api/v1/jobs", params={"id": wanted, "wait": 60})
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "job_not_found"


def test_a_revoked_key_waits_no_longer(idle_server: Server) -> None:
    site = idle_server.site
    account = site.create_account("pro")
    with idle_server.client(site.create_key(account)) as client, ThreadPoolExecutor(1) as pool:
        asked = {"id": submit(client), "wait": 60}
        waiting = pool.submit(client.get, "/api/v1/jobs", params=asked)
        listed = site.command("key", "list").stdout.splitlines()
        (newest,) = [line.split()[0] for line in listed if line.split()[1:2] == [str(account)]]
        site.command("key", "revoke", newest)
        assert waiting.result(20).status_code == 401


def test_clients_that_leave_are_waited_for_no_longer(
    idle_server: Server, idle_tenant: Tenant
) -> None:
    job_id = submit(idle_tenant.client)
    for _ in range(50):
        with idle_server.client(idle_tenant.key) as client, pytest.raises(httpx.ReadTimeout):
            client.get(f"/v1/jobs/{job_id}", params={"wait": 60}, timeout=0.05)
    assert idle_tenant.client.get("/readyz").status_code == 200


def test_it_is_documented(tenant: Tenant) -> None:
    paths = tenant.client.get("/api/v1/openapi.json").json()["paths"]
    for path in ("/jobs", "/jobs/{id}"):
        named = {p["name"]: p for p in paths[path]["get"]["parameters"]}
        assert named["wait"]["in"] == "query"
        assert named["wait"]["schema"]["maximum"] == 60
