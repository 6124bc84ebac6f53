"""Webhooks over GraphQL: the whole life of one, its log page by page, and what is refused."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Tenant
from tests.graphql.asking import ask, refusal

URL = "https://example.com/hook"
CREATE = """mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) {
  webhook { id url events active disabledReason failingSince previousSecretUntil } secret
  errors { code field message feature requiredPlan } } }"""
UPDATE = """mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) {
  webhook { id url events active } errors { code field } } }"""
DELETE = """mutation ($input: DeleteWebhookInput!) { deleteWebhook(input: $input) {
  deletedId errors { code } } }"""
ROTATE = """mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) {
  webhook { id previousSecretUntil } secret errors { code field } } }"""
TEST = """mutation ($input: TestWebhookInput!) { testWebhook(input: $input) {
  delivery { id event status payload } errors { code field } } }"""
REDELIVER = """mutation ($input: RedeliverWebhookInput!) { redeliverWebhook(input: $input) {
  redelivered errors { code field } } }"""
LOG = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String,
                $status: DeliveryStatus) {
  webhook(id: $id) { deliveries(first: $first, after: $after, last: $last, before: $before,
                                status: $status) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor startCursor }
    edges { cursor } nodes { id status event jobId batchId nextAttemptAt completedAt
      attempts { statusCode durationMs response error attemptedAt } } } } }"""


@pytest.fixture(scope="module")
def client(make_tenant: Callable[..., Tenant]) -> httpx.Client:
    return make_tenant("pro").client


def do(client: httpx.Client, mutation: str, **asked: Any) -> Any:
    """Run a mutation and return its payload."""
    (payload,) = ask(client, mutation, input=asked).values()
    return payload


def make(client: httpx.Client) -> Any:
    return do(client, CREATE, url=URL)["webhook"]


def test_a_webhook_from_first_to_last(client: httpx.Client) -> None:
    made = do(client, CREATE, url=URL, events=["JOB_FAILED", "JOB_FAILED"], secret="my own")
    webhook = made["webhook"]
    assert webhook == {
        "id": webhook["id"], "url": URL, "events": ["JOB_FAILED"], "active": True,
        "disabledReason": None, "failingSince": None, "previousSecretUntil": None,
    }  # fmt: skip
    assert (made["secret"], made["errors"]) == ("my own", [])
    rest = client.get(f"/api/v1/webhooks/{webhook['id']}").json()
    assert (rest["events"], rest["url"]) == (["job.failed"], URL)
    listed = ask(client, "{ webhooks { id } }")["webhooks"]
    assert listed[0] == {"id": webhook["id"]}

    changed = do(client, UPDATE, id=webhook["id"], events=["ALL"], active=False)["webhook"]
    assert (changed["events"], changed["active"], changed["url"]) == (["ALL"], False, URL)
    off = do(client, TEST, id=webhook["id"])["errors"]
    assert off == [{"code": "INVALID_REQUEST", "field": ["input", "id"]}]
    assert do(client, UPDATE, id=webhook["id"], active=True)["webhook"]["active"] is True

    rotated = do(client, ROTATE, id=webhook["id"])
    assert rotated["secret"].startswith("whsec_")
    assert rotated["webhook"]["previousSecretUntil"] is not None

    assert do(client, DELETE, id=webhook["id"]) == {"deletedId": webhook["id"], "errors": []}
    assert ask(client, LOG, id=webhook["id"]) == {"webhook": None}
    for mutation in (UPDATE, DELETE, ROTATE, TEST, REDELIVER):
        for unknown in (webhook["id"], "x"):
            (error,) = do(client, mutation, id=unknown, **extra(mutation))["errors"]
            assert error["code"] == "WEBHOOK_NOT_FOUND"


def extra(mutation: str) -> dict[str, Any]:
    return {"since": "2026-01-01T00:00:00Z"} if mutation is REDELIVER else {}


