"""`GET /jobs` and `GET /usage`."""

from collections.abc import Callable

import pytest

from tests.conftest import Tenant

DOCUMENTED = {
    "id", "status", "input_type", "input_preview", "result", "categories", "schema_id",
    "model_used", "tokens_used", "latency_ms", "created_at", "completed_at",
}  # fmt: skip


@pytest.fixture(scope="module")
def worker(make_tenant: Callable[..., Tenant]) -> Tenant:
    """A tenant with five jobs."""
    tenant = make_tenant("pro")
    for number in range(5):
        body = {"input": f"Invoice number {number} is wrong", "categories": ["billing", "other"]}
        assert tenant.client.post("/api/v1/classify", json=body).status_code == 200
    return tenant


@pytest.mark.contract(
    "jobs.id", "jobs.record", "job.id", "job.status", "job.input_type", "job.input_preview",
    "job.result", "job.categories", "job.schema_id", "job.model_used", "job.tokens_used",
    "job.latency_ms", "job.created_at", "job.completed_at", "more.jobs.preview",
)  # fmt: skip
def test_a_job_has_the_documented_shape(worker: Tenant) -> None:
    answer = worker.client.post(
        "/api/v1/classify", json={"input": "x" * 150, "categories": ["a", "b"]}
    ).json()
    job = worker.client.get("/api/v1/jobs", params={"id": answer["id"]}).json()
    assert set(job) == DOCUMENTED | {"cached", "completion_tokens", "cost", "prompt_tokens"}
    assert job["id"] == answer["id"]
    assert job["status"] == "completed"
    assert job["input_type"] == "text"
    assert job["input_preview"] == "x" * 100
    assert job["result"] == answer["result"]
    assert job["categories"] == ["a", "b"]
    assert job["schema_id"] is None
    assert job["model_used"] == "classifai-v1"
    assert job["tokens_used"] == answer["meta"]["tokens"]
    assert job["latency_ms"] == answer["meta"]["latency_ms"]
    assert job["created_at"] == answer["created_at"]
    assert job["completed_at"].endswith("Z")


@pytest.mark.contract("transport.id_in_path", "ids.job")
def test_the_id_may_stand_in_the_path(worker: Tenant) -> None:
    newest = worker.client.get("/api/v1/jobs", params={"limit": 1}).json()["jobs"][0]
    for address in (f"/api/v1/jobs/{newest['id']}", f"/v1/jobs/{newest['id']}/"):
        assert worker.client.get(address).json() == newest


@pytest.mark.contract("jobs.limit", "jobs.offset", "more.jobs.list")
def test_the_list_is_newest_first_and_pages(worker: Tenant) -> None:
    whole = worker.client.get("/api/v1/jobs").json()
    assert set(whole) == {"jobs", "total", "limit", "offset"}
    assert whole["limit"] == 20
    assert whole["offset"] == 0
    ids = [int(job["id"]) for job in whole["jobs"]]
    assert ids == sorted(ids, reverse=True)
    assert whole["total"] == len(ids) >= 5
    page = worker.client.get("/api/v1/jobs", params={"limit": 2, "offset": 1}).json()
    assert [int(job["id"]) for job in page["jobs"]] == ids[1:3]
    assert (page["total"], page["limit"], page["offset"]) == (whole["total"], 2, 1)


@pytest.mark.contract("jobs.status", "jobs.input_type")
def test_filters(worker: Tenant) -> None:
    def total(**params: str) -> int:
        return worker.client.get("/api/v1/jobs", params=params).json()["total"]

    assert total(status="completed") == total()
    assert total(status="failed") == total(status="pending") == total(status="processing") == 0
    assert total(input_type="text") == total()
    assert total(input_type="image") == 0


@pytest.mark.contract("jobs.limit", "transport.field")
@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "9" * 40}, "offset"),
        ({"status": "done"}, "status"),
        ({"input_type": "smell"}, "input_type"),
        ({"id": "abc"}, "id"),
    ],
)
def test_bad_parameters_are_refused_by_name(worker: Tenant, params: dict, field: str) -> None:
    response = worker.client.get("/api/v1/jobs", params=params)
    assert response.status_code == 400
    assert response.json()["error"]["field"] == field


