"""`async: true`: a promise now, the answer to be polled."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Tenant

PATIENCE_S = 30
INVOICE = {"input": "My invoice is wrong.", "categories": ["billing", "weather"]}


def poll(tenant: Tenant, promised: str) -> dict[str, Any]:
    """Read a job or a batch until it has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer: dict[str, Any] = tenant.client.get("/api/v1/jobs", params={"id": promised}).json()
        if answer["status"] in {"completed", "failed"}:
            return answer
        assert answer["status"] in {"pending", "processing"}
        time.sleep(0.02)
    raise AssertionError(f"{promised} has not ended")


@pytest.mark.contract(
    "classify.async", "classify.response.accepted", "classify.response.poll", "job.status"
)
def test_a_classification_is_promised_and_polled(tenant: Tenant) -> None:
    promise = tenant.client.post("/api/v1/classify", json={**INVOICE, "async": True})
    assert promise.status_code == 202
    assert promise.json() == {"id": promise.json()["id"], "status": "pending"}
    job = poll(tenant, promise.json()["id"])
    assert job["status"] == "completed"
    assert job["result"]["label"] == "billing"
    waited_for = tenant.client.post("/api/v1/classify", json={**INVOICE, "async": False})
    assert waited_for.status_code == 200
    assert waited_for.json()["result"] == job["result"]


@pytest.mark.contract("batch.more.async")
def test_a_batch_is_promised_and_polled(tenant: Tenant) -> None:
    items = [{"id": f"t{number}", "input": INVOICE["input"]} for number in range(5)]
    body = {"items": items, "categories": INVOICE["categories"], "async": True}
    promise = tenant.client.post("/api/v1/batch", json=body)
    assert promise.status_code == 202
    assert promise.json() == {"id": promise.json()["id"], "status": "pending"}
    first = tenant.client.get(f"/api/v1/jobs/{promise.json()['id']}").json()
    assert first["meta"]["total"] == 5
    assert ("results" in first) is (first["status"] == "completed")
    batch = poll(tenant, promise.json()["id"])
    assert [entry["id"] for entry in batch["results"]] == [item["id"] for item in items]
    assert {entry["result"]["label"] for entry in batch["results"]} == {"billing"}
    meta = batch["meta"]
    assert (meta["total"], meta["completed"], meta["failed"]) == (5, 5, 0)


def test_a_promise_counts_and_is_kept_for_an_idempotency_key(
    make_tenant: Callable[..., Tenant],
) -> None:
    tenant = make_tenant("starter")
    headers = {"Idempotency-Key": "promise"}
    first, again = (
        tenant.client.post("/api/v1/classify", json={**INVOICE, "async": True}, headers=headers)
        for _ in range(2)
    )
    assert (first.status_code, first.headers["X-RateLimit-Remaining"]) == (202, "9999")
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    poll(tenant, first.json()["id"])
    assert tenant.client.get("/api/v1/usage").json()["usage"]["requests"] == 1
