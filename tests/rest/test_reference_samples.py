"""The reference's own samples, as they stand there, against this server."""

import json
import shutil
import subprocess
from typing import Any

import pytest
import requests

from tests.conftest import Server, Tenant

CURL_INLINE = {
    "input": "Our server costs doubled again this quarter.",
    "categories": ["finance", "engineering", "marketing", "support"],
}
CURL_BATCH = {
    "categories": ["billing", "technical", "account", "general"],
    "mode": "single",
    "items": [
        {"id": "ticket_1001", "input": "I was charged twice for my subscription."},
        {"id": "ticket_1002", "input": "The API keeps returning a 500 error."},
        {"id": "ticket_1003", "input": "How do I change my password?"},
    ],
}
CURL_SCHEMA = {
    "name": "Support Ticket Topics",
    "description": "Routes incoming support tickets to the right team",
    "type": "text",
    "mode": "single",
    "categories": [
        {
            "name": "billing",
            "description": "Payments, refunds, invoices, subscription charges",
            "examples": [
                "I was charged twice", "my refund hasnt arrived", "cancel my subscription",
            ],
        },
        {
            "name": "technical",
            "description": "Bugs, errors, API issues, performance problems",
            "examples": ["getting a 500 error", "the API is slow", "login is broken"],
        },
        {
            "name": "account",
            "description": "Profile, password, permissions, 2FA",
            "examples": ["forgot my password", "change my email", "enable two-factor"],
        },
        {"name": "general", "description": "Everything else"},
    ],
}  # fmt: skip
NODE = """
const API_KEY = '$KEY';
const BASE = '$BASE';
async function classify(payload) {
const res = await fetch(`${BASE}/classify`, {
method: 'POST',
headers: { 'Authorization': `Bearer ${API_KEY}`, 'Content-Type': 'application/json' },
body: JSON.stringify(payload),
});
if (!res.ok) throw await res.json();
return res.json();
}
const { result } = await classify({
input: 'Our server costs doubled this quarter.',
categories: ['finance', 'engineering', 'marketing'],
});
console.log(result.label, result.confidence);
const data = await classify({
input: 'Refund was never processed after 2 weeks.',
schema: $SCHEMA,
mode: 'multi',
threshold: 0.5,
});
data.result.labels.forEach(l => console.log(l.label, l.confidence));
try { await classify({}); } catch ({ error }) { console.log(error.code); }
"""


@pytest.fixture(scope="module")
def schema(tenant: Tenant) -> dict[str, Any]:
    """The reference's schema, saved."""
    made = tenant.client.post("/api/v1/schemas", json=CURL_SCHEMA)
    assert made.status_code == 201
    answer: dict[str, Any] = made.json()
    return answer


@pytest.mark.contract("example.inline", "category.strings")
def test_inline_categories(tenant: Tenant) -> None:
    answer = tenant.client.post("/api/v1/classify", json=CURL_INLINE).json()
    assert answer["result"]["label"] == "finance"


@pytest.mark.contract("example.rich_schema")
def test_rich_category_objects(schema: dict[str, Any]) -> None:
    assert {name: schema[name] for name in CURL_SCHEMA} == CURL_SCHEMA
    assert schema["total_uses"] == 0


@pytest.mark.contract("example.schema")
def test_a_saved_schema_with_explanations(tenant: Tenant, schema: dict[str, Any]) -> None:
    body = {
        "input": "Refund was never processed after 2 weeks.",
        "schema": schema["id"],
        "explain": True,
    }
    result = tenant.client.post("/api/v1/classify", json=body).json()["result"]
    assert result["label"] == "billing"
    assert result["explanation"]


@pytest.mark.contract("example.generic")
def test_no_categories(tenant: Tenant) -> None:
    body = {"input": "The sunset over the lake was breathtaking."}
    result = tenant.client.post("/api/v1/classify", json=body).json()["result"]
    assert set(result) == {"label", "confidence"}


@pytest.mark.contract("example.batch")
def test_three_tickets_at_once(tenant: Tenant) -> None:
    answer = tenant.client.post("/api/v1/batch", json=CURL_BATCH).json()
    assert [entry["id"] for entry in answer["results"]] == [
        item["id"] for item in CURL_BATCH["items"]
    ]
    assert {entry["result"]["label"] for entry in answer["results"]} <= set(
        CURL_BATCH["categories"]
    )


@pytest.mark.contract("example.python")
def test_python(server: Server, tenant: Tenant) -> None:
    api_key, base = tenant.key, f"{server.base_url}/api/v1"

    def classify(input_text, categories=None, schema=None, **kwargs):  # type: ignore[no-untyped-def]
        payload = {"input": input_text, **kwargs}
        if categories:
            payload["categories"] = categories
        if schema:
            payload["schema"] = schema
        resp = requests.post(
            f"{base}/classify",
            headers={"Authorization": f"Bearer {api_key}"},
            json=payload,
            timeout=60,
        )
        resp.raise_for_status()
        return resp.json()

    result = classify(
        "Our server costs doubled this quarter.",
        categories=["finance", "engineering", "marketing"],
    )
    assert result["result"]["label"] == "finance"
    assert 0 < result["result"]["confidence"] <= 1
    result = classify(
        "Refund never processed after 2 weeks.",
        categories=["billing", "technical", "account", "general"],
        mode="top_n", top_n=3, explain=True,
    )  # fmt: skip
    assert result["result"]["labels"][0]["label"] == "billing"
    assert len(result["result"]["labels"]) == 3
    assert all(label["explanation"] for label in result["result"]["labels"])
    with pytest.raises(requests.HTTPError):
        classify("")


@pytest.mark.contract("example.errors_python")
def test_handling_errors(server: Server, tenant: Tenant) -> None:
    resp = requests.post(
        f"{server.base_url}/api/v1/classify",
        headers={"Authorization": f"Bearer {tenant.key}"},
        json={"input": ""},
        timeout=60,
    )
    assert not resp.ok
    err = resp.json()["error"]
    assert err["code"] == "invalid_request"
    assert err["message"]


@pytest.mark.contract("example.node")
@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_node(server: Server, tenant: Tenant, schema: dict[str, Any]) -> None:
    script = (
        NODE.replace("$KEY", tenant.key)
        .replace("$BASE", f"{server.base_url}/api/v1")
        .replace("$SCHEMA", str(schema["id"]))
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[0].startswith("finance ")
    assert all(float(line.split()[1]) >= 0.5 for line in lines[1:-1])
    assert lines[-1] == "invalid_request"


@pytest.mark.contract("example.php")
def test_what_php_writes(tenant: Tenant) -> None:
    # json_encode() escapes slashes and all that is not ASCII.
    body = json.dumps({"input": "Die Miete für 1/2 Jahr", "categories": ["Wohnen", "Küche"]})
    raw = body.replace("/", "\\/").encode("ascii")
    headers = {"Content-Type": "application/json", "Expect": ""}
    answer = tenant.client.post("/api/v1/classify", content=raw, headers=headers).json()
    assert answer["result"]["label"] == "Wohnen"
    assert 0 < answer["result"]["confidence"] <= 1
    assert tenant.client.get(f"/v1/jobs/{answer['id']}").json()["input_preview"] == (
        "Die Miete für 1/2 Jahr"
    )


@pytest.mark.contract("example.usage")
def test_usage_needs_only_the_key(server: Server, tenant: Tenant) -> None:
    headers = {"Authorization": f"Bearer {tenant.key}"}
    usage = requests.get(f"{server.base_url}/api/v1/usage", headers=headers, timeout=60).json()
    assert set(usage) == {"period", "plan", "limits", "usage"}
