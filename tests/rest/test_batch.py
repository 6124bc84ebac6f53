"""`POST /batch` and reading a batch."""

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.conftest import Tenant

TICKETS = [
    {"id": "ticket_1001", "input": "I was charged twice for my subscription."},
    {"id": "ticket_1002", "input": "The API keeps returning a 500 error."},
    {"id": "ticket_1003", "input": "How do I change my password?"},
]
QUEUES = [
    {"name": "billing", "description": "Payments, refunds, invoices, subscription charges"},
    {"name": "technical", "description": "Bugs, errors, API issues, performance problems"},
    {"name": "account", "description": "Profile, password, permissions, 2FA"},
    {"name": "general", "description": "Everything else"},
]


@pytest.mark.contract(
    "batch.items", "batch.items.id", "batch.items.input", "batch.mode", "batch.response.id",
    "batch.response.status", "batch.response.results.id", "batch.response.results.status",
    "batch.response.results.result", "batch.response.meta.total", "batch.response.meta.completed",
    "batch.response.meta.failed", "batch.response.meta.latency_ms", "ids.batch",
    "batch.more.order", "batch.more.read", "transport.id_in_path",
)  # fmt: skip
def test_a_batch_has_the_documented_shape(tenant: Tenant) -> None:
    body = {"categories": QUEUES, "mode": "single", "items": TICKETS}
    response = tenant.client.post("/api/v1/batch", json=body)
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {"id", "status", "results", "meta", "created_at"}
    assert re.fullmatch(r"batch_[0-9a-f]+", answer["id"])
    assert answer["status"] == "completed"
    assert [entry["id"] for entry in answer["results"]] == [ticket["id"] for ticket in TICKETS]
    for entry in answer["results"]:
        assert set(entry) == {"id", "status", "result"}
        assert entry["status"] == "completed"
    labels = [entry["result"]["label"] for entry in answer["results"]]
    assert labels == ["billing", "technical", "account"]
    meta = answer["meta"]
    assert (meta["total"], meta["completed"], meta["failed"]) == (3, 3, 0)
    assert isinstance(meta["latency_ms"], int)
    for address in (f"/api/v1/jobs?id={answer['id']}", f"/api/v1/jobs/{answer['id']}"):
        assert tenant.client.get(address).json() == answer


def test_an_item_gets_the_same_answer_as_alone(tenant: Tenant) -> None:
    batch = tenant.client.post("/api/v1/batch", json={"categories": QUEUES, "items": TICKETS})
    for ticket, entry in zip(TICKETS, batch.json()["results"], strict=True):
        body = {"input": ticket["input"], "categories": QUEUES}
        assert tenant.client.post("/api/v1/classify", json=body).json()["result"] == entry["result"]


@pytest.mark.contract(
    "batch.categories", "batch.items.categories", "batch.mode", "batch.more.item_schema",
    "batch.more.default_id", "batch.more.top_n",
)  # fmt: skip
def test_items_override_and_inherit(tenant: Tenant) -> None:
    made = {"name": "S", "categories": ["x", "y"]}
    schema = tenant.client.post("/api/v1/schemas", json=made).json()["id"]
    items = [
        {"input": "one"},
        {"input": "two", "categories": ["p", "q"]},
        {"input": "three", "schema": schema},
        {"input": "four", "schema": schema, "categories": ["p", "q"]},
    ]
    body = {"categories": ["a", "b"], "mode": "top_n", "top_n": 1, "items": items}
    results = tenant.client.post("/api/v1/batch", json=body).json()["results"]
    chosen = [entry["result"]["labels"][0]["label"] for entry in results]
    assert [entry["id"] for entry in results] == ["0", "1", "2", "3"]
    assert chosen[0] in {"a", "b"}
    assert chosen[1] in {"p", "q"}
    assert chosen[2] in {"x", "y"}
    assert chosen[3] in {"x", "y"}


@pytest.mark.contract("batch.threshold", "batch.explain", "batch.mode")
def test_options_apply_to_every_item(tenant: Tenant) -> None:
    body = {"categories": QUEUES, "explain": True, "threshold": 1.0, "items": TICKETS[:2]}
    results = tenant.client.post("/api/v1/batch", json=body).json()["results"]
    assert [entry["result"] for entry in results] == [{"label": None, "confidence": None}] * 2
    body = {"categories": QUEUES, "explain": True, "mode": "multi", "items": TICKETS[:2]}
    results = tenant.client.post("/api/v1/batch", json=body).json()["results"]
    assert all("explanation" in label for entry in results for label in entry["result"]["labels"])


