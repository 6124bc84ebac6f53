"""`allow_none` and `min_margin`: an honest way out, and nothing new for who does not ask."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.jobs.result import result_of
from app.domain.webhooks.events import EVENTS
from app.engines.contract import Label, Mode, OutcomeKind
from app.storage.ledger.records import EndedJob
from tests.conftest import Site, Tenant, running

CLASSIFY, BATCH, JOBS = "/api/v1/classify", "/api/v1/batch", "/api/v1/jobs"
TAUGHT = [
    {"name": "billing", "examples": ["my refund is late", "I was charged twice"]},
    {"name": "technical", "examples": ["getting a 500 error", "login is broken"]},
]
BELONGS, FAR = "my refund has not arrived", "Simmer the onions in butter."
OUTCOMES = {"matched", "none_of_the_above", "unsure"}


def classify(tenant: Tenant, text: str, **options: Any) -> dict[str, Any]:
    body = {"input": text, "categories": TAUGHT, **options}
    response = tenant.client.post(CLASSIFY, json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    job = tenant.client.get(JOBS, params={"id": answer["id"]}).json()
    assert job["result"] == answer["result"]
    return answer["result"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("mode", [mode.value for mode in Mode])
@pytest.mark.parametrize("text", [BELONGS, FAR])
def test_without_the_options_the_documented_shapes_stay(
    tenant: Tenant, mode: str, text: str
) -> None:
    result = classify(tenant, text, mode=mode)
    assert set(result) == ({"label", "confidence"} if mode == "single" else {"labels"})
    assert classify(tenant, text, mode=mode, allow_none=False, min_margin=None) == result


@pytest.mark.contract("beyond.allow_none")
def test_single(tenant: Tenant) -> None:
    belongs = classify(tenant, BELONGS, allow_none=True)
    assert set(belongs) == {"label", "confidence", "outcome"}
    assert (belongs["label"], belongs["outcome"]) == ("billing", "matched")
    far = classify(tenant, FAR, allow_none=True)
    assert set(far) == {"label", "confidence", "outcome"}
    assert (far["label"], far["outcome"]) == (None, "none_of_the_above")
    assert 0.5 < far["confidence"] <= 1


@pytest.mark.contract("beyond.allow_none")
def test_a_thin_margin_keeps_the_best_label(tenant: Tenant) -> None:
    plain = classify(tenant, FAR)
    assert classify(tenant, FAR, min_margin=1) == {**plain, "outcome": "unsure"}
    assert classify(tenant, FAR, min_margin=0.0) == {**plain, "outcome": "matched"}


def test_nothing_above_the_threshold(tenant: Tenant) -> None:
    refused = classify(tenant, FAR, allow_none=True, threshold=1.0)
    assert refused == {"label": None, "confidence": None, "outcome": "unsure"}
    assert classify(tenant, FAR, threshold=1.0) == {"label": None, "confidence": None}


@pytest.mark.contract("beyond.allow_none")
def test_top_n_holds_none_at_its_rank(tenant: Tenant) -> None:
    far = classify(tenant, FAR, mode="top_n", allow_none=True)
    assert set(far) == {"labels", "outcome"}
    assert far["outcome"] == "none_of_the_above"
    assert far["labels"][0]["label"] is None
    assert {entry["label"] for entry in far["labels"]} == {None, "billing", "technical"}
    assert sum(entry["confidence"] for entry in far["labels"]) == pytest.approx(1, abs=0.001)
    belongs = classify(tenant, BELONGS, mode="top_n", allow_none=True)
    assert belongs["outcome"] == "matched"
    assert belongs["labels"][0]["label"] == "billing"
    assert None in {entry["label"] for entry in belongs["labels"]}
    shortest = classify(tenant, BELONGS, mode="top_n", top_n=1, allow_none=True, min_margin=1.0)
    assert shortest == {"labels": belongs["labels"][:1], "outcome": "unsure"}


def test_multi_keeps_its_labels(tenant: Tenant) -> None:
    plain = classify(tenant, FAR, mode="multi")
    assert classify(tenant, FAR, mode="multi", allow_none=True) == {
        **plain,
        "outcome": "none_of_the_above",
    }
    assert classify(tenant, FAR, mode="multi", threshold=0.5, allow_none=True) == {
        "labels": [],
        "outcome": "none_of_the_above",
    }
    assert classify(tenant, FAR, mode="multi", min_margin=1.0) == {**plain, "outcome": "unsure"}
    belongs = classify(tenant, BELONGS, mode="multi", threshold=0.5, allow_none=True)
    assert [entry["label"] for entry in belongs["labels"]] == ["billing"]
    assert belongs["outcome"] == "matched"


@pytest.mark.parametrize("mode", ["single", "top_n"])
def test_an_explanation_says_what_came_closest(tenant: Tenant, mode: str) -> None:
    result = classify(tenant, FAR, mode=mode, allow_none=True, explain=True)
    entry = result if mode == "single" else result["labels"][0]
    assert entry["label"] is None
    assert "came closest" in entry["explanation"]


def test_a_free_plan_may_ask_for_it(make_tenant: Callable[..., Tenant]) -> None:
    client = make_tenant("free").client
    nonsense = {"input": "asdf qwer zxcv", "allow_none": True, "min_margin": 0.1}
    result = client.post(CLASSIFY, json=nonsense).json()["result"]
    assert (result["label"], result["outcome"]) == (None, "none_of_the_above")
    text = {"input": "The striker scored twice in the final.", "allow_none": True}
    result = client.post(CLASSIFY, json=text).json()["result"]
    assert (result["label"], result["outcome"]) == ("sports", "matched")


def test_a_batch_shares_the_options(tenant: Tenant) -> None:
    items = [{"id": "b", "input": BELONGS}, {"id": "f", "input": FAR}]
    body = {"items": items, "categories": TAUGHT, "allow_none": True, "min_margin": 0.05}
    answer = tenant.client.post(BATCH, json=body).json()
    outcomes = {entry["id"]: entry["result"]["outcome"] for entry in answer["results"]}
    assert outcomes == {"b": "matched", "f": "none_of_the_above"}
    stored = tenant.client.get(JOBS, params={"id": answer["id"]}).json()
    assert stored["results"] == answer["results"]


def test_a_later_answer_has_it_too(tenant: Tenant) -> None:
    body = {"input": FAR, "categories": TAUGHT, "allow_none": True, "async": True}
    promised = tenant.client.post(CLASSIFY, json=body)
    assert promised.status_code == 202
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        job = tenant.client.get(JOBS, params={"id": promised.json()["id"]}).json()
        if job["status"] == "completed":
            break
        time.sleep(0.02)
    assert (job["result"]["label"], job["result"]["outcome"]) == (None, "none_of_the_above")


def test_the_list_shows_it_after_a_restart(make_site: Callable[..., Site]) -> None:
    site = make_site()
    key = site.create_key(site.create_account())
    with running(site) as server, server.client(key) as client:
        body = {"input": FAR, "categories": TAUGHT, "allow_none": True, "mode": "top_n"}
        none = client.post(CLASSIFY, json=body).json()["result"]
        plain = client.post(CLASSIFY, json={"input": FAR, "categories": TAUGHT}).json()["result"]
    assert none["outcome"] == "none_of_the_above"
    with running(site) as server, server.client(key) as client:
        jobs = client.get(JOBS).json()["jobs"]
    assert [job["result"] for job in jobs] == [plain, none]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("allow_none", "yes"),
        ("allow_none", 1),
        ("min_margin", "0.1"),
        ("min_margin", True),
        ("min_margin", -0.01),
        ("min_margin", 1.01),
        ("min_margin", [0.1]),
    ],
)
@pytest.mark.parametrize("path", [CLASSIFY, BATCH])
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_bad_value_names_its_field(
    tenant: Tenant, path: str, field: str, value: object, dry_run: bool
) -> None:
    body = {"input": "x"} if path == CLASSIFY else {"items": [{"input": "x"}]}
    response = tenant.client.post(path, json={**body, field: value, "dry_run": dry_run})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "invalid_request")
    assert error["field"] == field
    assert error["message"].startswith(f"{field}: ")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_what_is_no_number_is_refused(tenant: Tenant, number: str) -> None:
    response = tenant.client.post(
        CLASSIFY,
        content=f'{{"input": "x", "min_margin": {number}}}',
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 400
    assert response.json()["error"]["code"] in {"invalid_json", "invalid_request"}


def test_a_dry_run_takes_the_options(tenant: Tenant) -> None:
    body = {"input": "x", "allow_none": True, "min_margin": 0.2, "dry_run": True}
    answer = tenant.client.post(CLASSIFY, json=body)
    assert answer.status_code == 200
    assert answer.json()["requests"] == 1


def test_the_reference_describes_them(tenant: Tenant) -> None:
    schemas = tenant.client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    for name in ("ClassifyBody", "BatchBody"):
        fields = schemas[name]["properties"]
        assert "none" in fields["allow_none"]["description"]
        assert (fields["min_margin"]["minimum"], fields["min_margin"]["maximum"]) == (0.0, 1.0)
    for name in ("ClassifyReply", "JobReply", "BatchItemReply"):
        description = schemas[name]["properties"]["result"]["description"]
        assert all(outcome in description for outcome in OUTCOMES)


def test_a_webhook_is_told_it(tenant: Tenant) -> None:
    told = EndedJob(
        id=1, account_id=1, status="completed", input_type="text", mode="single", schema_id=None,
        batch_id=None, item_id=None, labels=((None, 0.8, None),), outcome="none_of_the_above",
        error_code=None, error_message=None,
        completed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert '"outcome":"none_of_the_above"' in EVENTS.job(told)
    plain = result_of(Mode.SINGLE, [Label("a", 0.9)])
    assert plain == {"label": "a", "confidence": 0.9}
    assert result_of(Mode.SINGLE, [], OutcomeKind.UNSURE) == {
        "label": None,
        "confidence": None,
        "outcome": "unsure",
    }
