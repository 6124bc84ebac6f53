"""Which of several faults is told: method, key, subscription, body, plan, quota, in this order."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app.rest.router import ADDRESSES
from tests.conftest import Server, Tenant

ALL = [
    pytest.param(method, path, id=f"{method} {path}")
    for path, methods in ADDRESSES.items()
    for method in methods
]
UNKNOWN = {"Authorization": "Bearer cai_live_" + "0" * 40}


def said(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture(scope="module")
def lapsed(make_tenant: Callable[..., Tenant]) -> Tenant:
    """A starter tenant that has not paid."""
    tenant = make_tenant("starter")
    tenant.site.command("account", "set-status", str(tenant.account_id), "past_due")
    return tenant


@pytest.fixture(scope="module")
def spent(make_tenant: Callable[..., Tenant]) -> Tenant:
    """A free tenant with nothing left of the month."""
    tenant = make_tenant("free")
    one = 'classify(input:{input:"x"}){errors{code}}'
    twenty = " ".join(f"a{number}:{one}" for number in range(20))
    for _ in range(5):
        tenant.client.post("/graphql", json={"query": f"mutation{{{twenty}}}"})
    return tenant


@pytest.fixture
def untouched(spent: Tenant) -> Iterator[httpx.Client]:
    """The spent tenant's client; nothing is counted or kept."""
    yield spent.client
    assert spent.client.get("/v1/usage").json()["usage"]["requests"] == 100
    assert spent.client.get("/v1/jobs").json()["total"] == 100


@pytest.mark.contract("errors.order.method")
def test_the_address_before_the_method(server: Server) -> None:
    assert said(httpx.delete(f"{server.base_url}/v1/nope")) == (404, "not_found")


@pytest.mark.contract("errors.order.method")
@pytest.mark.parametrize("path", ADDRESSES)
def test_the_method_before_the_key(server: Server, path: str) -> None:
    for headers in ({}, UNKNOWN):
        answer = httpx.request("TRACE", f"{server.base_url}/v1{path}", headers=headers)
        assert said(answer) == (405, "method_not_allowed")


@pytest.mark.contract("errors.order.key")
@pytest.mark.parametrize(("method", "path"), ALL)
def test_the_key_before_the_body(server: Server, method: str, path: str) -> None:
    url = f"{server.base_url}/v1{path.format(id='x')}"
    for headers in ({}, UNKNOWN):
        answer = httpx.request(method, url, headers=headers, content=b"{")
        assert said(answer) == (401, "unauthorized")


@pytest.mark.contract("errors.order.subscription")
@pytest.mark.parametrize(("method", "path"), ALL)
def test_the_subscription_before_the_body(lapsed: Tenant, method: str, path: str) -> None:
    # Neither the body nor the id is one, and a bad key of idempotency is not looked at.
    headers = {"Idempotency-Key": "a b"}
    answer = lapsed.client.request(
        method, f"/v1{path.format(id='x')}", content=b"{", headers=headers
    )
    assert said(answer) == (403, "subscription_inactive")
    assert answer.headers["X-RateLimit-Limit"] == "10000"


@pytest.mark.contract("errors.order.body")
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/classify", {"input": "", "categories": ["a"]}, "input"),
        ("/classify", {"input": "x", "categories": []}, "categories"),
        ("/classify", {"input": "x", "type": "video", "threshold": 2}, "threshold"),
        ("/classify", {"input": "x", "schema": 1, "mode": "best"}, "mode"),
        ("/batch", {"items": [{"input": "x"}, {"input": ""}]}, "items[1].input"),
        ("/batch", {"items": [{"input": "x"}] * 501, "top_n": 0}, "top_n"),
        ("/schemas", {"name": "S", "categories": []}, "categories"),
    ],
)
def test_the_body_before_the_plan(
    untouched: httpx.Client, path: str, body: dict[str, Any], field: str
) -> None:
    answer = untouched.post(f"/v1{path}", json=body)
    assert said(answer) == (400, "invalid_request")
    assert answer.json()["error"]["field"] == field


@pytest.mark.contract("errors.order.body")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_body_and_the_plan_before_the_schema(untouched: httpx.Client, method: str) -> None:
    bad = untouched.request(method, "/v1/schemas/1", json={"name": "", "categories": ["a"]})
    assert said(bad) == (400, "invalid_request")
    good = untouched.request(method, "/v1/schemas/1", json={"name": "S", "categories": ["a"]})
    assert said(good) == (403, "plan_restriction")


@pytest.mark.contract("errors.order.plan")
@pytest.mark.parametrize(
    ("path", "body", "feature"),
    [
        ("/classify", {"input": "x", "categories": ["a"]}, "categories"),
        ("/classify", {"input": "x", "schema": 1}, "schemas"),
        ("/classify", {"input": "https://example.com/a.png", "type": "image"}, "media"),
        ("/batch", {"items": [{"input": "x"}] * 2}, "batch_size"),
        ("/batch", {"items": [{"input": "x", "categories": ["a"]}]}, "categories"),
        ("/batch", {"items": [{"input": "x"}], "schema": 1}, "schemas"),
        ("/schemas", {"name": "S", "categories": ["a"]}, "schemas"),
    ],
)
def test_the_plan_before_the_quota(
    untouched: httpx.Client, path: str, body: dict[str, Any], feature: str
) -> None:
    answer = untouched.post(f"/v1{path}", json=body)
    assert said(answer) == (403, "plan_restriction")
    assert answer.json()["error"]["feature"] == feature


@pytest.mark.contract("errors.order.plan", "transport.retry_after")
@pytest.mark.parametrize(
    ("path", "body"), [("/classify", {"input": "x"}), ("/batch", {"items": [{"input": "x"}]})]
)
def test_the_quota_last(untouched: httpx.Client, path: str, body: dict[str, Any]) -> None:
    for headers in ({}, {"Idempotency-Key": "spent"}):
        answer = untouched.post(f"/v1{path}", json=body, headers=headers)
        assert said(answer) == (429, "rate_limit_exceeded")
        assert 0 < int(answer.headers["Retry-After"]) <= 31 * 86_400
        assert answer.headers["X-RateLimit-Remaining"] == "0"
