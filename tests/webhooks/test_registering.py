"""`/webhooks`: who may register what, and what is shown of it."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Tenant
from tests.databases import query
from tests.webhooks.conftest import Owner

ADDRESS = "/api/v1/webhooks"
URL = "https://example.com/hook"


@pytest.mark.contract(
    "webhooks.url", "webhooks.more.lifecycle", "ids.webhook", "errors.webhook_not_found"
)
def test_a_webhook_from_first_to_last(make_tenant: Callable[..., Tenant]) -> None:
    client = make_tenant("pro").client
    made = client.post(ADDRESS, json={"url": URL})
    assert made.status_code == 201
    body = made.json()
    secret = body.pop("secret")
    assert isinstance(body["id"], int)
    assert body == {
        "id": body["id"], "url": URL, "events": ["*"], "active": True, "disabled_reason": None,
        "failing_since": None, "previous_secret_until": None,
        "created_at": body["created_at"], "updated_at": body["created_at"],
    }  # fmt: skip
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) >= 24

    one = f"{ADDRESS}/{body['id']}"
    assert client.get(one).json() == body
    assert client.get(ADDRESS, params={"id": body["id"]}).json() == body
    listed = client.get(ADDRESS).json()
    assert listed == {"webhooks": [body], "total": 1, "limit": 20, "offset": 0}

    change = {"events": ["job.failed", "batch.completed", "job.failed"], "active": False}
    changed = client.patch(one, json=change).json()
    assert changed == {
        **body, "events": ["job.failed", "batch.completed"], "active": False,
        "updated_at": changed["updated_at"],
    }  # fmt: skip
    other = f"{URL}/2"
    assert client.patch(ADDRESS, params={"id": body["id"]}, json={"url": other}).status_code == 200
    assert client.patch(one, json={}).json()["url"] == other

    assert client.delete(one).status_code == 204
    for response in (client.get(one), client.patch(one, json={}), client.delete(one)):
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "webhook_not_found"
    assert client.get(f"{ADDRESS}/999999999999999999").status_code == 404
    assert client.get(f"{ADDRESS}/x").json()["error"]["field"] == "id"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": 1}, "url"),
        ({"url": ""}, "url"),
        ({"url": "example.com"}, "url"),
        ({"url": "http://example.com/hook"}, "url"),
        ({"url": "ftp://example.com/hook"}, "url"),
        ({"url": "https://localhost/hook"}, "url"),
        ({"url": "https://127.0.0.1/hook"}, "url"),
        ({"url": "https://[::1]/hook"}, "url"),
        ({"url": "https://10.0.0.1/hook"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://0x7f.1/hook"}, "url"),
        ({"url": "https://user:pass@example.com/hook"}, "url"),
        ({"url": "https://example.com:22/hook"}, "url"),
        ({"url": f"https://example.com/{'x' * 2000}"}, "url"),
        ({"url": "https://example.com/\x00"}, "url"),
        ({"url": URL, "events": "*"}, "events"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": ["*", "job.started"]}, "events[1]"),
        ({"url": URL, "events": ["webhook.test"]}, "events[0]"),
        ({"url": URL, "secret": ""}, "secret"),
        ({"url": URL, "secret": " "}, "secret"),
        ({"url": URL, "secret": 1}, "secret"),
        ({"url": URL, "secret": "x" * 257}, "secret"),
        ({"url": URL, "secret": "a\x00b"}, "secret"),
    ],
)
@pytest.mark.contract("webhooks.more.url")
def test_a_bad_value_is_refused_by_name(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    response = tenant.client.post(ADDRESS, json=body)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert (error["code"], error["field"]) == ("invalid_request", field)


def test_a_change_is_held_to_the_same_rules(make_tenant: Callable[..., Tenant]) -> None:
    client = make_tenant("pro").client
    one = f"{ADDRESS}/{client.post(ADDRESS, json={'url': URL}).json()['id']}"
    for body, field in (
        ({"url": "http://example.com"}, "url"),
        ({"events": []}, "events"),
        ({"active": "yes"}, "active"),
    ):
        assert client.patch(one, json=body).json()["error"]["field"] == field
    assert client.patch(ADDRESS, json={}).json()["error"]["field"] == "id"


@pytest.mark.contract("plan.webhooks.pro")
def test_pro_has_ten(make_tenant: Callable[..., Tenant]) -> None:
    pro = make_tenant("pro").client
    for _ in range(10):
        assert pro.post(ADDRESS, json={"url": URL}).status_code == 201
    refused = pro.post(ADDRESS, json={"url": URL})
    assert refused.status_code == 403
    error = refused.json()["error"]
    assert (error["code"], error["feature"]) == ("plan_restriction", "webhooks")
    assert error["required_plan"] == "enterprise"
    # One that goes makes room.
    newest = pro.get(ADDRESS).json()["webhooks"][0]
    assert pro.delete(f"{ADDRESS}/{newest['id']}").status_code == 204
    assert pro.post(ADDRESS, json={"url": URL}).status_code == 201


@pytest.mark.contract("plan.webhooks.enterprise")
def test_enterprise_has_any_number(make_tenant: Callable[..., Tenant]) -> None:
    client = make_tenant("enterprise").client
    for _ in range(11):
        assert client.post(ADDRESS, json={"url": URL}).status_code == 201


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(plan, marks=pytest.mark.contract(f"plan.webhooks.{plan}"))
        for plan in ("free", "starter")
    ],
)
def test_plans_below_pro_have_none(make_tenant: Callable[..., Tenant], plan: str) -> None:
    client = make_tenant(plan).client
    refused = client.post(ADDRESS, json={"url": URL})
    assert refused.status_code == 403
    error = refused.json()["error"]
    assert (error["feature"], error["required_plan"]) == ("webhooks", "pro")
    # What is wrong with the request comes first.
    assert client.post(ADDRESS, json={"url": "http://example.com"}).status_code == 400
    assert client.get(ADDRESS).json()["total"] == 0


def test_another_accounts_webhook_is_not_found(make_owner: Callable[..., Owner]) -> None:
    owner, other = make_owner(), make_owner()
    webhook = owner.register()
    owner.post(webhook, "test")
    delivery = owner.wait_for(webhook, "delivered")["id"]
    one = f"{ADDRESS}/{webhook['id']}"
    responses = [
        other.client.get(one),
        other.client.patch(one, json={"active": False}),
        other.client.delete(one),
        other.client.get(f"{one}/deliveries"),
        other.post(webhook, "test"),
        other.post(webhook, "rotate"),
        other.post(webhook, "redeliver", delivery=delivery),
        other.post(webhook, "redeliver", since="2026-01-01T00:00:00Z"),
    ]
    for response in responses:
        assert response.status_code == 404, response.request.url
        assert response.json()["error"]["code"] == "webhook_not_found"
    # Nor can its delivery be reached by way of one's own.
    own = other.register()
    assert (
        other.post(own, "redeliver", delivery=delivery).json()["error"]["code"]
        == "delivery_not_found"
    )
    assert other.log(own) == []
    assert owner.webhook(webhook)["active"] is True
    # And what happens to one account is not told to another.
    owner.classify()
    owner.receiver.wait(webhook["path"], 2)
    assert other.receiver.received(own["path"]) == []


@pytest.mark.contract("webhooks.secret")
def test_secrets_are_nowhere_in_clear(owner: Owner) -> None:
    own = "a secret of my own, quite long"
    key, key2 = {"Idempotency-Key": "once"}, {"Idempotency-Key": "twice"}
    body = {"url": owner.receiver.url("/ok/secrets"), "secret": own}
    made = owner.client.post(ADDRESS, json=body, headers=key)
    assert made.json()["secret"] == own
    again = owner.client.post(ADDRESS, json=body, headers=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (made.json(), "true")
    rotated = owner.post(made.json(), "rotate").json()["secret"]
    mutation = f'mutation {{ createWebhook(input: {{ url: "{URL}" }}) {{ secret }} }}'
    answers = [owner.client.post("/graphql", json={"query": mutation}, headers=key2) for _ in "ab"]
    assert answers[0].json() == answers[1].json()
    over_graphql = answers[0].json()["data"]["createWebhook"]["secret"]
    owner.post(made.json(), "test")
    owner.receiver.wait("/ok/secrets")
    for path in owner.site.data_dir.iterdir():
        if path.is_file():
            content = path.read_bytes()
            assert own.encode() not in content, path
            assert rotated.encode() not in content, path
            assert over_graphql.encode() not in content, path
    key_file = owner.site.data_dir / "secret.key"
    assert key_file.stat().st_mode & 0o777 == 0o600
    rows = query(owner.site.database, "SELECT secret FROM webhooks")
    assert all(row[0].startswith("gAAAA") for row in rows)