@pytest.mark.contract("batch.counts")
def test_each_item_counts_one_all_or_nothing(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    many = {"categories": ["a", "b"], "items": [{"input": "x"}] * 50}
    assert tenant.client.post("/api/v1/batch", json=many).status_code == 200
    assert tenant.client.get("/api/v1/usage").json()["usage"]["requests"] == 50
    # Two items do not fit into what is left of a free plan's month: one would.
    tenant.site.command("account", "set-plan", str(tenant.account_id), "free")
    for _ in range(49):
        assert tenant.client.post("/api/v1/classify", json={"input": "x"}).status_code == 200
    tenant.site.command("account", "set-plan", str(tenant.account_id), "starter")
    assert tenant.client.get("/api/v1/usage").json()["usage"]["requests"] == 99


@pytest.mark.contract("batch.more.size")
@pytest.mark.parametrize(
    ("plan", "count", "required"),
    [("free", 2, "starter"), ("starter", 51, "pro"), ("pro", 501, "enterprise")],
)
def test_more_than_the_plans_batch_size_is_403(
    make_tenant: Callable[..., Tenant], plan: str, count: int, required: str
) -> None:
    tenant = make_tenant(plan)
    response = tenant.client.post("/api/v1/batch", json={"items": [{"input": "x"}] * count})
    assert response.status_code == 403
    error = response.json()["error"]
    assert (error["code"], error["required_plan"]) == ("plan_restriction", required)
    assert tenant.client.get("/api/v1/usage").json()["usage"]["requests"] == 0


def test_a_free_plan_may_send_one(make_tenant: Callable[..., Tenant]) -> None:
    response = make_tenant("free").client.post("/api/v1/batch", json={"items": [{"input": "hi"}]})
    assert response.status_code == 200


@pytest.mark.contract("batch.more.duplicate_ids")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items"),
        ({"items": None}, "items"),
        ({"items": []}, "items"),
        ({"items": "x"}, "items"),
        ({"items": ["x"]}, "items[0]"),
        ({"items": [{"input": "a"}, {}]}, "items[1].input"),
        ({"items": [{"input": "a"}, {"input": 1}]}, "items[1].input"),
        ({"items": [{"input": "a"}, {"input": " "}]}, "items[1].input"),
        ({"items": [{"input": "a", "id": 1}]}, "items[0].id"),
        ({"items": [{"input": "a", "id": "x" * 201}]}, "items[0].id"),
        ({"items": [{"input": "a", "id": "q"}, {"input": "b", "id": "q"}]}, "items[1].id"),
        ({"items": [{"input": "a", "id": "1"}, {"input": "b"}]}, "items[1].id"),
        ({"items": [{"input": "a", "type": "smell"}]}, "items[0].type"),
        ({"items": [{"input": "a", "categories": []}]}, "items[0].categories"),
        ({"items": [{"input": "a", "categories": ["b", "b"]}]}, "items[0].categories[1]"),
        ({"items": [{"input": "a"}], "categories": ["b", 1]}, "categories[1]"),
        ({"items": [{"input": "a"}], "threshold": 2}, "threshold"),
        ({"items": [{"input": "a"}], "top_n": 0}, "top_n"),
    ],
)
def test_a_bad_value_is_refused_by_name(tenant: Tenant, body: dict, field: str) -> None:
    response = tenant.client.post("/api/v1/batch", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["field"] == field


def test_another_accounts_batch_is_not_found(
    tenant: Tenant, make_tenant: Callable[..., Tenant]
) -> None:
    batch = tenant.client.post("/api/v1/batch", json={"items": [{"input": "x"}]}).json()
    response = make_tenant("pro").client.get(f"/api/v1/jobs/{batch['id']}")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "job_not_found"


@pytest.mark.parametrize("unknown", ["batch_6612abc", "batch_" + "a" * 24, "batch_" + "0" * 32])
def test_a_batch_that_there_is_not_is_not_found(tenant: Tenant, unknown: str) -> None:
    for response in (
        tenant.client.get("/api/v1/jobs", params={"id": unknown}),
        tenant.client.get(f"/api/v1/jobs/{unknown}"),
    ):
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "job_not_found"


@pytest.mark.contract("batch.items.type")
def test_an_item_has_a_type_of_its_own(tenant: Tenant) -> None:
    items = [{"input": "x", "type": "text"}, {"input": "y", "type": "text"}]
    body = {"items": items, "type": "video", "dry_run": True}
    planned = tenant.client.post("/api/v1/batch", json=body).json()["items"]
    assert [item["type"] for item in planned] == ["text", "text"]
    done = tenant.client.post("/api/v1/batch", json={**body, "dry_run": False})
    assert done.json()["status"] == "completed"


@pytest.mark.contract("batch.schema", "ids.times", "batch.response.created_at")
def test_a_schema_for_all_items(tenant: Tenant) -> None:
    made = {"name": "S", "categories": ["billing", "weather"], "mode": "multi"}
    schema = tenant.client.post("/api/v1/schemas", json=made).json()["id"]
    body = {"schema": schema, "categories": ["ignored"], "items": TICKETS}
    before = datetime.now(UTC).replace(microsecond=0)
    answer = tenant.client.post("/api/v1/batch", json=body).json()
    assert before <= datetime.fromisoformat(answer["created_at"]) <= datetime.now(UTC)
    assert answer["created_at"].endswith("Z")
    for entry in answer["results"]:
        assert {label["label"] for label in entry["result"]["labels"]} == {"billing", "weather"}
    assert tenant.client.get(f"/api/v1/schemas/{schema}").json()["total_uses"] == len(TICKETS)


@pytest.mark.contract("account.all_or_nothing")
def test_a_batch_larger_than_what_remains_counts_nothing(
    make_tenant: Callable[..., Tenant],
) -> None:
    tenant = make_tenant("starter")
    assert tenant.client.post("/api/v1/classify", json={"input": "x"}).status_code == 200
    database = sqlite3.connect(tenant.site.data_dir / "classifaily.db", timeout=10)
    with database:
        database.execute(
            "UPDATE usage_months SET used = 9990 WHERE account_id = ?", (tenant.account_id,)
        )
    database.close()
    refused = tenant.client.post("/api/v1/batch", json={"items": [{"input": "x"}] * 11})
    error = refused.json()["error"]
    assert (refused.status_code, error["limit"], error["used"]) == (429, 10_000, 9_990)
    assert tenant.client.get("/api/v1/jobs").json()["total"] == 1
    assert tenant.client.post("/api/v1/batch", json={"items": [{"input": "x"}] * 10}).is_success
    assert tenant.client.get("/api/v1/usage").json()["usage"]["remaining"] == 0
