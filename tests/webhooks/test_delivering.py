"""Deliveries: what is told, to whom, how often, and what becomes of endpoints that don't listen."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.databases import query
from tests.graphql.asking import ask
from tests.servers import wait_until
from tests.webhooks.conftest import Owner

# A job whose process died: the sweep ends it as failed.
LOST_JOB = """
INSERT INTO jobs (account_id, status, input_type, mode, background, priority, attempts, created_at,
                  lease_expires_at, batch_id, batch_index, item_id)
VALUES ({account}, 'processing', 'text', 'single', FALSE, 0, 1, '2026-11-01 00:00:00+00:00',
        '2026-11-01 00:00:01+00:00', {batch})
"""
BATCH = """
INSERT INTO batches (id, account_id, kind, status, total, completed, failed, created_at)
VALUES ('{id}', {account}, 'batch', 'processing', 1, 0, 0, '2026-11-01 00:00:00+00:00')
"""


@pytest.mark.contract(
    "webhooks.event.all",
    "webhooks.event.job_completed",
    "webhook.event",
    "webhook.id",
    "webhook.result",
    "webhook.type",
    "webhook.timestamp",
    "webhooks.more.sync_events",
    "webhooks.more.headers",
)
@pytest.mark.parametrize("asked", [{}, {"async": True}])
def test_a_job_that_completes_is_told(owner: Owner, asked: dict[str, Any]) -> None:
    webhook = owner.register()
    job = owner.classify(**asked).json()
    (told,) = owner.receiver.wait(webhook["path"])
    shown = owner.client.get(f"/api/v1/jobs/{job['id']}").json()
    assert told.event == {
        "event": "job.completed", "id": job["id"], "result": shown["result"], "type": "text",
        "schema": None, "timestamp": shown["completed_at"],
    }  # fmt: skip
    assert told.headers["x-classifaily-event"] == "job.completed"
    assert told.headers["content-type"] == "application/json"
    assert told.headers["user-agent"].startswith("ClassifAIly/")
    delivery = owner.wait_for(webhook, "delivered")
    assert delivery["id"] == told.delivery_id == told.headers["webhook-id"]
    assert delivery["payload"] == told.event
    (attempt,) = delivery["attempts"]
    assert (attempt["status_code"], attempt["error"]) == (200, None)
    # The first 4 KiB, with what no database can store replaced.
    assert attempt["response"] == "noted \ufffd " + "x" * 4088
    assert attempt["duration_ms"] >= 0


@pytest.mark.contract("webhook.schema")
def test_a_job_names_its_schema(owner: Owner) -> None:
    webhook = owner.register()
    body = {"name": "S", "categories": ["billing", "sports"]}
    schema = owner.client.post("/api/v1/schemas", json=body).json()["id"]
    owner.classify(schema=schema)
    (told,) = owner.receiver.wait(webhook["path"])
    assert told.event["schema"] == schema


@pytest.mark.contract("webhooks.event.job_failed", "webhooks.more.failed_payload")
def test_a_job_that_fails_is_told(owner: Owner) -> None:
    webhook = owner.register()
    query(owner.site.database, LOST_JOB.format(account=owner.account_id, batch="NULL, NULL, NULL"))
    (told,) = owner.receiver.wait(webhook["path"])
    (shown,) = owner.client.get("/api/v1/jobs", params={"status": "failed"}).json()["jobs"]
    assert told.event == {
        "event": "job.failed", "id": shown["id"], "error": shown["error"], "type": "text",
        "schema": None, "timestamp": shown["completed_at"],
    }  # fmt: skip
    assert shown["error"]["code"] == "server_error"
    assert told.headers["x-classifaily-event"] == "job.failed"


@pytest.mark.contract("webhooks.event.batch_completed", "webhooks.more.batch_payload")
@pytest.mark.parametrize("asked", [{}, {"async": True}])
def test_a_batch_is_told_as_one(owner: Owner, asked: dict[str, Any]) -> None:
    webhook = owner.register()
    items = [{"id": "one", "input": "I was charged twice."}, {"id": "two", "input": "A goal!"}]
    body = {"categories": ["billing", "sports"], "items": items, **asked}
    batch = owner.client.post("/api/v1/batch", json=body).json()
    (told,) = owner.receiver.wait(webhook["path"])
    shown = owner.client.get("/api/v1/jobs", params={"id": batch["id"]}).json()
    assert told.event == {
        "event": "batch.completed", "id": batch["id"], "status": "completed",
        "results": shown["results"], "meta": shown["meta"], "timestamp": told.event["timestamp"],
    }  # fmt: skip
    assert [each["id"] for each in told.event["results"]] == ["one", "two"]
    assert (told.event["meta"]["total"], told.event["meta"]["completed"]) == (2, 2)
    assert told.headers["x-classifaily-event"] == "batch.completed"
    owner.wait_for(webhook, "delivered")
    assert len(owner.receiver.received(webhook["path"])) == 1


QUESTION = {"type": "choice", "criteria": {"billing": "Payments", "sports": None}}
DECIDE = """mutation { decide(input: {state: "I was charged twice.", questions: [{name: "team",
  kind: CHOICE, options: [{name: "billing", description: "Payments"}, {name: "sports"}]}]}) {
  batch { id } } }"""


@pytest.mark.contract("beyond.systemone")
@pytest.mark.parametrize("face", ["rest", "graphql"])
def test_answers_to_questions_are_told_as_a_batch(owner: Owner, face: str) -> None:
    webhook = owner.register()
    if face == "rest":
        asked = {"state": "I was charged twice.", "questions": {"team": QUESTION}}
        batch_id = owner.client.post("/v1/systemone", json=asked).json()["id"]
    else:
        batch_id = ask(owner.client, DECIDE)["decide"]["batch"]["id"]
    (told,) = owner.receiver.wait(webhook["path"])
    shown = owner.client.get("/api/v1/jobs", params={"id": batch_id}).json()
    assert told.event == {
        "event": "batch.completed", "id": batch_id, "status": "completed",
        "results": shown["results"], "meta": shown["meta"], "timestamp": told.event["timestamp"],
    }  # fmt: skip
    (answer,) = told.event["results"]
    assert (answer["name"], answer["result"]["labels"][0]["label"]) == ("team", "billing")
    owner.wait_for(webhook, "delivered")
    assert len(owner.receiver.received(webhook["path"])) == 1


def test_a_batch_of_failures_is_told_too(owner: Owner) -> None:
    webhook = owner.register(events=["batch.completed"])
    batch = f"batch_{'0' * 20}{owner.account_id:04}"
    query(owner.site.database, BATCH.format(account=owner.account_id, id=batch))
    place = f"'{batch}', 0, 'one'"
    query(owner.site.database, LOST_JOB.format(account=owner.account_id, batch=place))
    (told,) = owner.receiver.wait(webhook["path"])
    assert (told.event["id"], told.event["status"]) == (batch, "failed")
    assert (told.event["meta"]["total"], told.event["meta"]["failed"]) == (1, 1)
    (item,) = told.event["results"]
    assert (item["id"], item["status"], item["error"]["code"]) == ("one", "failed", "server_error")


@pytest.mark.contract("webhooks.events")
def test_only_what_was_subscribed_to_is_told(owner: Owner) -> None:
    failures, all_of_it = owner.register(events=["job.failed"]), owner.register()
    switched_off = owner.register()
    owner.client.patch(f"/api/v1/webhooks/{switched_off['id']}", json={"active": False})
    owner.classify()
    owner.receiver.wait(all_of_it["path"])
    assert owner.log(failures) == owner.log(switched_off) == []
    one = f"/api/v1/webhooks/{failures['id']}"
    owner.client.patch(one, json={"events": ["job.completed"]})
    owner.classify()
    owner.receiver.wait(failures["path"])


@pytest.mark.contract("webhooks.more.delivery_id")
def test_what_fails_is_tried_again_under_one_id(owner: Owner) -> None:
    webhook = owner.register("500")
    owner.classify()
    began = time.monotonic()
    owner.receiver.wait(webhook["path"], 2)
    # 5 s, jittered by a fifth, and the sweep that comes every second or so.
    assert 3.5 < time.monotonic() - began < 9
    waiting = owner.wait_for(webhook, "pending", attempts=2)
    assert owner.webhook(webhook)["failing_since"] is not None
    minutes = (moment(waiting["next_attempt_at"]) - moment(last(waiting)["attempted_at"])) / 60
    assert 3.9 < minutes < 6.1

    owner.receiver.then(webhook["path"], 204)
    owner.make_due(webhook)
    delivered = owner.wait_for(webhook, "delivered", attempts=3)
    told = owner.receiver.received(webhook["path"])
    assert {each.delivery_id for each in told} == {delivered["id"]}
    assert len({each.body for each in told}) == 1
    codes = [each["status_code"] for each in delivered["attempts"]]
    assert codes == [500, 500, 204]
    assert owner.webhook(webhook)["failing_since"] is None


@pytest.mark.contract("webhooks.more.retries")
def test_after_the_last_attempt_it_has_failed_and_can_be_sent_again(owner: Owner) -> None:
    webhook = owner.register("503")
    owner.classify()
    hours = []
    for attempts in range(1, 8):
        waiting = owner.wait_for(webhook, "pending", attempts=attempts)
        delay = moment(waiting["next_attempt_at"]) - moment(last(waiting)["attempted_at"])
        hours.append(delay / 3600)
        owner.make_due(webhook)
    failed = owner.wait_for(webhook, "failed", attempts=8)
    assert failed["next_attempt_at"] is None
    assert failed["completed_at"] is not None
    planned = [5 / 3600, 5 / 60, 0.5, 2, 5, 10, 10]
    # The API shows whole seconds.
    for delay, plan in zip(hours, planned, strict=True):
        assert plan * 0.8 - 2 / 3600 <= delay <= plan * 1.2 + 2 / 3600

    owner.receiver.then(webhook["path"], 200)
    again = owner.post(webhook, "redeliver", delivery=failed["id"])
    assert (again.status_code, again.json()) == (202, {"redelivered": 1})
    delivered = owner.wait_for(webhook, "delivered", attempts=9)
    assert delivered["id"] == failed["id"]


@pytest.mark.contract("webhooks.more.redirects")
def test_redirects_are_failures_and_not_followed(owner: Owner) -> None:
    webhook = owner.register("302")
    owner.classify()
    waiting = owner.wait_for(webhook, "pending")
    assert last(waiting)["status_code"] == 302
    assert owner.receiver.received("/followed") == []


def test_nobody_listening_is_a_failure_that_says_so(owner: Owner) -> None:
    webhook = owner.register()
    gone = {"url": "http://127.0.0.1:1/hook"}
    owner.client.patch(f"/api/v1/webhooks/{webhook['id']}", json=gone)
    owner.classify()
    attempt = last(owner.wait_for(webhook, "pending"))
    assert attempt["status_code"] is None
    assert attempt["response"] is None
    assert attempt["error"] == "127.0.0.1 does not accept connections."


def test_an_address_that_is_private_by_now_is_not_reached(owner: Owner) -> None:
    webhook = owner.register()
    owner.alter(webhook, "url = 'https://127.0.0.2/x'")
    owner.classify()
    attempt = last(owner.wait_for(webhook, "pending"))
    assert attempt["error"] == "127.0.0.2 has no public address."


def test_410_switches_an_endpoint_off_at_once(owner: Owner) -> None:
    webhook = owner.register("410")
    owner.classify()
    owner.wait_for(webhook, "failed")
    now = owner.webhook(webhook)
    assert (now["active"], now["disabled_reason"]) == (False, "gone")
    owner.classify()
    for verb in ("test", "redeliver"):
        refused = owner.post(webhook, verb, since="2026-01-01T00:00:00Z")
        assert refused.status_code == 400
        assert refused.json()["error"]["field"] == "id"
    assert len(owner.log(webhook)) == 1
    owner.receiver.then(webhook["path"], 200)
    again = owner.client.patch(f"/api/v1/webhooks/{webhook['id']}", json={"active": True}).json()
    assert (again["active"], again["disabled_reason"], again["failing_since"]) == (True, None, None)
    owner.classify()
    owner.wait_for(webhook, "delivered")


@pytest.mark.contract("webhooks.more.switched_off")
def test_an_endpoint_that_fails_for_five_days_is_switched_off(owner: Owner) -> None:
    webhook = owner.register("500")
    owner.classify()
    owner.wait_for(webhook, "pending")
    owner.alter(webhook, "failing_since = '2026-01-01 00:00:00+00:00'")
    owner.make_due(webhook)
    owner.wait_for(webhook, "pending", attempts=2)
    now = owner.webhook(webhook)
    assert (now["active"], now["disabled_reason"]) == (False, "failing")
    # What still waits fails when it comes due, without another attempt.
    owner.make_due(webhook)
    owner.wait_for(webhook, "failed", attempts=2)


@pytest.mark.contract("webhooks.more.success")
@pytest.mark.timeout(90)
def test_a_dead_endpoint_delays_nobody(owner: Owner) -> None:
    dead, alive = owner.register("hang"), owner.register()
    items = [{"input": f"I was charged {n} times."} for n in range(50)]
    began = time.monotonic()
    for item in items:
        owner.classify(**item, **{"async": True})
    owner.receiver.wait(alive["path"], 50, timeout_s=20)
    assert time.monotonic() - began < 12
    assert 1 <= len(owner.receiver.received(dead["path"])) <= 4
    assert owner.receiver.most_open[alive["path"]] <= 4
    wait_until(lambda: len(owner.log(alive, status="delivered", limit=100)) == 50)

    # No answer within 15 s is a failure; from then on one is tried at a time.
    wait_until(lambda: owner.webhook(dead)["failing_since"] is not None, timeout_s=25)
    failed = next(each for each in owner.log(dead, limit=100) if each["attempts"])
    attempt = failed["attempts"][0]
    assert attempt["error"] == "There was no complete answer within 15 seconds."
    assert 14_900 <= attempt["duration_ms"] < 17_000
    assert owner.client.delete(f"/api/v1/webhooks/{dead['id']}").status_code == 204


def test_a_slow_endpoint_has_four_places(owner: Owner) -> None:
    webhook = owner.register("slow")
    for _ in range(12):
        owner.classify(**{"async": True})
    owner.receiver.wait(webhook["path"], 12)
    assert 2 <= owner.receiver.most_open[webhook["path"]] <= 4


@pytest.mark.parametrize(
    "event", ["webhook.test", "job.completed", "job.failed", "batch.completed", None]
)
def test_a_test_is_a_delivery_like_any_other(owner: Owner, event: str | None) -> None:
    webhook = owner.register(events=["job.failed"])
    sent = owner.post(webhook, "test", **({} if event is None else {"event": event}))
    assert sent.status_code == 202
    (told,) = owner.receiver.wait(webhook["path"])
    assert told.delivery_id == sent.json()["id"]
    assert told.headers["x-classifaily-event"] == (event or "webhook.test")
    assert told.event["event"] == (event or "webhook.test")
    assert told.event["test"] is True
    assert owner.wait_for(webhook, "delivered")["payload"] == told.event
    # A body is not needed.
    bare = owner.client.post(f"/api/v1/webhooks/{webhook['id']}/test")
    assert bare.json()["event"] == "webhook.test"
    wrong = owner.post(webhook, "test", event="job.started").json()["error"]
    assert wrong["field"] == "event"


def test_what_was_sent_can_be_sent_again_since_a_time(owner: Owner) -> None:
    webhook = owner.register("slow")
    for status in (200, 410, 200):
        owner.receiver.then(webhook["path"], status)
        owner.client.patch(f"/api/v1/webhooks/{webhook['id']}", json={"active": True})
        owner.classify()
        owner.wait_for(webhook, "failed" if status == 410 else "delivered")
    owner.client.patch(f"/api/v1/webhooks/{webhook['id']}", json={"active": True})
    ids = [each["id"] for each in owner.log(webhook)]
    sql = "UPDATE deliveries SET created_at = '2026-11-01 00:00:00+00:00' WHERE id = "
    query(owner.site.database, f"{sql} '{ids[2]}'")
    since = "2026-11-05T00:00:00+02:00"

    again = owner.post(webhook, "redeliver", since=since, failed_only=True)
    assert again.json() == {"redelivered": 1}
    owner.receiver.wait(webhook["path"], 4)
    wait_until(lambda: len(owner.log(webhook, status="delivered")) == 3)
    assert owner.post(webhook, "redeliver", since=since).json() == {"redelivered": 2}
    told = owner.receiver.wait(webhook["path"], 6)
    assert told[3].delivery_id == ids[1]
    assert {each.delivery_id for each in told[4:]} == {ids[0], ids[1]}
    for body, field in (
        ({}, "delivery"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-05T00:00:00"}, "since"),
        ({"since": since, "delivery": ids[0]}, "since"),
    ):
        assert owner.post(webhook, "redeliver", **body).json()["error"]["field"] == field
    for extreme in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert owner.post(webhook, "redeliver", since=extreme).status_code == 202
    for unknown in ("dlv_" + "0" * 24, "x"):
        refused = owner.post(webhook, "redeliver", delivery=unknown)
        assert refused.json()["error"]["code"] == "delivery_not_found"
    assert (
        owner.post(webhook, "redeliver", delivery="dlv_\x00").json()["error"]["field"] == "delivery"
    )


def test_the_log_is_paged_and_filtered(owner: Owner) -> None:
    webhook = owner.register()
    for _ in range(3):
        owner.post(webhook, "test")
    wait_until(lambda: len(owner.log(webhook, status="delivered")) == 3)
    ids = [each["id"] for each in owner.log(webhook)]
    assert [each["id"] for each in owner.log(webhook, limit=2, offset=1)] == ids[1:]
    assert owner.log(webhook, status="failed") == []
    address = f"/api/v1/webhooks/{webhook['id']}/deliveries"
    assert owner.client.get(address, params={"limit": 1}).json()["total"] == 3
    wrong = owner.client.get(address, params={"status": "lost"}).json()["error"]
    assert wrong["field"] == "status"


def test_deleting_a_webhook_deletes_its_log(owner: Owner) -> None:
    webhook, other = owner.register("500"), owner.register()
    owner.classify()
    owner.wait_for(webhook, "pending")
    owner.wait_for(other, "delivered")
    assert owner.client.delete(f"/api/v1/webhooks/{webhook['id']}").status_code == 204
    of_account = f"WHERE account_id = {owner.account_id}"
    deliveries, attempts = "SELECT webhook_id FROM deliveries", "SELECT 1 FROM delivery_attempts"
    assert query(owner.site.database, f"{deliveries} {of_account}") == [(other["id"],)]
    assert query(owner.site.database, f"{attempts} {of_account}") == [(1,)]


def test_many_endpoints_of_many_accounts_are_told_at_once(
    make_owner: Callable[..., Owner],
) -> None:
    owner = make_owner("enterprise")
    hooks = [owner.register("slow") for _ in range(60)]
    began = time.monotonic()
    owner.classify()
    for hook in hooks:
        owner.receiver.wait(hook["path"])
    # One after the other they would take 18 s.
    assert time.monotonic() - began < 6


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def last(delivery: dict[str, Any]) -> dict[str, Any]:
    return delivery["attempts"][-1]
