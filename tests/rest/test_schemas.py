"""`/schemas`: the whole life of a schema."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.conftest import Tenant

RICH = [
    {"name": "billing", "description": "Payments, refunds", "examples": ["I was charged twice"]},
    {"name": "general"},
]


@pytest.fixture
def owner(make_tenant: Callable[..., Tenant]) -> Tenant:
    """A starter tenant with no schemas."""
    return make_tenant("starter")


def create(owner: Tenant, **body: object) -> dict:
    response = owner.client.post("/api/v1/schemas", json={"name": "S", "categories": ["a"], **body})
    assert response.status_code == 201, response.text
    return response.json()


@pytest.mark.contract(
    "schemas.name", "schemas.categories", "schemas.description", "schemas.type",
    "schemas.response.id", "schemas.response.name", "schemas.response.categories",
    "schemas.response.type", "schemas.response.mode", "schemas.response.total_uses", "ids.schema",
    "more.schemas.list", "more.schemas.post", "transport.id_in_path",
)  # fmt: skip
def test_a_created_schema_has_the_documented_shape(owner: Tenant) -> None:
    made = create(owner, name="Tickets", description="Routes", type="text", categories=RICH)
    assert isinstance(made["id"], int)
    assert made == {
        "id": made["id"],
        "name": "Tickets",
        "description": "Routes",
        "categories": RICH,
        "type": "text",
        "mode": "single",
        "total_uses": 0,
        "created_at": made["created_at"],
    }
    for address in (f"/api/v1/schemas/{made['id']}", f"/api/v1/schemas?id={made['id']}"):
        assert owner.client.get(address).json() == made


@pytest.mark.contract("schemas.type", "schemas.mode", "schemas.categories")
def test_defaults(owner: Tenant) -> None:
    made = create(owner, categories=["a", "b"])
    assert (made["type"], made["mode"], made["description"]) == ("any", "single", None)
    assert made["categories"] == ["a", "b"]


@pytest.mark.contract("more.schemas.patch")
def test_patch_changes_only_what_it_names(owner: Tenant) -> None:
    made = create(owner, description="old", mode="multi", categories=RICH)
    address = f"/api/v1/schemas/{made['id']}"
    assert owner.client.patch(address, json={"name": "New"}).json() == {**made, "name": "New"}
    assert owner.client.patch(address, json={}).json() == {**made, "name": "New"}
    assert owner.client.patch(address, json={"description": None}).json()["description"] is None


@pytest.mark.contract("more.schemas.put")
def test_put_replaces_the_whole(owner: Tenant) -> None:
    made = create(owner, description="old", mode="multi", categories=RICH)
    address = f"/api/v1/schemas/{made['id']}"
    put = owner.client.put(address, json={"name": "New", "categories": ["x"]}).json()
    assert put == {**made, "name": "New", "description": None, "mode": "single",
                   "categories": ["x"]}  # fmt: skip
    assert owner.client.put(address, json={"name": "New"}).status_code == 400


@pytest.mark.contract("more.schemas.delete", "more.schemas.deleted", "error.schema_not_found")
def test_delete_leaves_jobs_readable(owner: Tenant) -> None:
    made = create(owner, categories=["billing", "weather"])
    body = {"input": "my invoice is wrong", "schema": made["id"]}
    answer = owner.client.post("/api/v1/classify", json=body).json()
    assert owner.client.delete(f"/api/v1/schemas/{made['id']}").status_code == 204
    gone = owner.client.get(f"/api/v1/schemas/{made['id']}")
    assert gone.status_code == 404
    assert gone.json()["error"]["code"] == "schema_not_found"
    job = owner.client.get(f"/api/v1/jobs/{answer['id']}").json()
    assert job["schema_id"] == made["id"]
    assert job["categories"] == ["billing", "weather"]
    assert owner.client.post("/api/v1/classify", json=body).status_code == 404


@pytest.mark.contract(
    "classify.schema", "schemas.mode", "classify.more.schema_wins",
    "classify.more.schema_defaults", "more.schemas.total_uses",
)  # fmt: skip
def test_the_schema_gives_defaults_and_counts_uses(owner: Tenant) -> None:
    made = create(owner, categories=["billing", "weather"], mode="multi", type="text")
    body = {"input": "my invoice is wrong", "schema": made["id"], "categories": ["ignored"]}
    answer = owner.client.post("/api/v1/classify", json=body).json()
    assert answer["meta"]["mode"] == "multi"
    assert {entry["label"] for entry in answer["result"]["labels"]} == {"billing", "weather"}
    single = owner.client.post("/api/v1/classify", json={**body, "mode": "single"}).json()
    assert single["result"]["label"] == "billing"
    assert owner.client.get(f"/api/v1/schemas/{made['id']}").json()["total_uses"] == 2


@pytest.mark.contract("more.schemas.past_jobs")
def test_an_update_never_changes_what_a_past_job_shows(owner: Tenant) -> None:
    made = create(owner, categories=["billing", "weather"])
    answer = owner.client.post("/api/v1/classify", json={"input": "x", "schema": made["id"]}).json()
    owner.client.patch(f"/api/v1/schemas/{made['id']}", json={"categories": ["other"]})
    job = owner.client.get(f"/api/v1/jobs/{answer['id']}").json()
    assert job["categories"] == ["billing", "weather"]


@pytest.mark.contract("classify.more.schema_type", "schemas.type")
def test_a_schema_refuses_another_type_of_input(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    made = create(tenant, type="image")
    body = {"input": "x", "type": "text", "schema": made["id"]}
    response = tenant.client.post("/api/v1/classify", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["field"] == "type"


@pytest.mark.contract("error.schema_not_found", "more.schemas.foreign")
def test_another_accounts_schema_is_not_found(
    owner: Tenant, make_tenant: Callable[..., Tenant]
) -> None:
    made = create(owner)
    other = make_tenant("starter").client
    address = f"/api/v1/schemas/{made['id']}"
    responses = [
        other.get(address),
        other.put(address, json={"name": "x", "categories": ["a"]}),
        other.patch(address, json={"name": "x"}),
        other.delete(address),
        other.post("/api/v1/classify", json={"input": "x", "schema": made["id"]}),
    ]
    for response in responses:
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "schema_not_found"
    assert other.get("/api/v1/schemas").json()["total"] == 0
    assert owner.client.get(address).json() == made


def test_the_plan_bounds_how_many(owner: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    for _ in range(10):
        create(owner)
    refused = owner.client.post("/api/v1/schemas", json={"name": "S", "categories": ["a"]})
    assert refused.status_code == 403
    error = refused.json()["error"]
    assert (error["feature"], error["required_plan"]) == ("schemas", "pro")
    assert owner.client.get("/api/v1/schemas", params={"limit": 5}).json()["total"] == 10
    free = make_tenant("free").client
    none = free.post("/api/v1/schemas", json={"name": "S", "categories": ["a"]}).json()["error"]
    assert (none["feature"], none["required_plan"]) == ("schemas", "starter")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 1}, "name"),
        ({"description": 1}, "description"),
        ({"description": "x" * 2001}, "description"),
        ({"type": "smell"}, "type"),
        ({"mode": "top_n"}, "mode"),
        ({"categories": None}, "categories"),
        ({"categories": []}, "categories"),
        ({"categories": ["a", "a"]}, "categories[1]"),
    ],
)
def test_a_bad_value_is_refused_by_name(tenant: Tenant, body: dict, field: str) -> None:
    response = tenant.client.post("/api/v1/schemas", json={"name": "S", "categories": ["a"]} | body)
    assert response.status_code == 400
    assert response.json()["error"]["field"] == field


def test_a_change_needs_an_id(tenant: Tenant) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        body = {"name": "S", "categories": ["a"]}
        response = tenant.client.request(method, "/api/v1/schemas", json=body)
        assert response.json()["error"]["field"] == "id"


@pytest.mark.contract("schemas.reuse", "schemas.response.created_at", "ids.times")
def test_a_change_holds_for_the_next_request(owner: Tenant) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    made = create(owner, categories=["billing", "weather"])
    assert before <= datetime.fromisoformat(made["created_at"]) <= datetime.now(UTC)
    assert made["created_at"].endswith("Z")
    body = {"input": "My invoice is wrong.", "schema": made["id"]}
    assert owner.client.post("/api/v1/classify", json=body).json()["result"]["label"] == "billing"
    address = f"/api/v1/schemas/{made['id']}"
    assert owner.client.patch(address, json={"categories": ["invoices", "rain"]}).is_success
    assert owner.client.post("/api/v1/classify", json=body).json()["result"]["label"] == "invoices"