def test_what_is_refused(client: httpx.Client, make_tenant: Callable[..., Tenant]) -> None:
    for asked, field in (
        ({"url": "http://example.com"}, ["input", "url"]),
        ({"url": "https://10.0.0.1"}, ["input", "url"]),
        ({"url": URL, "events": []}, ["input", "events"]),
        ({"url": URL, "secret": ""}, ["input", "secret"]),
    ):
        made = do(client, CREATE, **asked)
        assert (made["webhook"], made["secret"]) == (None, None)
        (error,) = made["errors"]
        assert (error["code"], error["field"]) == ("INVALID_REQUEST", field)
    (error,) = do(make_tenant("starter").client, CREATE, url=URL)["errors"]
    assert (error["code"], error["feature"], error["requiredPlan"]) == (
        "PLAN_RESTRICTION", "webhooks", "PRO",
    )  # fmt: skip
    webhook = make(client)
    cursor = ask(client, "{ jobs(first: 1) { pageInfo { endCursor } } }")
    for after in ("x", cursor["jobs"]["pageInfo"]["endCursor"] or "azox", "ZDoxOng"):
        refused = refusal(client, LOG, id=webhook["id"], after=after)
        assert refused["extensions"]["code"] == "INVALID_REQUEST"
    for asked, field in (
        ({}, "deliveryId"),
        ({"deliveryId": "dlv_1", "since": "2026-01-01T00:00:00Z"}, "since"),
    ):
        (error,) = do(client, REDELIVER, id=webhook["id"], **asked)["errors"]
        assert error["field"] == ["input", field]
    (error,) = do(client, REDELIVER, id=webhook["id"], deliveryId="dlv_1")["errors"]
    assert error["code"] == "DELIVERY_NOT_FOUND"


def test_another_accounts_webhook_is_null(
    client: httpx.Client, make_tenant: Callable[..., Tenant]
) -> None:
    webhook = make(client)
    other = make_tenant("pro").client
    assert ask(other, LOG, id=webhook["id"]) == {"webhook": None}
    assert ask(other, "{ webhooks { id } }") == {"webhooks": []}
    (error,) = do(other, DELETE, id=webhook["id"])["errors"]
    assert error["code"] == "WEBHOOK_NOT_FOUND"


def test_the_log_page_by_page(client: httpx.Client) -> None:
    webhook = make(client)
    sent = do(client, TEST, id=webhook["id"], event="BATCH_COMPLETED")["delivery"]
    assert (sent["event"], sent["status"]) == ("BATCH_COMPLETED", "PENDING")
    assert '"test":true' in sent["payload"]
    ids = [sent["id"]]
    ids += [do(client, TEST, id=webhook["id"])["delivery"]["id"] for _ in range(4)]
    ids.reverse()

    def page(**window: Any) -> Any:
        return ask(client, LOG, id=webhook["id"], **window)["webhook"]["deliveries"]

    whole = page()
    assert [node["id"] for node in whole["nodes"]] == ids
    assert whole["totalCount"] == 5
    walked, after = [], None
    while True:
        part = page(first=2, after=after)
        walked += [node["id"] for node in part["nodes"]]
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert walked == ids
    part = page(last=2)
    assert [node["id"] for node in part["nodes"]] == ids[3:]
    assert part["pageInfo"]["hasPreviousPage"] is True
    part = page(last=2, before=part["pageInfo"]["startCursor"])
    assert [node["id"] for node in part["nodes"]] == ids[1:3]
    assert page(status="DELIVERED")["totalCount"] == 0
    assert page(first=0)["nodes"] == []


def test_logs_of_several_webhooks_are_loaded_together(client: httpx.Client) -> None:
    hooks = [make(client) for _ in range(2)]
    for hook in hooks:
        do(client, TEST, id=hook["id"])
    found = ask(
        client,
        "{ webhooks { id deliveries(first: 3) { totalCount nodes { id attempts { statusCode } } }"
        " } }",
    )["webhooks"]
    counts = {hook["id"]: hook["deliveries"]["totalCount"] for hook in found}
    assert [counts[hook["id"]] for hook in hooks] == [1, 1]
