"""Canceling and trying again, over REST and GraphQL.

Most of it on a server whose jobs wait for ever.
"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Server, Tenant
from tests.databases import query
from tests.graphql.asking import ask
from tests.graphql.live import LONG_TEXT, submit, submit_batch

CANCEL_JOB = "mutation($i:CancelJobInput!){cancelJob(input:$i){job{id status error{code message}} errors{code message}}}"  # noqa: E501
RETRY_JOB = "mutation($i:RetryJobInput!){retryJob(input:$i){job{id status attempts error{code}} errors{code message limit}}}"  # noqa: E501
CANCEL_BATCH = "mutation($i:CancelBatchInput!){cancelBatch(input:$i){batch{id status meta{failed} results{error{code}}} errors{code}}}"  # noqa: E501
RETRY_BATCH = "mutation($i:RetryBatchInput!){retryBatch(input:$i){batch{id status meta{failed}} errors{code}}}"  # noqa: E501


@pytest.fixture
def client(make_idle_tenant: Callable[..., Tenant]) -> httpx.Client:
    """A client of an account of its own."""
    return make_idle_tenant("pro").client


def used(client: httpx.Client) -> int:
    usage: int = client.get("/v1/usage").json()["usage"]["requests"]
    return usage


def refusal(answer: httpx.Response) -> str:
    assert answer.status_code == 409, answer.text
    error = answer.json()["error"]
    assert error["code"] == "conflict"
    return str(error["message"])


@pytest.mark.parametrize("address", ["/v1/jobs/{}/{}", "/api/v1/jobs/{1}?id={0}"])
def test_a_job_is_canceled_and_tried_again(client: httpx.Client, address: str) -> None:
    job_id = submit(client, input="x")
    assert used(client) == 1
    canceled = client.post(address.format(job_id, "cancel"))
    job = canceled.json()
    assert (canceled.status_code, job["id"], job["status"]) == (200, job_id, "failed")
    assert job["error"] == {"code": "canceled", "message": "The job was canceled."}
    assert job["completed_at"].endswith("Z")
    assert used(client) == 0
    assert canceled.headers["X-RateLimit-Remaining"] == "100000"
    assert client.get(f"/v1/jobs/{job_id}").json() == job
    assert refusal(client.post(address.format(job_id, "cancel"))) == (
        f"Job {job_id} can't be canceled: it has failed already."
    )
    retried = client.post(address.format(job_id, "retry"))
    again = retried.json()
    assert (retried.status_code, again["id"], again["status"]) == (200, job_id, "pending")
    assert "error" not in again
    assert again["completed_at"] is None
    assert used(client) == 1
    assert retried.headers["X-RateLimit-Remaining"] == "99999"
    assert refusal(client.post(address.format(job_id, "retry"))) == (
        f"Job {job_id} can't be tried again: it is pending, not failed."
    )


def test_a_job_over_graphql(client: httpx.Client) -> None:
    job_id = submit(client, input="x")
    canceled = ask(client, CANCEL_JOB, i={"id": job_id})["cancelJob"]
    assert canceled["errors"] == []
    assert canceled["job"] == {
        "id": job_id,
        "status": "FAILED",
        "error": {"code": "CANCELED", "message": "The job was canceled."},
    }
    refused = ask(client, CANCEL_JOB, i={"id": job_id})["cancelJob"]
    assert refused["job"] is None
    assert refused["errors"][0]["code"] == "CONFLICT"
    retried = ask(client, RETRY_JOB, i={"id": job_id})["retryJob"]
    assert retried["job"] == {"id": job_id, "status": "PENDING", "attempts": 0, "error": None}
    refused = ask(client, RETRY_JOB, i={"id": job_id})["retryJob"]
    assert refused["errors"][0]["code"] == "CONFLICT"


def test_a_batch_is_canceled_and_tried_again(client: httpx.Client) -> None:
    batch_id = submit_batch(client, "a", "b", "c")
    assert used(client) == 3
    batch = client.post(f"/v1/jobs/{batch_id}/cancel").json()
    assert (batch["id"], batch["status"]) == (batch_id, "failed")
    assert batch["meta"] | {"latency_ms": 0} == {
        "total": 3, "completed": 0, "failed": 3, "latency_ms": 0,
    }  # fmt: skip
    assert [item["error"]["code"] for item in batch["results"]] == ["canceled"] * 3
    assert used(client) == 0
    assert "has failed already" in refusal(client.post(f"/v1/jobs/{batch_id}/cancel"))
    again = client.post("/v1/jobs/retry", params={"id": batch_id}).json()
    assert again["status"] == "processing"
    assert again["meta"] == {"total": 3, "completed": 0, "failed": 0, "latency_ms": None}
    assert used(client) == 3
    assert "none of its jobs has failed" in refusal(client.post(f"/v1/jobs/{batch_id}/retry"))


def test_one_job_of_a_batch(client: httpx.Client) -> None:
    batch_id = submit_batch(client, "a", "b")
    asked = "query($id:ID!){batch(id:$id){results{id}}}"
    first, second = (job["id"] for job in ask(client, asked, id=batch_id)["batch"]["results"])
    client.post(f"/v1/jobs/{first}/cancel")
    batch = client.get(f"/v1/jobs/{batch_id}").json()
    assert (batch["meta"]["failed"], batch["meta"]["total"]) == (1, 2)
    assert "results" not in batch
    client.post(f"/v1/jobs/{second}/cancel")
    assert client.get(f"/v1/jobs/{batch_id}").json()["status"] == "failed"


def test_a_large_batch_over_graphql(make_idle_tenant: Callable[..., Tenant]) -> None:
    # As much as one step ends, and as a batch may hold.
    client = make_idle_tenant("enterprise").client
    texts = [f"number {n}" for n in range(500)]
    batch_id = submit_batch(client, *texts)
    batch = ask(client, CANCEL_BATCH, i={"id": batch_id})["cancelBatch"]["batch"]
    assert (batch["status"], batch["meta"]["failed"]) == ("FAILED", 500)
    assert {job["error"]["code"] for job in batch["results"]} == {"CANCELED"}
    assert used(client) == 0
    again = ask(client, RETRY_BATCH, i={"id": batch_id})["retryBatch"]["batch"]
    assert (again["id"], again["meta"]["failed"]) == (batch_id, 0)
    assert used(client) == 500
    refused = ask(client, RETRY_BATCH, i={"id": batch_id})["retryBatch"]
    assert (refused["batch"], refused["errors"]) == (None, [{"code": "CONFLICT"}])
    ask(client, CANCEL_BATCH, i={"id": batch_id})


def test_trying_again_takes_quota(make_idle_tenant: Callable[..., Tenant]) -> None:
    client = make_idle_tenant("free").client
    job_id = submit(client, input="x", categories=None)
    client.post(f"/v1/jobs/{job_id}/cancel")
    for _ in range(100):
        assert client.post("/v1/classify", json={"input": "x", "async": True}).status_code == 202
    refused = client.post(f"/v1/jobs/{job_id}/retry")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"]
    error = refused.json()["error"]
    assert (error["code"], error["limit"], error["used"]) == ("rate_limit_exceeded", 100, 100)
    over_graphql = ask(client, RETRY_JOB, i={"id": job_id})["retryJob"]["errors"][0]
    assert (over_graphql["code"], over_graphql["limit"]) == ("RATE_LIMIT_EXCEEDED", 100)
    assert client.get(f"/v1/jobs/{job_id}").json()["error"]["code"] == "canceled"
    assert used(client) == 100


def test_what_nothing_is_kept_of_can_not_be_tried_again(
    idle_server: Server, client: httpx.Client
) -> None:
    job_id = submit(client, input="x", store=False)
    client.post(f"/v1/jobs/{job_id}/cancel")
    message = refusal(client.post(f"/v1/jobs/{job_id}/retry"))
    assert "its input is no longer kept" in message
    batch_id = submit_batch(client, "x")
    client.post(f"/v1/jobs/{batch_id}/cancel")
    query(idle_server.site.database, "DELETE FROM job_inputs WHERE keep_until IS NOT NULL")
    assert "no longer kept" in refusal(client.post(f"/v1/jobs/{batch_id}/retry"))
    assert used(client) == 0


def test_work_that_a_caller_waits_for(idle_server: Server, client: httpx.Client) -> None:
    job_id = client.post("/v1/classify", json={"input": "x"}).json()["id"]
    assert "has completed already" in refusal(client.post(f"/v1/jobs/{job_id}/cancel"))
    batch = client.post("/v1/batch", json={"items": [{"input": "x"}], "categories": ["a"]}).json()
    assert "has completed already" in refusal(client.post(f"/v1/jobs/{batch['id']}/cancel"))
    running_now = "UPDATE {} SET status = 'processing' WHERE id = {!r}"
    query(idle_server.site.database, running_now.format("jobs", int(job_id)))
    query(idle_server.site.database, running_now.format("batches", batch["id"]))
    for wanted in (job_id, batch["id"]):
        assert "its caller waits" in refusal(client.post(f"/v1/jobs/{wanted}/cancel"))
    failed_now = "UPDATE jobs SET status = 'failed', error_code = 'server_error' WHERE id = {}"
    query(idle_server.site.database, failed_now.format(job_id))
    assert "ran while its caller waited" in refusal(client.post(f"/v1/jobs/{job_id}/retry"))


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_what_is_not_there(
    client: httpx.Client, make_idle_tenant: Callable[..., Tenant], verb: str
) -> None:
    stranger = make_idle_tenant("pro").client
    theirs = (submit(client, input="x"), submit_batch(client, "x"), "999999999")
    for wanted in theirs:
        answer = stranger.post(f"/v1/jobs/{wanted}/{verb}")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "job_not_found"
    for odd in ("x", "batch_x", "9" * 30):
        answer = client.post(f"/v1/jobs/{odd}/{verb}")
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "id")
    missing = client.post(f"/v1/jobs/{verb}")
    assert missing.json()["error"]["field"] == "id"
    assert client.get(f"/v1/jobs/{verb}").status_code == 405
    name, kind = f"{verb}Job", f"{verb.capitalize()}JobInput"
    mutation = f"mutation($i:{kind}!){{{name}(input:$i){{errors{{code}}}}}}"
    for wanted in ("x", theirs[0]):
        errors = ask(stranger, mutation, i={"id": wanted})[name]["errors"]
        assert errors == [{"code": "JOB_NOT_FOUND"}]


def test_a_repeated_cancel_is_answered_the_same(client: httpx.Client) -> None:
    job_id = submit(client, input="x")
    key = {"Idempotency-Key": f"cancel-{job_id}"}
    first = client.post(f"/v1/jobs/{job_id}/cancel", headers=key)
    second = client.post(f"/v1/jobs/{job_id}/cancel", headers=key)
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.json() == first.json()


def test_a_running_job_is_canceled_and_its_answer_dropped(tenant: Tenant) -> None:
    before = used(tenant.client)
    job_id = submit(tenant.client, input=LONG_TEXT * 4)
    while tenant.client.get(f"/v1/jobs/{job_id}").json()["status"] == "pending":
        pass
    job = tenant.client.post(f"/v1/jobs/{job_id}/cancel").json()
    assert (job["status"], job["error"]["code"]) == ("failed", "canceled")
    # The next one ends after what was under way.
    other = submit(tenant.client)
    ended: dict[str, Any] = tenant.client.get(f"/v1/jobs/{other}", params={"wait": 60}).json()
    assert ended["status"] == "completed"
    assert tenant.client.get(f"/v1/jobs/{job_id}").json() == job
    assert used(tenant.client) == before + 1


def test_it_is_documented(tenant: Tenant) -> None:
    paths = tenant.client.get("/api/v1/openapi.json").json()["paths"]
    for verb in ("cancel", "retry"):
        for path in (f"/jobs/{verb}", f"/jobs/{{id}}/{verb}"):
            operation = paths[path]["post"]
            assert {"200", "404", "409"} <= set(operation["responses"])
            assert operation["parameters"][0]["name"] == "id"
            assert operation["parameters"][0]["required"]
    assert "429" in paths["/jobs/retry"]["post"]["responses"]
