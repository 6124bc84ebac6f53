"""`/account`, and whole inputs kept where it says so."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Tenant
from tests.databases import query

ACCOUNT, CLASSIFY = "/api/v1/account", "/api/v1/classify"
LONG = "I was charged twice. " * 20


def retain(tenant: Tenant, on: bool) -> Any:
    response = tenant.client.patch(ACCOUNT, json={"retain_inputs": on})
    assert response.status_code == 200
    return response.json()


def classify(tenant: Tenant, **options: Any) -> str:
    job_id: str = tenant.client.post(CLASSIFY, json={"input": LONG, **options}).json()["id"]
    return job_id


def job(tenant: Tenant, job_id: str) -> Any:
    return tenant.client.get("/api/v1/jobs", params={"id": job_id}).json()


def ended(tenant: Tenant, job_id: str) -> Any:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = job(tenant, job_id)
        if found["status"] == "completed":
            return found
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def stored(tenant: Tenant) -> int:
    ((count,),) = query(
        tenant.site.database,
        f"SELECT COUNT(*) FROM job_inputs WHERE account_id = {tenant.account_id}",  # noqa: S608
    )
    return int(count)


def test_it_is_shown_and_changed(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    before = tenant.client.get(ACCOUNT).json()
    assert before == {
        "id": tenant.account_id,
        "name": "test pro",
        "email": None,
        "plan": "pro",
        "status": "active",
        "retain_inputs": False,
        "cache_ttl": None,
        "default_model": None,
        "budget": None,
        "created_at": before["created_at"],
    }
    changed = tenant.client.patch(ACCOUNT, json={"name": " Acme ", "retain_inputs": None}).json()
    assert changed == {**before, "name": "Acme"}
    assert tenant.client.patch(ACCOUNT, json={}).json() == changed
    assert tenant.client.get(ACCOUNT).json() == changed


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": 7}, "name"),
        ({"retain_inputs": "yes"}, "retain_inputs"),
    ],
)
def test_what_is_wrong_is_named(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    response = tenant.client.patch(ACCOUNT, json=body)
    assert (response.status_code, response.json()["error"]["field"]) == (400, field)


def test_other_methods_are_not_allowed(tenant: Tenant) -> None:
    assert tenant.client.delete(ACCOUNT).status_code == 405


def test_nothing_is_kept_unless_asked_for(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    now = job(tenant, classify(tenant))
    later = ended(tenant, classify(tenant, **{"async": True}))
    assert "input" not in now
    assert "input" not in later
    assert stored(tenant) == 0


@pytest.mark.contract("kept.retain_inputs")
def test_retained_inputs_are_shown_with_their_jobs(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    assert retain(tenant, True)["retain_inputs"] is True
    now, later = classify(tenant), classify(tenant, **{"async": True})
    batch = tenant.client.post("/api/v1/batch", json={"items": [{"input": "first"}]}).json()
    assert job(tenant, now)["input"] == LONG
    assert ended(tenant, later)["input"] == LONG
    assert batch["status"] == "completed"
    listed = tenant.client.get("/api/v1/jobs").json()["jobs"]
    assert job(tenant, listed[0]["id"])["input"] == "first"
    # A hundred inputs of a million characters are no page.
    assert all("input" not in each for each in listed)


def test_store_false_keeps_nothing_all_the_same(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    retain(tenant, True)
    now = classify(tenant, store=False)
    later = classify(tenant, store=False, **{"async": True})
    assert "input" not in ended(tenant, now)
    assert "input" not in ended(tenant, later)
    assert stored(tenant) == 0


@pytest.mark.contract("kept.retain_inputs")
def test_turning_it_off_deletes_what_was_kept(make_tenant: Callable[..., Tenant]) -> None:
    tenant, other = make_tenant("pro"), make_tenant("pro")
    for each in (tenant, other):
        retain(each, True)
    kept, others = classify(tenant), classify(other)
    assert stored(tenant) == 1
    assert retain(tenant, False)["retain_inputs"] is False
    assert stored(tenant) == 0
    retain(tenant, True)
    assert "input" not in job(tenant, kept)
    assert job(other, others)["input"] == LONG
