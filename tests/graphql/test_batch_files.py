"""Files of lines in GraphQL: the same as over REST, and their jobs page by page."""

import time
from collections.abc import Callable
from typing import Any

from tests.conftest import Tenant
from tests.graphql.asking import ask, post

CREATE = """
mutation ($input: CreateBatchFileInput!) {
  createBatchFile(input: $input) {
    batch { id kind status meta { total failed } results { id } }
    dryRun { requests remainingAfter total failed refused { itemId code message } }
    errors { code field message requiredPlan }
  }
}
"""
BATCH = "query ($id: ID!) { batch(id: $id) { kind status results { id } meta { failed } } }"
JOBS = """
query ($id: ID!, $status: JobStatus, $first: Int, $after: String, $last: Int, $before: String) {
  batch(id: $id) {
    jobs(status: $status, first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { itemId status result { label } error { code message } batch { id } }
    }
  }
}
"""
LINES = """id,text
a,I was charged twice for my order
b,
c,my tomato plants need water
d,the invoice is wrong
"""
FILE = {
    "content": LINES,
    "format": "CSV",
    "categories": [{"name": "billing"}, {"name": "gardening"}],
}


def create(tenant: Tenant, **changes: Any) -> Any:
    return ask(tenant.client, CREATE, input={**FILE, **changes})["createBatchFile"]


def page(tenant: Tenant, batch_id: str, **which: Any) -> Any:
    return ask(tenant.client, JOBS, id=batch_id, **which)["batch"]["jobs"]


def items(found: Any) -> list[str]:
    return [node["itemId"] for node in found["nodes"]]


def test_a_file_and_its_jobs_page_by_page(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    made = create(tenant)
    batch = made["batch"]
    assert made["errors"] == []
    assert (batch["kind"], batch["status"]) == ("FILE", "PENDING")
    assert (batch["meta"], batch["results"]) == ({"total": 4, "failed": 1}, [])
    deadline = time.monotonic() + 60
    while ask(tenant.client, BATCH, id=batch["id"])["batch"]["status"] != "COMPLETED":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    everything = page(tenant, batch["id"])
    assert everything["totalCount"] == 4
    assert items(everything) == ["a", "b", "c", "d"]
    assert everything["nodes"][0]["result"] == {"label": "billing"}
    assert everything["nodes"][0]["batch"] == {"id": batch["id"]}
    assert everything["nodes"][1]["error"]["message"] == "Line 3: input: must not be empty"
    first = page(tenant, batch["id"], first=2)
    assert (items(first), first["pageInfo"]["hasNextPage"]) == (["a", "b"], True)
    rest = page(tenant, batch["id"], first=2, after=first["pageInfo"]["endCursor"])
    assert (items(rest), rest["pageInfo"]["hasNextPage"]) == (["c", "d"], False)
    back = page(tenant, batch["id"], last=1, before=rest["pageInfo"]["startCursor"])
    assert (items(back), back["pageInfo"]["hasPreviousPage"]) == (["b"], True)
    failed = page(tenant, batch["id"], status="FAILED")
    assert (items(failed), failed["totalCount"]) == (["b"], 1)


def test_jobs_of_a_batch_that_was_no_file(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant()
    body = {"items": [{"id": "x", "input": "one"}, {"id": "y", "input": "two"}]}
    batch_id = tenant.client.post("/v1/batch", json=body).json()["id"]
    shown = ask(tenant.client, BATCH, id=batch_id)["batch"]
    assert (shown["kind"], len(shown["results"])) == ("BATCH", 2)
    assert items(page(tenant, batch_id, first=1)) == ["x"]


def test_a_dry_run_of_a_file(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    made = create(tenant, dryRun=True)
    assert made["batch"] is None
    assert made["dryRun"] == {
        "requests": 3,
        "remainingAfter": 9_997,
        "total": 4,
        "failed": 1,
        "refused": [
            {
                "itemId": "b",
                "code": "INVALID_REQUEST",
                "message": "Line 3: input: must not be empty",
            }
        ],
    }


def test_a_repeat_is_done_once(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    body = {"query": CREATE, "variables": {"input": FILE}}

    def send() -> Any:
        return tenant.client.post("/graphql", json=body, headers={"Idempotency-Key": "k"})

    first, again = send(), send()
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert tenant.client.get("/v1/usage").json()["usage"]["requests"] == 3


def test_what_is_wrong_is_named(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    for changes, field in (
        ({"content": "a,b\n1,2\n"}, ["input", "content"]),
        ({"content": ""}, ["input", "content"]),
        ({"topN": 11}, ["input", "topN"]),
        ({"minMargin": 2}, ["input", "minMargin"]),
        ({"categories": []}, ["input", "categories"]),
    ):
        (error,) = create(tenant, **changes)["errors"]
        assert (error["code"], error["field"]) == ("INVALID_REQUEST", field)
    (error,) = create(tenant, schemaId="999999")["errors"]
    assert error["code"] == "SCHEMA_NOT_FOUND"
    (error,) = create(make_tenant("free"), categories=None)["errors"]
    assert (error["code"], error["requiredPlan"]) == ("PLAN_RESTRICTION", "STARTER")


def test_a_page_of_many_jobs_is_held_to_the_limits(tenant: Tenant) -> None:
    query = (
        '{ a: batch(id: "batch_0") { jobs(first: 100) { nodes { batch { results { id } } } } } }'
    )
    answer = post(tenant.client, query).json()
    assert "errors" not in answer
    nested = query.replace("results { id }", "jobs(first: 100) { nodes { id itemId attempts } }")
    refused = post(tenant.client, nested).json()
    assert refused["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"
