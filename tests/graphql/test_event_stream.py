"""GraphQL over Server-Sent Events, beyond what subscriptions show."""

import json
from typing import Any

import pytest

from tests.conftest import Server, Tenant
from tests.graphql.asking import ask
from tests.graphql.live import JOB, events, open_stream, submit

ONLY_EVENTS = {"Accept": "text/event-stream"}
# As urql sends it, whatever it asks for.
EVERYTHING = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)


@pytest.fixture
def job_id(tenant: Tenant) -> str:
    """A job that has ended."""
    return str(tenant.client.post("/api/v1/classify", json={"input": "x"}).json()["id"])


def test_queries_and_mutations_are_streams_of_one(tenant: Tenant) -> None:
    with open_stream(tenant.client, "{viewer{id}}") as response:
        told = list(events(response))
    assert told == [
        ("next", {"data": {"viewer": {"id": str(tenant.account_id)}}}),
        ("complete", None),
    ]
    mutation = 'mutation{classify(input:{input:"x"}){job{status}}}'
    with open_stream(tenant.client, mutation) as response:
        (_, payload), _ = events(response)
    assert payload["data"]["classify"]["job"]["status"] == "COMPLETED"


def test_get_streams_what_it_may_run(tenant: Tenant, job_id: str) -> None:
    asked = {"query": JOB, "variables": json.dumps({"id": job_id})}
    with tenant.client.stream("GET", "/graphql", params=asked, headers=ONLY_EVENTS) as response:
        (_, payload), last = events(response)
    assert payload["data"]["job"]["id"] == job_id
    assert last == ("complete", None)
    mutation = {"query": "mutation{__typename}"}
    refused = tenant.client.get("/graphql", params=mutation, headers=ONLY_EVENTS)
    assert refused.status_code == 405


def test_refusals_before_anything_runs_are_events(tenant: Tenant) -> None:
    with open_stream(tenant.client, "subscription{nope}") as response:
        assert response.status_code == 200
        (name, payload), last = events(response)
    assert name == "next"
    assert payload["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert last == ("complete", None)


def test_events_beside_json_are_for_subscriptions(tenant: Tenant, job_id: str) -> None:
    with open_stream(tenant.client, "{viewer{id}}", accept=EVERYTHING) as response:
        assert response.headers["Content-Type"].startswith("application/graphql-response+json")
    with open_stream(tenant.client, JOB, accept=EVERYTHING, id=job_id) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert [name for name, _ in events(response)] == ["next", "complete"]


def test_a_subscription_without_a_stream_is_told_what_it_needs(tenant: Tenant) -> None:
    sent = {"query": JOB, "variables": {"id": "1"}}
    (error,) = tenant.client.post("/graphql", json=sent).json()["errors"]
    assert error["extensions"]["code"] == "INVALID_REQUEST"
    assert "text/event-stream" in error["message"]
    modern = {"Accept": "application/graphql-response+json"}
    assert tenant.client.post("/graphql", json=sent, headers=modern).status_code == 400
    batched = tenant.client.post("/graphql", json=[sent, {"query": "{__typename}"}])
    assert batched.json()[0]["errors"] == [error]
    assert batched.json()[1] == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("key", [None, "cai_live_" + "0" * 40, "x"])
def test_the_key_is_checked_before_the_stream(server: Server, job_id: str, key: str | None) -> None:
    with server.client(key) as client:
        client.cookies.set("Authorization", "Bearer x")
        with open_stream(client, JOB, id=job_id) as response:
            body: Any = json.loads(response.read())
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHORIZED"


def test_a_revoked_key_ends_the_stream(idle_server: Server, idle_tenant: Tenant) -> None:
    key = idle_server.site.create_key(idle_tenant.account_id)
    with idle_server.client(key) as client, open_stream(client, JOB, id=submit(client)) as response:
        told = events(response)
        assert next(told)[1]["data"]["job"]["status"] in {"PENDING", "PROCESSING"}
        newest = ask(idle_tenant.client, "{apiKeys{id}}")["apiKeys"][0]["id"]
        revoke = "mutation($i:RevokeApiKeyInput!){revokeApiKey(input:$i){errors{code}}}"
        ask(idle_tenant.client, revoke, i={"id": newest})
        *_, (name, payload), last = told
    assert name == "next"
    assert payload["errors"][0]["extensions"]["code"] == "UNAUTHORIZED"
    assert last == ("complete", None)


def test_a_client_that_leaves_does_no_harm(idle_server: Server, idle_tenant: Tenant) -> None:
    job_id = submit(idle_tenant.client)
    for _ in range(30):
        with (
            idle_server.client(idle_tenant.key) as client,
            open_stream(client, JOB, id=job_id) as response,
        ):
            next(events(response))
    idle_tenant.client.post(f"/v1/jobs/{job_id}/cancel")
    with open_stream(idle_tenant.client, JOB, id=job_id) as response:
        assert [name for name, _ in events(response)] == ["next", "complete"]
