"""`Idempotency-Key` on POST."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from tests.conftest import Tenant
from tests.test_concurrency import until

BODY = {"input": "I was charged twice", "categories": ["billing", "technical"]}


def post(tenant: Tenant, key: str, body: dict, path: str = "/api/v1/classify") -> httpx.Response:
    return tenant.client.post(path, json=body, headers={"Idempotency-Key": key})


def requests_used(tenant: Tenant) -> int:
    return tenant.client.get("/api/v1/usage").json()["usage"]["requests"]


@pytest.mark.contract("idempotency.replay")
def test_a_repeat_gets_the_same_answer_and_counts_nothing(
    make_tenant: Callable[..., Tenant],
) -> None:
    tenant = make_tenant("pro")
    first = post(tenant, "key-1", BODY)
    again = post(tenant, "key-1", BODY)
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert requests_used(tenant) == 1


@pytest.mark.contract("idempotency.conflict")
def test_another_body_or_address_is_a_conflict(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    post(tenant, "key-1", BODY)
    for response in (
        post(tenant, "key-1", {**BODY, "input": "other"}),
        post(tenant, "key-1", {"items": [{"input": "x"}]}, "/api/v1/batch"),
    ):
        assert response.status_code == 409
        assert response.json()["error"]["code"] == "idempotency_conflict"
    assert requests_used(tenant) == 1


@pytest.mark.contract("idempotency.account")
def test_keys_belong_to_the_account(make_tenant: Callable[..., Tenant]) -> None:
    first, second = make_tenant("pro"), make_tenant("pro")
    assert post(first, "shared", BODY).json()["id"] != post(second, "shared", BODY).json()["id"]


def test_what_was_refused_may_be_tried_again(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    assert post(tenant, "key-1", {**BODY, "threshold": 7}).status_code == 400
    assert post(tenant, "key-1", BODY).status_code == 200


@pytest.mark.contract("idempotency.posts", "idempotency.replay")
def test_batches_and_schemas_replay_too(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    batch = {"items": [{"input": "x"}, {"input": "y"}]}
    schema = {"name": "S", "categories": ["a"]}
    for path, body in (("/api/v1/batch", batch), ("/api/v1/schemas", schema)):
        first, again = (post(tenant, f"key{path}", body, path) for _ in range(2))
        assert (first.status_code, first.content) == (again.status_code, again.content)
    assert requests_used(tenant) == 2
    assert tenant.client.get("/api/v1/schemas").json()["total"] == 1


async def test_repeats_at_the_same_time_are_done_once(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    headers = {"Authorization": f"Bearer {tenant.key}", "Idempotency-Key": "race"}
    url = str(tenant.client.base_url.join("/api/v1/classify"))
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        responses = await asyncio.gather(*(client.post(url, json=BODY) for _ in range(20)))
    done = [response for response in responses if response.status_code == 200]
    waiting = [response for response in responses if response.status_code == 409]
    assert len(done) + len(waiting) == 20
    assert len({response.content for response in done}) == 1
    assert {r.json()["error"]["code"] for r in waiting} <= {"idempotency_in_progress"}
    assert requests_used(tenant) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_bad_key_is_refused(tenant: Tenant, key: str) -> None:
    response = post(tenant, key, BODY)
    assert response.status_code == 400
    assert response.json()["error"]["field"] == "Idempotency-Key"


@pytest.mark.contract("idempotency.in_progress", "jobs.status")
async def test_a_repeat_while_the_first_runs_is_told_so(
    make_tenant: Callable[..., Tenant],
) -> None:
    tenant = make_tenant("pro")
    long = {"input": "A long text about nothing in particular. " * 1_000}
    headers = {"Authorization": f"Bearer {tenant.key}", "Idempotency-Key": "long"}
    url = str(tenant.client.base_url.join("/api/v1/classify"))
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        first = asyncio.ensure_future(client.post(url, json=long))
        await until(lambda: tenant.client.get("/api/v1/jobs?status=processing").json()["total"])
        again = await client.post(url, json=long)
        assert again.status_code == 409
        assert again.json()["error"]["code"] == "idempotency_in_progress"
        done = await first
        late = await client.post(url, json=long)
    assert (late.content, late.headers["Idempotent-Replayed"]) == (done.content, "true")
    assert requests_used(tenant) == 1