@pytest.mark.contract("errors.job_not_found")
def test_another_accounts_job_is_not_found(
    worker: Tenant, make_tenant: Callable[..., Tenant]
) -> None:
    job_id = worker.client.get("/api/v1/jobs", params={"limit": 1}).json()["jobs"][0]["id"]
    other = make_tenant("pro")
    for address in (f"/api/v1/jobs/{job_id}", "/api/v1/jobs/999999999"):
        response = other.client.get(address)
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "job_not_found"
    assert other.client.get("/api/v1/jobs").json()["total"] == 0


@pytest.mark.contract("kept.store")
def test_store_false_keeps_neither_preview_nor_explanation(worker: Tenant) -> None:
    body = {"input": "A secret text", "categories": ["a", "b"], "store": False, "explain": True}
    answer = worker.client.post("/api/v1/classify", json=body).json()
    assert "explanation" in answer["result"]
    job = worker.client.get(f"/api/v1/jobs/{answer['id']}").json()
    assert job["input_preview"] is None
    assert job["result"] == {k: answer["result"][k] for k in ("label", "confidence")}


@pytest.mark.contract(
    "usage.period", "usage.plan", "usage.limits.requests", "usage.limits.resets_at",
    "usage.limits.media", "usage.limits.schemas", "usage.limits.batch_size",
    "usage.usage.requests", "usage.usage.remaining", "usage.usage.by_type", "usage.usage.tokens",
    "limits.monitor", "limits.reset",
)  # fmt: skip
def test_usage_counts_requests_tokens_and_types(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    tokens = 0
    for text in ("one two three", "four"):
        answer = tenant.client.post("/api/v1/classify", json={"input": text}).json()
        tokens += answer["meta"]["tokens"]
    usage = tenant.client.get("/api/v1/usage").json()
    assert set(usage) == {"period", "plan", "limits", "usage"}
    assert usage["plan"] == "starter"
    assert usage["limits"]["requests"] == 10_000
    assert usage["limits"]["media"] is True
    assert usage["limits"]["schemas"] == 10
    assert usage["limits"]["batch_size"] == 50
    assert usage["limits"]["resets_at"].endswith("-01T00:00:00Z")
    assert usage["usage"] == {
        "requests": 2,
        "remaining": 9_998,
        "by_type": {"text": 2, "image": 0, "audio": 0, "video": 0},
        "tokens": tokens,
        "cost": "0",
        "cost_by_type": {"text": "0", "image": "0", "audio": "0", "video": "0"},
    }


@pytest.mark.contract("usage.month", "usage.period", "more.usage.empty")
def test_a_month_without_use_is_all_zeros(worker: Tenant) -> None:
    usage = worker.client.get("/api/v1/usage", params={"month": "2020-02"}).json()
    assert usage["period"] == "2020-02"
    assert usage["limits"]["resets_at"] == "2020-03-01T00:00:00Z"
    assert usage["usage"]["requests"] == usage["usage"]["tokens"] == 0
    assert set(usage["usage"]["by_type"].values()) == {0}


@pytest.mark.contract("more.usage.malformed")
@pytest.mark.parametrize("month", ["2025", "2025-13", "2025-1", "25-01", "2025-01-01", "x", ""])
def test_a_malformed_month_is_refused(worker: Tenant, month: str) -> None:
    response = worker.client.get("/api/v1/usage", params={"month": month})
    assert response.status_code == 400
    assert response.json()["error"]["field"] == "month"


@pytest.mark.contract("more.usage.unlimited")
def test_unlimited_is_null(tenant: Tenant) -> None:
    usage = tenant.client.get("/api/v1/usage").json()
    assert usage["limits"]["requests"] is None
    assert usage["limits"]["schemas"] is None
    assert usage["usage"]["remaining"] is None


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/schemas"])
def test_the_rest_of_the_query_is_checked_beside_an_id(tenant: Tenant, path: str) -> None:
    response = tenant.client.get(path, params={"id": 1, "limit": 0})
    assert response.status_code == 400
    assert response.json()["error"]["field"] == "limit"
