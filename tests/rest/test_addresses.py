"""What holds for every address: aliases, methods, ids, headers."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app.rest.router import ADDRESSES
from tests.conftest import Server, Tenant

PREFIXES = ["/api/v1", "/v1"]
OTHERS = ["/", "/docs", "/graphql", "/healthz", "/readyz", "/api/v1/openapi.json"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.fixture(scope="module")
def owner(make_tenant: Callable[..., Tenant]) -> Tenant:
    return make_tenant("pro")


@pytest.fixture(scope="module")
def ids(owner: Tenant) -> dict[str, int]:
    """A schema and a job by the first segment of their addresses."""
    schema = owner.client.post("/v1/schemas", json={"name": "S", "categories": ["a"]}).json()["id"]
    job = owner.client.post("/v1/classify", json={"input": "x", "schema": schema}).json()["id"]
    return {"schemas": schema, "jobs": int(job)}


def filled(path: str, ids: dict[str, int]) -> str:
    return path.format(id=ids.get(path.split("/")[1]))


@pytest.mark.contract("request.base_url", "transport.alias", "transport.slash")
@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("end", ["", "/", "//"])
def test_the_alias_and_a_trailing_slash(
    owner: Tenant, ids: dict[str, int], prefix: str, path: str, end: str
) -> None:
    answers = [
        owner.client.options(url) for url in (f"/v1{filled(path, ids)}", prefix + filled(path, ids))
    ]
    slashed = owner.client.options(prefix + filled(path, ids) + end)
    assert {answer.status_code for answer in (*answers, slashed)} == {204}
    assert {answer.headers["Allow"] for answer in (*answers, slashed)} == {slashed.headers["Allow"]}
    if "GET" in ADDRESSES[path]:
        plain = owner.client.get(f"/api/v1{filled(path, ids)}").json()
        assert owner.client.get(prefix + filled(path, ids) + end).json() == plain


@pytest.mark.contract("transport.slash")
@pytest.mark.parametrize("path", OTHERS[1:])
def test_other_addresses_take_a_trailing_slash(server: Server, tenant: Tenant, path: str) -> None:
    query = {"query": "{__typename}"}
    plain, slashed = (tenant.client.get(path + end, params=query) for end in ("", "/"))
    assert slashed.status_code == plain.status_code == 200
    assert slashed.content == plain.content


@pytest.mark.contract("error.method_not_allowed", "errors.allow", "transport.options")
@pytest.mark.parametrize("path", ADDRESSES)
def test_every_method_is_answered_or_405(owner: Tenant, ids: dict[str, int], path: str) -> None:
    allowed = {*ADDRESSES[path], "OPTIONS"} | ({"HEAD"} if "GET" in ADDRESSES[path] else set())
    for prefix in PREFIXES:
        url = prefix + filled(path, ids)
        options = owner.client.options(url)
        assert (options.status_code, options.content) == (204, b"")
        assert set(options.headers["Allow"].split(", ")) == allowed
        for method in (*METHODS, "TRACE", "LINK"):
            if method in allowed:
                continue
            refused = owner.client.request(method, url)
            assert refused.status_code == 405, (method, url)
            assert set(refused.headers["Allow"].split(", ")) == allowed
            if method != "HEAD":
                assert refused.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.contract("transport.head")
@pytest.mark.parametrize("path", [path for path, methods in ADDRESSES.items() if "GET" in methods])
def test_head_is_get_without_a_body(owner: Tenant, ids: dict[str, int], path: str) -> None:
    url = f"/api/v1{filled(path, ids)}"
    head, get = owner.client.head(url), owner.client.get(url)
    assert (head.status_code, head.content) == (get.status_code, b"")
    for name in ("Content-Length", "Content-Type", "X-RateLimit-Remaining"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.contract("transport.head", "transport.options")
@pytest.mark.parametrize("path", OTHERS)
def test_other_addresses_have_head_and_options(tenant: Tenant, path: str) -> None:
    options = tenant.client.options(path)
    assert (options.status_code, options.content) == (204, b"")
    assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["Allow"].split(", "))
    query = {"query": "{__typename}"}
    head, get = (tenant.client.request(m, path, params=query) for m in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    refused = tenant.client.delete(path)
    assert refused.status_code == 405
    assert {"GET", "HEAD", "OPTIONS"} <= set(refused.headers["Allow"].split(", "))


@pytest.mark.contract("errors.not_found", "error.docs")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["/nope", "/v1/nope", "/api/v1/jobs/1/2", "/api/v1/", "/v1"])
def test_an_unknown_path_is_404_for_every_method(server: Server, method: str, path: str) -> None:
    answer = httpx.request(method, server.base_url + path)
    assert answer.status_code == 404
    if method != "HEAD":
        error = answer.json()["error"]
        assert (error["code"], error["docs"]) == ("not_found", f"{server.base_url}/docs#errors")


@pytest.mark.contract("transport.id_in_path", "ids.job", "ids.schema")
def test_an_id_stands_in_the_query_or_in_the_path(owner: Tenant, ids: dict[str, int]) -> None:
    for name, key in ids.items():
        shown = [
            owner.client.get(address).json()
            for prefix in PREFIXES
            for address in (f"{prefix}/{name}?id={key}", f"{prefix}/{name}/{key}")
        ]
        assert all(each == shown[0] for each in shown)
        assert str(shown[0]["id"]) == str(key)


@pytest.mark.contract("transport.id_in_path")
def test_a_change_takes_the_id_in_the_query_too(owner: Tenant) -> None:
    body = {"name": "S", "categories": ["a"]}
    made = owner.client.post("/v1/schemas", json=body).json()
    in_query = {"id": made["id"]}
    put = owner.client.put("/v1/schemas", params=in_query, json={**body, "name": "T"})
    assert put.json() == {**made, "name": "T"}
    patch = owner.client.patch("/v1/schemas/", params=in_query, json={"name": "U"})
    assert patch.json() == {**made, "name": "U"}
    assert owner.client.delete("/v1/schemas", params=in_query).status_code == 204
    assert owner.client.get(f"/v1/schemas/{made['id']}").status_code == 404


def _answers(server: Server, owner: Tenant) -> Iterator[httpx.Response]:
    """Yield an answer of every kind and status."""
    good = {"input": "x"}
    for path in ("/v1/usage", "/", "/docs", "/healthz", "/api/v1/openapi.json", "/nope"):
        yield owner.client.get(path)
    yield owner.client.post("/v1/classify", json=good)
    yield owner.client.post("/v1/classify", json={})
    yield owner.client.post("/v1/classify", content=b"{")
    yield owner.client.post("/v1/classify", json={**good, "schema": 999_999})
    yield owner.client.delete("/v1/classify")
    yield owner.client.options("/v1/classify")
    yield owner.client.head("/v1/jobs")
    yield owner.client.post("/graphql", json={"query": "{viewer{id}}"})
    yield owner.client.post("/graphql", content=b"{")
    yield httpx.get(f"{server.base_url}/v1/usage")
    yield httpx.post(f"{server.base_url}/graphql", json={"query": "{viewer{id}}"})


@pytest.mark.contract("transport.request_id")
def test_every_answer_has_a_request_id_of_its_own(server: Server, owner: Tenant) -> None:
    seen = [answer.headers["X-Request-Id"] for answer in _answers(server, owner)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in seen)
    assert len(set(seen)) == len(seen)


@pytest.mark.contract("transport.rate_limit")
def test_every_authenticated_answer_has_the_rate_limit(owner: Tenant, ids: dict[str, int]) -> None:
    used = owner.client.get("/v1/usage").json()["usage"]["requests"]
    sent: list[tuple[str, str, Any]] = [
        ("GET", "/v1/jobs", None),
        ("GET", "/v1/jobs/999999", None),
        ("GET", "/v1/usage?month=x", None),
        ("POST", "/v1/classify", {}),
        ("POST", "/v1/classify", {"input": "x", "schema": 999_999}),
        ("POST", "/v1/batch", {"items": [{"input": "x"}] * 501}),
        ("PATCH", f"/v1/schemas/{ids['schemas']}", {"name": "S"}),
        ("DELETE", "/v1/schemas/999999", None),
        ("POST", "/graphql", {"query": "{viewer{id}}"}),
        ("POST", "/graphql", {}),
    ]
    for method, url, body in sent:
        headers = owner.client.request(method, url, json=body).headers
        assert headers["X-RateLimit-Limit"] == "100000", url
        assert headers["X-RateLimit-Remaining"] == str(100_000 - used), url
        assert int(headers["X-RateLimit-Reset"]) % 86_400 == 0, url


def test_an_alias_is_the_same_resource_to_an_idempotency_key(owner: Tenant) -> None:
    before = owner.client.get("/v1/usage").json()["usage"]["requests"]
    first, *again = (
        owner.client.post(path, json={"input": "x"}, headers={"Idempotency-Key": "alias"})
        for path in ("/api/v1/classify", "/v1/classify", "/v1/classify/", "/api/v1/classify/")
    )
    assert first.status_code == 200
    for answer in again:
        assert (answer.content, answer.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert owner.client.get("/v1/usage").json()["usage"]["requests"] == before + 1
