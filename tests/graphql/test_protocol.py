"""GraphQL over HTTP on the real server: no body, header or method gets a 500."""

import hashlib
import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Server, Tenant
from tests.graphql.asking import post, refusal

JSON = {"Content-Type": "application/json"}
MODERN = {"Accept": "application/graphql-response+json"}
ODD_BODIES = {
    "empty": b"",
    "null": b"null",
    "string": b'"x"',
    "number": b"1",
    "no operations": b"[]",
    "not UTF-8": b'{"query":"\xff"}',
    "nested arrays": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "huge integer": b'{"query":"{__typename}","variables":{"a":' + b"9" * 5_000 + b"}}",
    "infinite": b'{"query":"{__typename}","variables":{"a":1e999}}',
    "NaN": b'{"query":"{__typename}","variables":{"a":NaN}}',
    "lone surrogate": b'{"query":"{__typename} #\\ud800"}',
    "lone surrogate in variables": b'{"query":"{__typename}","variables":{"a":"\\udfff"}}',
    "no query": b"{}",
    "query of another type": b'{"query":1}',
    "variables of another type": b'{"query":"{__typename}","variables":[1]}',
    "name of another type": b'{"query":"{__typename}","operationName":{}}',
    "bad item": b'[{"query":"{__typename}"},{"query":5}]',
    "too many": json.dumps([{"query": "{__typename}"}] * 11).encode(),
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_odd_body(tenant: Tenant, body: bytes) -> None:
    answer = tenant.client.post("/graphql", content=body, headers=JSON)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["message"]
    assert error["extensions"]["code"] in {"INVALID_JSON", "INVALID_REQUEST"}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["query", "variables", "operationName", "extensions"])
                | st.text(max_size=5),
                inner | st.sampled_from(["{__typename}", "{viewer{id}}"]),
                max_size=4,
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_body_gets_an_answer(tenant: Tenant, body: bytes) -> None:
    answer = tenant.client.post("/graphql", content=body, headers=JSON)
    assert answer.status_code in {200, 400}
    answer.json()


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_read(tenant: Tenant, media_type: str) -> None:
    answer = tenant.client.post(
        "/graphql", content=b'{"query":"{__typename}"}', headers={"Content-Type": media_type}
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "INVALID_JSON"


def test_long_body_is_refused(tenant: Tenant) -> None:
    body = b'{"query":"' + b"x" * (32 * 1024 * 1024) + b'"}'
    answer = tenant.client.post("/graphql", content=body, headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "PAYLOAD_TOO_LARGE"


def test_batch_answers_in_order(tenant: Tenant) -> None:
    sent = [{"query": "{viewer{id}}"}, {"query": "{nope}"}, {"query": "{__typename}"}]
    first, second, third = tenant.client.post("/graphql", json=sent).json()
    assert first["data"]["viewer"]["id"] == str(tenant.account_id)
    assert "nope" in second["errors"][0]["message"]
    assert third == {"data": {"__typename": "Query"}}


def test_get_runs_queries_only(tenant: Tenant) -> None:
    query = "query($id:ID!){job(id:$id){id}}"
    asked = {"query": query, "variables": '{"id":"999999"}'}
    assert tenant.client.get("/graphql", params=asked).json() == {"data": {"job": None}}
    refused = tenant.client.get("/graphql", params={"query": "mutation{__typename}"})
    assert refused.status_code == 405
    assert refused.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"
    odd = tenant.client.get("/graphql", params={**asked, "variables": "[1]"})
    assert odd.status_code == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods(tenant: Tenant, method: str) -> None:
    answer = tenant.client.request(method, "/graphql")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


def test_options_needs_no_key(server: Server) -> None:
    answer = httpx.options(f"{server.base_url}/graphql")
    assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, POST, OPTIONS")


def test_a_browser_gets_graphiql(server: Server) -> None:
    with server.client() as anybody:
        page = anybody.get("/graphql", headers={"Accept": "text/html,*/*"})
    assert page.headers["Content-Type"].startswith("text/html")


def test_status_follows_the_accepted_media_type(tenant: Tenant) -> None:
    wrong = {"query": "{nope}"}
    assert tenant.client.post("/graphql", json=wrong).status_code == 200
    modern = tenant.client.post("/graphql", json=wrong, headers=MODERN)
    assert modern.status_code == 400
    assert modern.headers["Content-Type"].startswith("application/graphql-response+json")
    right = tenant.client.post("/graphql", json={"query": "{__typename}"}, headers=MODERN)
    assert right.status_code == 200
    refused = tenant.client.post("/graphql", json={"query": "{jobs(first:101){totalCount}}"})
    assert refused.status_code == 200
    assert refused.json()["data"] is None


def test_several_operations_need_a_name(tenant: Tenant) -> None:
    query = "query A{__typename} query B{viewer{id}}"
    assert "operationName" in refusal(tenant.client, query)["message"]
    chosen = tenant.client.post("/graphql", json={"query": query, "operationName": "A"})
    assert chosen.json() == {"data": {"__typename": "Query"}}
    unknown = tenant.client.post("/graphql", json={"query": query, "operationName": "C"})
    assert "C" in unknown.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{viewr{id}}", {}),
        ("{jobs(filter:{status:COMPLETE}){totalCount}}", {}),
        ("query($f:JobFilter){jobs(filter:$f){totalCount}}", {"f": {"status": "COMPLETE"}}),
        ("query($f:JobFilter){jobs(filter:$f){totalCount}}", {"f": {"statu": "FAILED"}}),
        ("{...X}", {}),
    ],
)
def test_no_suggestions(tenant: Tenant, query: str, variables: dict[str, Any]) -> None:
    error = refusal(tenant.client, query, **variables)
    assert "Did you mean" not in error["message"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_refuses_a_complex_query(tenant: Tenant) -> None:
    query = "{viewer{" + " ".join(f"a{n}:id" for n in range(51)) + "}}"
    assert refusal(tenant.client, query)["extensions"]["code"] == "QUERY_TOO_COMPLEX"


class TestPersisted:
    """Documents by their hash."""

    def _named(self, query: str) -> dict[str, Any]:
        digest = hashlib.sha256(query.encode()).hexdigest()
        return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}

    def test_is_asked_for_once(self, tenant: Tenant) -> None:
        query = "{viewer{persisted:name}}"
        named = self._named(query)
        unknown = tenant.client.post("/graphql", json=named).json()["errors"][0]
        assert unknown["message"] == "PersistedQueryNotFound"
        assert unknown["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        told = tenant.client.post("/graphql", json={"query": query, **named}).json()
        known = tenant.client.post("/graphql", json=named).json()
        assert told == known
        got = tenant.client.get("/graphql", params={"extensions": json.dumps(named["extensions"])})
        assert got.json() == known

    def test_hash_of_another_document(self, tenant: Tenant) -> None:
        body = {"query": "{__typename}", **self._named("{viewer{id}}")}
        answer = tenant.client.post("/graphql", json=body)
        assert answer.status_code == 400
        assert "SHA-256" in answer.json()["errors"][0]["message"]

    @pytest.mark.parametrize("named", [1, {}, {"version": 2}, {"version": 1, "sha256Hash": 5}])
    def test_odd_extension(self, tenant: Tenant, named: object) -> None:
        answer = tenant.client.post("/graphql", json={"extensions": {"persistedQuery": named}})
        assert answer.status_code == 400


class TestWithoutKey:
    """Who sends no key may read the schema."""

    @pytest.fixture
    def anybody(self, server: Server) -> Any:
        with server.client() as client:
            yield client

    def test_schema_is_public(self, anybody: httpx.Client) -> None:
        assert "errors" not in post(anybody, "{__schema{queryType{name}}}").json()

    def test_schema_is_public_while_a_key_is_typed(self, server: Server) -> None:
        with server.client("cai_live_12") as client:
            assert "errors" not in post(client, "{__schema{queryType{name}}}").json()

    @pytest.mark.parametrize(
        "query",
        ["{viewer{id}}", "{__typename viewer{id}}", "{nope}", "{", "mutation{revokeApiKey}"],
    )
    def test_the_rest_is_not(self, anybody: httpx.Client, query: str) -> None:
        answer = post(anybody, query)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHORIZED"

    @pytest.mark.parametrize("body", [b"null", b"[" * 100_000, b"x" * 100_000])
    def test_no_more_is_told(self, anybody: httpx.Client, body: bytes) -> None:
        assert anybody.post("/graphql", content=body, headers=JSON).status_code == 401

    def test_cookies_do_not_count(self, tenant: Tenant, anybody: httpx.Client) -> None:
        anybody.cookies.set("Authorization", f"Bearer {tenant.key}")
        assert post(anybody, "{viewer{id}}").status_code == 401

    def test_revoked_key(self, server: Server, tenant: Tenant) -> None:
        key = server.site.create_key(tenant.account_id)
        with server.client(key) as client:
            ids = "{apiKeys{id revokedAt}}"
            newest = post(client, ids).json()["data"]["apiKeys"][0]["id"]
            revoke = "mutation($i:RevokeApiKeyInput!){revokeApiKey(input:$i){apiKey{revokedAt}}}"
            revoked = post(client, revoke, i={"id": newest}).json()
            assert revoked["data"]["revokeApiKey"]["apiKey"]["revokedAt"].endswith("Z")
            assert post(client, ids).status_code == 401
