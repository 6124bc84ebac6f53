"""`POST /classify` with `schemas` or `category_sets`: one input, several results."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Tenant
from tests.databases import query

CLASSIFY = "/api/v1/classify"
TOPICS = ["billing", "technical"]
TONES = {"name": "tone", "categories": ["angry", "friendly"]}


def classify(tenant: Tenant, **body: Any) -> httpx.Response:
    return tenant.client.post(CLASSIFY, json={"input": "I was charged twice", **body})


def make_schema(tenant: Tenant, name: str, **fields: Any) -> int:
    body = {"name": name, "categories": TOPICS, **fields}
    made: int = tenant.client.post("/api/v1/schemas", json=body).json()["id"]
    return made


def used(tenant: Tenant) -> int:
    count: int = tenant.client.get("/api/v1/usage").json()["usage"]["requests"]
    return count


@pytest.mark.contract("beyond.several_schemas")
def test_each_schema_has_a_result_of_its_own(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    topic = make_schema(tenant, "Topic")
    tone = make_schema(tenant, "Tone", categories=["angry", "friendly"], mode="multi")
    response = classify(tenant, schemas=[tone, topic])
    assert response.status_code == 200
    answer = response.json()
    assert answer["id"].startswith("batch_")
    assert (answer["status"], answer["type"]) == ("completed", "text")
    counts = {"total": 2, "completed": 2, "failed": 0}
    assert answer["meta"] == {**counts, "latency_ms": answer["meta"]["latency_ms"]}
    first, second = answer["results"]
    assert (first["schema"], first["name"], first["status"]) == (tone, "Tone", "completed")
    assert {label["label"] for label in first["result"]["labels"]} == {"angry", "friendly"}
    assert (second["schema"], second["name"]) == (topic, "Topic")
    assert second["result"]["label"] == "billing"
    assert used(tenant) == 2
    assert tenant.client.get(f"/api/v1/schemas/{topic}").json()["total_uses"] == 1
    job = tenant.client.get("/api/v1/jobs", params={"id": second["id"]}).json()
    assert (job["schema_id"], job["result"], job["categories"]) == (
        topic,
        second["result"],
        TOPICS,
    )
    assert tenant.client.get("/api/v1/jobs", params={"id": answer["id"]}).json() == answer


def test_category_sets_may_be_named_or_plain(tenant: Tenant) -> None:
    answer = classify(tenant, category_sets=[TONES, TOPICS], explain=True).json()
    tone, topic = answer["results"]
    assert (tone["schema"], tone["name"]) == (None, "tone")
    assert (topic["schema"], topic["name"]) == (None, None)
    assert topic["result"]["label"] in TOPICS
    assert topic["result"]["explanation"]


def test_every_option_holds_for_each(tenant: Tenant) -> None:
    answer = classify(
        tenant, category_sets=[TONES, TOPICS], mode="top_n", top_n=1, store=False
    ).json()
    assert [len(each["result"]["labels"]) for each in answer["results"]] == [1, 1]
    job = tenant.client.get(f"/api/v1/jobs/{answer['results'][0]['id']}").json()
    assert job["input_preview"] is None


def test_results_are_what_single_requests_get(tenant: Tenant) -> None:
    answer = classify(tenant, category_sets=[TOPICS, TONES]).json()
    for each, categories in zip(answer["results"], (TOPICS, TONES["categories"]), strict=True):
        assert each["result"] == classify(tenant, categories=categories).json()["result"]


def test_who_does_not_wait_polls_the_batch(tenant: Tenant) -> None:
    response = classify(tenant, category_sets=[TONES, TOPICS], **{"async": True})
    assert response.status_code == 202
    promised = response.json()
    assert promised["status"] == "pending"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = tenant.client.get("/api/v1/jobs", params={"id": promised["id"]}).json()
        if answer["status"] == "completed":
            break
        assert "results" not in answer
        time.sleep(0.05)
    assert [each["name"] for each in answer["results"]] == ["tone", None]
    assert answer["meta"]["completed"] == 2


def test_all_or_nothing_is_counted(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    classify(tenant)
    # The newest starter account is this one.
    query(
        tenant.site.database,
        "UPDATE usage_months SET used = 9999 WHERE account_id = "
        "(SELECT MAX(id) FROM accounts WHERE plan = 'starter')",
    )
    response = classify(tenant, category_sets=[TONES, TOPICS])
    assert response.status_code == 429
    assert response.json()["error"]["used"] == 9999
    assert classify(tenant, category_sets=[TONES]).status_code == 200


def test_a_dry_run_says_what_it_would_be(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    schema = make_schema(tenant, "Topic", mode="multi")
    assert classify(tenant, schemas=[schema], dry_run=True).json() == {
        "dry_run": True,
        "requests": 1,
        "remaining_after": 99_999,
        "type": "text",
        "results": [{"schema": schema, "name": "Topic", "mode": "multi", "categories": TOPICS}],
    }
    planned = classify(tenant, category_sets=[TONES, TOPICS], dry_run=True).json()
    assert (planned["requests"], used(tenant)) == (2, 0)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"schemas": []}, 400, "invalid_request", "schemas"),
        ({"schemas": list(range(1, 22))}, 400, "invalid_request", "schemas"),
        ({"schemas": ["1"]}, 400, "invalid_request", "schemas[0]"),
        ({"schemas": [7, 8, 7]}, 400, "invalid_request", "schemas[2]"),
        ({"schemas": [999_999]}, 404, "schema_not_found", None),
        ({"schemas": [0]}, 404, "schema_not_found", None),
        ({"schemas": [1], "schema": 2}, 400, "invalid_request", "schema"),
        ({"schemas": [1], "categories": ["a"]}, 400, "invalid_request", "categories"),
        ({"schemas": [1], "category_sets": [["a"]]}, 400, "invalid_request", "category_sets"),
        ({"category_sets": [["a"]], "categories": ["a"]}, 400, "invalid_request", "categories"),
        ({"category_sets": []}, 400, "invalid_request", "category_sets"),
        ({"category_sets": [["a"]] * 21}, 400, "invalid_request", "category_sets"),
        ({"category_sets": ["a"]}, 400, "invalid_request", "category_sets[0]"),
        ({"category_sets": [[]]}, 400, "invalid_request", "category_sets[0].categories"),
        (
            {"category_sets": [["a"], ["b", "b"]]},
            400,
            "invalid_request",
            "category_sets[1].categories[1]",
        ),
        (
            {"category_sets": [{"name": "", "categories": ["a"]}]},
            400,
            "invalid_request",
            "category_sets[0].name",
        ),
        ({"category_sets": [TONES, TONES]}, 400, "invalid_request", "category_sets[1].name"),
        ({"category_sets": [TONES], "threshold": 2}, 400, "invalid_request", "threshold"),
        ({"category_sets": [TONES], "type": "image"}, 400, "invalid_request", "input"),
    ],
)
def test_what_is_wrong_is_named(
    tenant: Tenant, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    response = classify(tenant, **body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error.get("field")) == (status, code, field)


def test_null_counts_as_left_out(tenant: Tenant) -> None:
    answer = classify(tenant, schemas=None, category_sets=None, categories=TOPICS).json()
    assert answer["result"]["label"] == "billing"


def test_schemas_for_one_type_give_it_and_may_not_differ(tenant: Tenant) -> None:
    text, anything = make_schema(tenant, "T", type="text"), make_schema(tenant, "A")
    image = make_schema(tenant, "I", type="image")
    assert classify(tenant, schemas=[anything, text]).json()["type"] == "text"
    differing = classify(tenant, schemas=[text, anything, image]).json()["error"]
    assert (differing["code"], differing["field"]) == ("invalid_request", "schemas[2]")
    named = classify(tenant, schemas=[anything, image], type="text").json()["error"]
    assert named["field"] == "type"


def test_another_accounts_schema_is_not_found(
    tenant: Tenant, make_tenant: Callable[..., Tenant]
) -> None:
    own, foreign = make_schema(tenant, "own"), make_schema(make_tenant(), "foreign")
    response = classify(tenant, schemas=[own, foreign])
    assert response.json()["error"]["code"] == "schema_not_found"


@pytest.mark.parametrize("body", [{"schemas": [1]}, {"category_sets": [["a"]]}])
def test_the_free_plan_has_none_of_it(
    make_tenant: Callable[..., Tenant], body: dict[str, Any]
) -> None:
    response = classify(make_tenant("free"), **body)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "plan_restriction"


def test_a_repeat_is_answered_once(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    body = {"input": "x", "category_sets": [TONES, TOPICS]}
    first, again = (
        tenant.client.post(CLASSIFY, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )
    assert again.content == first.content
    assert (again.headers["Idempotent-Replayed"], used(tenant)) == ("true", 2)
