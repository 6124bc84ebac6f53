"""`dry_run: true`: everything is checked, nothing is done."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Tenant

CLASSIFY, BATCH = "/api/v1/classify", "/api/v1/batch"
NAMES = ["billing", "technical"]


def rehearse(tenant: Tenant, path: str, **body: Any) -> httpx.Response:
    return tenant.client.post(path, json={"dry_run": True, **body})


def spend(tenant: Tenant, count: int) -> None:
    for _ in range(count):
        assert tenant.client.post(CLASSIFY, json={"input": "x"}).status_code == 200


@pytest.mark.contract("classify.more.dry_run")
def test_it_says_what_a_classification_would_be(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    response = rehearse(tenant, CLASSIFY, input="x", categories=NAMES, mode="multi")
    assert response.status_code == 200
    assert response.json() == {
        "dry_run": True,
        "requests": 1,
        "remaining_after": 9_999,
        "type": "text",
        "mode": "multi",
        "categories": NAMES,
        "schema_id": None,
    }


def test_a_schema_gives_its_defaults(tenant: Tenant) -> None:
    made = {"name": "S", "categories": [{"name": "a", "examples": ["b"]}], "mode": "multi"}
    schema = tenant.client.post("/api/v1/schemas", json=made).json()["id"]
    answer = rehearse(tenant, CLASSIFY, input="x", schema=schema).json()
    assert (answer["mode"], answer["categories"], answer["schema_id"]) == ("multi", ["a"], schema)
    assert answer["remaining_after"] is None
    assert tenant.client.get(f"/api/v1/schemas/{schema}").json()["total_uses"] == 0


@pytest.mark.contract("classify.more.dry_run")
def test_it_says_what_a_batch_would_be(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    items = [{"id": "q", "input": "x"}, {"input": "y", "categories": ["z"]}]
    answer = rehearse(tenant, BATCH, items=items, mode="top_n").json()
    shared = {"type": "text", "mode": "top_n", "schema_id": None}
    assert answer == {
        "dry_run": True,
        "requests": 2,
        "remaining_after": 99_998,
        "items": [
            {"id": "q", **shared, "categories": None},
            {"id": "1", **shared, "categories": ["z"]},
        ],
    }


@pytest.mark.contract("classify.more.dry_run")
def test_it_counts_and_leaves_nothing(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("free")
    for path, body in ((CLASSIFY, {"input": "x"}), (BATCH, {"items": [{"input": "x"}]})):
        response = rehearse(tenant, path, **body)
        assert response.status_code == 200
        assert response.headers["X-RateLimit-Remaining"] == "100"
    usage = tenant.client.get("/api/v1/usage").json()["usage"]
    assert (usage["requests"], usage["tokens"]) == (0, 0)
    assert tenant.client.get("/api/v1/jobs").json()["total"] == 0


def test_a_used_up_quota_is_429(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("free")
    spend(tenant, 99)
    assert rehearse(tenant, CLASSIFY, input="x").json()["remaining_after"] == 0
    spend(tenant, 1)
    for path, body in ((CLASSIFY, {"input": "x"}), (BATCH, {"items": [{"input": "x"}]})):
        response = rehearse(tenant, path, **body)
        assert response.status_code == 429
        error = response.json()["error"]
        assert (error["code"], error["limit"], error["used"]) == ("rate_limit_exceeded", 100, 100)
        assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        (CLASSIFY, {"input": ""}, (400, "invalid_request", "input")),
        (CLASSIFY, {"input": "x", "threshold": 2}, (400, "invalid_request", "threshold")),
        (CLASSIFY, {"input": "https://a.test/b", "type": "video"}, (403, "plan_restriction", None)),
        (CLASSIFY, {"input": "x", "schema": 999_999}, (404, "schema_not_found", None)),
        (BATCH, {"items": []}, (400, "invalid_request", "items")),
        (BATCH, {"items": [{"input": "x"}] * 51}, (403, "plan_restriction", None)),
    ],
)
def test_it_refuses_what_the_request_would_be_refused_for(
    make_tenant: Callable[..., Tenant],
    path: str,
    body: dict[str, Any],
    refusal: tuple[int, str, str | None],
) -> None:
    tenant = make_tenant("starter")
    tried = rehearse(tenant, path, **body)
    error = tried.json()["error"]
    assert (tried.status_code, error["code"], error.get("field")) == refusal
    assert tenant.client.post(path, json=body).json()["error"] == error


@pytest.mark.parametrize("value", ["yes", 1, [], {}])
@pytest.mark.parametrize(
    ("path", "body"), [(CLASSIFY, {"input": "x"}), (BATCH, {"items": [{"input": "x"}]})]
)
def test_a_bad_value_is_refused_by_name(
    tenant: Tenant, path: str, body: dict[str, Any], value: Any
) -> None:
    response = tenant.client.post(path, json={**body, "dry_run": value})
    assert response.status_code == 400
    assert response.json()["error"]["field"] == "dry_run"


def test_false_and_null_are_the_real_request(tenant: Tenant) -> None:
    for value in (False, None):
        answer = tenant.client.post(CLASSIFY, json={"input": "x", "dry_run": value}).json()
        assert answer["status"] == "completed"


def test_an_idempotency_key_stays_free_for_the_real_request(
    make_tenant: Callable[..., Tenant],
) -> None:
    tenant = make_tenant("pro")
    headers = {"Idempotency-Key": "order-1"}
    body = {"input": "x", "categories": NAMES}
    for left in (99_999, 99_999):
        tried = tenant.client.post(CLASSIFY, json={**body, "dry_run": True}, headers=headers)
        assert "Idempotent-Replayed" not in tried.headers
        assert tried.json()["remaining_after"] == left
    done = tenant.client.post(CLASSIFY, json=body, headers=headers)
    assert done.json()["status"] == "completed"
    again = tenant.client.post(CLASSIFY, json=body, headers=headers)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (done.content, "true")
    late = tenant.client.post(CLASSIFY, json={**body, "dry_run": True}, headers=headers)
    assert late.json()["error"]["code"] == "idempotency_conflict"
