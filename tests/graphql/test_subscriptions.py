"""`job` and `batch` as subscriptions, over WebSocket and over SSE."""

from collections.abc import Callable

import pytest

from tests.conftest import Server, Tenant
from tests.graphql.asking import ask
from tests.graphql.live import (
    BATCH,
    JOB,
    LONG_TEXT,
    events,
    greeted,
    open_stream,
    statuses,
    submit,
    submit_batch,
)

ORDER = ["PENDING", "PROCESSING", "COMPLETED"]


def is_forward(seen: list[str]) -> bool:
    """Tell whether each status was seen once, in order, to the end: some may be missed."""
    return seen == [status for status in ORDER if status in seen] and seen[-1] == ORDER[-1]


def test_a_job_is_followed_over_websocket(server: Server, tenant: Tenant) -> None:
    with greeted(server, tenant.key) as socket:
        job_id = submit(tenant.client)
        socket.subscribe(JOB, id=job_id)
        results = list(socket.results())
    assert is_forward([data["job"]["status"] for data in results])
    assert len(results) >= 2
    last = results[-1]["job"]
    assert last["result"]["label"] in {"gardening", "sports"}
    assert (last["id"], last["attempts"], last["error"]) == (job_id, 1, None)


def test_a_job_is_followed_over_sse(tenant: Tenant) -> None:
    job_id = submit(tenant.client)
    with open_stream(tenant.client, JOB, id=job_id) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-cache"
        assert "Content-Encoding" not in response.headers
        assert response.headers["X-Request-Id"]
        *told, last = events(response)
    assert last == ("complete", None)
    assert {name for name, _ in told} == {"next"}
    assert is_forward([payload["data"]["job"]["status"] for _, payload in told])


def test_an_ended_job_is_told_once(server: Server, tenant: Tenant) -> None:
    job_id = tenant.client.post("/api/v1/classify", json={"input": "x"}).json()["id"]
    with greeted(server, tenant.key) as socket:
        for name in ("a", "b"):
            socket.subscribe(JOB, name=name, id=job_id)
            assert statuses(socket.results(name)) == ["COMPLETED"]


def test_a_batch_tells_its_progress(server: Server, tenant: Tenant) -> None:
    texts = [f"Number {n}. {LONG_TEXT[:400]}" for n in range(70)]
    with greeted(server, tenant.key) as socket:
        batch_id = submit_batch(tenant.client, *texts)
        socket.subscribe(BATCH, id=batch_id)
        batches = [data["batch"] for data in socket.results()]
    assert is_forward(list(dict.fromkeys(batch["status"] for batch in batches)))
    done = [batch["meta"]["completed"] for batch in batches]
    assert done == sorted(set(done)) or len(set(done)) >= 2
    assert done[-1] == 70
    assert len(set(done)) >= 3


def test_results_of_a_batch_are_those_of_each_moment(server: Server, tenant: Tenant) -> None:
    query = "subscription($id:ID!){batch(id:$id){status results{itemId status batch{status}}}}"
    with greeted(server, tenant.key) as socket:
        batch_id = submit_batch(tenant.client, LONG_TEXT, "x", "y")
        socket.subscribe(query, id=batch_id)
        first, *_, last = (data["batch"] for data in socket.results())
    assert [job["itemId"] for job in first["results"]] == ["0", "1", "2"]
    assert {job["status"] for job in first["results"]} <= {"PENDING", "PROCESSING"}
    assert {job["status"] for job in last["results"]} == {"COMPLETED"}
    assert {job["batch"]["status"] for job in last["results"]} == {"COMPLETED"}


def test_async_mutations_answer_at_once(tenant: Tenant) -> None:
    query = """mutation($i:ClassifyInput!,$b:ClassifyBatchInput!){
        classify(input:$i){job{id status attempts batch{id}} errors{code}}
        classifyBatch(input:$b){batch{id status meta{completed} results{status batch{id}}}}}"""
    categories = [{"name": "gardening"}, {"name": "sports"}]
    data = ask(
        tenant.client,
        query,
        i={"input": LONG_TEXT, "async": True, "categories": categories},
        b={"items": [{"input": "x"}, {"input": "y"}], "async": True, "categories": categories},
    )
    job, batch = data["classify"]["job"], data["classifyBatch"]["batch"]
    assert (job["status"], job["attempts"], job["batch"]) == ("PENDING", 0, None)
    assert (batch["status"], batch["meta"]["completed"]) == ("PENDING", 0)
    assert [each["status"] for each in batch["results"]] == ["PENDING", "PENDING"]
    assert {each["batch"]["id"] for each in batch["results"]} == {batch["id"]}


class TestRefused:
    """What is not there for the caller, or not any more."""

    @pytest.fixture
    def stranger(self, make_tenant: Callable[..., Tenant]) -> Tenant:
        """Another account."""
        return make_tenant("pro")

    @pytest.mark.parametrize(
        ("query", "wanted"),
        [(JOB, "999999999"), (JOB, "x"), (BATCH, "batch_" + "0" * 24), (BATCH, "x")],
    )
    def test_nothing_there(self, server: Server, tenant: Tenant, query: str, wanted: str) -> None:
        with greeted(server, tenant.key) as socket:
            socket.subscribe(query, id=wanted)
            refused = socket.receive()
            assert (refused["type"], refused["id"]) == ("error", "1")
            assert refused["payload"][0]["extensions"]["code"] == "JOB_NOT_FOUND"
        with open_stream(tenant.client, query, id=wanted) as response:
            (name, payload), last = events(response)
        assert name == "next"
        assert payload["errors"][0]["extensions"]["code"] == "JOB_NOT_FOUND"
        assert "data" not in payload
        assert last == ("complete", None)

    def test_another_accounts(self, server: Server, tenant: Tenant, stranger: Tenant) -> None:
        job_id = tenant.client.post("/api/v1/classify", json={"input": "x"}).json()["id"]
        batch_id = submit_batch(tenant.client, "x")
        with greeted(server, stranger.key) as socket:
            for query, wanted in ((JOB, job_id), (BATCH, batch_id)):
                socket.subscribe(query, id=wanted)
                refused = socket.receive()
                assert refused["payload"][0]["extensions"]["code"] == "JOB_NOT_FOUND"

    def test_a_lapsed_subscription(
        self, idle_server: Server, make_idle_tenant: Callable[..., Tenant]
    ) -> None:
        late = make_idle_tenant("pro")
        with greeted(idle_server, late.key) as socket:
            socket.subscribe(JOB, id=submit(late.client))
            assert socket.receive()["type"] == "next"
            late.site.command("account", "set-status", str(late.account_id), "past_due")
            message = socket.receive()
            assert message["type"] == "error"
            assert message["payload"][0]["extensions"]["code"] == "SUBSCRIPTION_INACTIVE"
            # The socket stays: the account can be read.
            socket.subscribe("{viewer{status}}")
            assert list(socket.results()) == [{"viewer": {"status": "PAST_DUE"}}]
