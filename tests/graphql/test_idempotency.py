"""`Idempotency-Key` on POST /graphql."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Tenant
from tests.databases import query

CLASSIFY = """
mutation ($input: ClassifyInput!) {
  classify(input: $input) {
    job { id result { label confidence } } batch { id } errors { code }
  }
}
"""
BATCH = """
mutation ($input: ClassifyBatchInput!) {
  classifyBatch(input: $input) { batch { id results { id result { label } } } errors { code } }
}
"""
CREATE = """
mutation ($input: CreateSchemaInput!) { createSchema(input: $input) { schema { id } } }
"""
INPUT = {"input": "I was charged twice", "categories": [{"name": "billing"}, {"name": "other"}]}
ITEMS = {"items": [{"input": "x"}, {"input": "y"}]}
SCHEMA = {"name": "S", "categories": [{"name": "a"}]}


def operation(text: str, **variables: Any) -> dict[str, Any]:
    return {"query": text, "variables": variables}


def post(tenant: Tenant, key: str, body: Any) -> httpx.Response:
    return tenant.client.post("/graphql", json=body, headers={"Idempotency-Key": key})


def used(tenant: Tenant) -> int:
    count: int = tenant.client.get("/api/v1/usage").json()["usage"]["requests"]
    return count


def schemas(tenant: Tenant) -> int:
    count: int = tenant.client.get("/api/v1/schemas").json()["total"]
    return count


def conflict(response: httpx.Response) -> str:
    assert response.status_code == 409
    (error,) = response.json()["errors"]
    code: str = error["extensions"]["code"]
    return code


def lose_answer(tenant: Tenant, key: str, note: dict[str, str] | None) -> None:
    """Leave what a process leaves that dies between the work and its answer."""
    body = "NULL" if note is None else f"X'{json.dumps(note).encode().hex()}'"
    # The key is this test's own.
    query(
        tenant.site.database,
        f"UPDATE receipts SET status = NULL, body = {body} WHERE key = '{key}'",  # noqa: S608
    )


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (operation(CLASSIFY, input=INPUT), 1),
        (operation(CLASSIFY, input={**INPUT, "async": True}), 1),
        (operation(CLASSIFY, input={"input": "x", "categorySets": [SCHEMA, SCHEMA][:1]}), 1),
        (operation(BATCH, input=ITEMS), 2),
        (operation(BATCH, input={**ITEMS, "async": True}), 2),
        ([operation(CLASSIFY, input=INPUT), operation(BATCH, input=ITEMS)], 3),
    ],
)
def test_a_repeat_gets_the_same_answer_and_counts_nothing(
    make_tenant: Callable[..., Tenant], body: Any, count: int
) -> None:
    tenant = make_tenant("pro")
    first, again = post(tenant, "key", body), post(tenant, "key", body)
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert used(tenant) == count


def test_any_mutation_is_done_once(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    first, again = (post(tenant, "key", operation(CREATE, input=SCHEMA)) for _ in range(2))
    assert (again.content, schemas(tenant)) == (first.content, 1)


def test_another_body_is_a_conflict(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    post(tenant, "key", operation(CLASSIFY, input=INPUT))
    other = post(tenant, "key", operation(CLASSIFY, input={**INPUT, "input": "other"}))
    assert conflict(other) == "IDEMPOTENCY_CONFLICT"
    by_rest = tenant.client.post(
        "/api/v1/classify", json={"input": "x"}, headers={"Idempotency-Key": "key"}
    )
    assert by_rest.status_code == 409
    assert used(tenant) == 1


async def test_repeats_at_the_same_time_are_done_once(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    headers = {"Authorization": f"Bearer {tenant.key}", "Idempotency-Key": "race"}
    url, body = str(tenant.client.base_url.join("/graphql")), operation(CLASSIFY, input=INPUT)
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        responses = await asyncio.gather(*(client.post(url, json=body) for _ in range(20)))
    answers = {r.json()["data"]["classify"]["job"]["id"] for r in responses if r.is_success}
    assert len(answers) == 1
    assert {conflict(r) for r in responses if not r.is_success} <= {"IDEMPOTENCY_IN_PROGRESS"}
    assert used(tenant) == 1


def test_what_was_refused_or_tried_out_may_be_done(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    for extra in ({"threshold": 7}, {"dryRun": True}, {"schemaId": "999999"}):
        answer = post(tenant, "key", operation(CLASSIFY, input={**INPUT, **extra}))
        assert answer.json()["data"]["classify"]["job"] is None
    done = post(tenant, "key", operation(CLASSIFY, input=INPUT))
    assert "Idempotent-Replayed" not in done.headers
    assert done.json()["data"]["classify"]["job"]["result"]["label"] == "billing"


def test_a_key_means_nothing_to_who_only_reads(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    count = operation("{ jobs { totalCount } }")
    assert post(tenant, "key", count).json()["data"]["jobs"]["totalCount"] == 0
    post(tenant, "key", operation(CLASSIFY, input=INPUT))
    again = post(tenant, "key", count)
    assert again.json()["data"]["jobs"]["totalCount"] == 1
    assert "Idempotent-Replayed" not in again.headers


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_bad_key_is_refused(tenant: Tenant, key: str) -> None:
    response = post(tenant, key, operation(CLASSIFY, input=INPUT))
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INVALID_REQUEST"
    assert error["extensions"]["field"] == "Idempotency-Key"


def test_a_classification_whose_answer_was_lost_is_shown(
    make_tenant: Callable[..., Tenant],
) -> None:
    tenant = make_tenant("pro")
    body = operation(CLASSIFY, input=INPUT)
    first = post(tenant, "lost-classification", body)
    job = first.json()["data"]["classify"]["job"]
    lose_answer(tenant, "lost-classification", {"job": job["id"]})
    for _ in range(2):
        again = post(tenant, "lost-classification", body)
        assert again.json() == first.json()
        assert again.headers["Idempotent-Replayed"] == "true"
    assert used(tenant) == 1


def test_a_batch_whose_answer_was_lost_is_shown(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    body = operation(BATCH, input=ITEMS)
    first = post(tenant, "lost-batch", body)
    batch = first.json()["data"]["classifyBatch"]["batch"]
    lose_answer(tenant, "lost-batch", {"batch": batch["id"]})
    assert post(tenant, "lost-batch", body).json() == first.json()
    assert used(tenant) == 2


@pytest.mark.parametrize("several", [False, True])
def test_other_mutations_cut_off_are_not_done_again(
    make_tenant: Callable[..., Tenant], several: bool
) -> None:
    tenant = make_tenant("pro")
    create = operation(CREATE, input=SCHEMA)
    body = [create, operation(CLASSIFY, input=INPUT)] if several else create
    key = f"cut-off-{several}"
    post(tenant, key, body)
    lose_answer(tenant, key, None)
    assert conflict(post(tenant, key, body)) == "IDEMPOTENCY_IN_PROGRESS"
    assert schemas(tenant) == 1
    # The key stays taken for as long as an answer would have been kept.
    ((left,),) = query(
        tenant.site.database,
        f"SELECT julianday(expires_at) - julianday('now') FROM receipts WHERE key = '{key}'",  # noqa: S608
    )
    assert left > 0.99


def test_a_claim_notes_the_work_with_its_end(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    # No process dies between the end of the work and its answer when asked to: the answer is kept
    # from being written instead.
    query(
        tenant.site.database,
        "CREATE TRIGGER lose BEFORE UPDATE ON receipts WHEN NEW.key = 'noted' "
        "AND NEW.status IS NOT NULL BEGIN SELECT RAISE(ABORT, 'lost'); END",
    )
    body = operation(CLASSIFY, input=INPUT)
    try:
        assert post(tenant, "noted", body).status_code == 500
    finally:
        query(tenant.site.database, "DROP TRIGGER lose")
    again = post(tenant, "noted", body).json()["data"]["classify"]
    assert again["job"]["result"]["label"] == "billing"
    assert used(tenant) == 1
