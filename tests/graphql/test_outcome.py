"""`allowNone` and `minMargin`: an honest way out in GraphQL."""

from typing import Any

import pytest

from tests.conftest import Tenant
from tests.graphql.asking import ask, post

RESULT = "result{label confidence explanation outcome labels{label confidence explanation}}"
CLASSIFY = (
    f"mutation($i:ClassifyInput!){{classify(input:$i){{job{{id {RESULT}}} errors{{code field}}}}}}"
)
BATCH = (
    "mutation($i:ClassifyBatchInput!){classifyBatch(input:$i)"
    f"{{batch{{id results{{itemId {RESULT}}}}} errors{{code field}}}}}}"
)
TAUGHT = [
    {"name": "billing", "examples": ["my refund is late", "I was charged twice"]},
    {"name": "technical", "examples": ["getting a 500 error", "login is broken"]},
]
BELONGS, FAR = "my refund has not arrived", "Simmer the onions in butter."


def classify(tenant: Tenant, text: str, **options: Any) -> dict[str, Any]:
    given = {"input": text, "categories": TAUGHT, **options}
    payload = ask(tenant.client, CLASSIFY, i=given)["classify"]
    assert payload["errors"] == []
    stored = ask(
        tenant.client, f"query($id:ID!){{job(id:$id){{{RESULT}}}}}", id=payload["job"]["id"]
    )
    assert stored["job"]["result"] == payload["job"]["result"]
    result: dict[str, Any] = payload["job"]["result"]
    return result


@pytest.mark.parametrize("mode", ["SINGLE", "TOP_N", "MULTI"])
def test_without_the_options_there_is_no_outcome(tenant: Tenant, mode: str) -> None:
    result = classify(tenant, FAR, mode=mode)
    assert result["outcome"] is None
    assert None not in [entry["label"] for entry in result["labels"]]


@pytest.mark.parametrize("mode", ["SINGLE", "TOP_N"])
def test_none_is_a_label_of_its_own(tenant: Tenant, mode: str) -> None:
    result = classify(tenant, FAR, mode=mode, allowNone=True, explain=True)
    assert (result["label"], result["outcome"]) == (None, "NONE_OF_THE_ABOVE")
    assert result["confidence"] > 0.5
    assert "came closest" in result["explanation"]
    assert result["labels"][0] == {
        key: result[key] for key in ("label", "confidence", "explanation")
    }
    belongs = classify(tenant, BELONGS, mode=mode, allowNone=True)
    assert (belongs["label"], belongs["outcome"]) == ("billing", "MATCHED")


def test_multi_keeps_its_labels(tenant: Tenant) -> None:
    result = classify(tenant, FAR, mode="MULTI", allowNone=True)
    assert result["outcome"] == "NONE_OF_THE_ABOVE"
    assert {entry["label"] for entry in result["labels"]} == {"billing", "technical"}
    assert classify(tenant, FAR, mode="MULTI", minMargin=1)["outcome"] == "UNSURE"


def test_a_thin_margin(tenant: Tenant) -> None:
    result = classify(tenant, BELONGS, minMargin=1.0)
    assert (result["label"], result["outcome"]) == ("billing", "UNSURE")
    refused = classify(tenant, BELONGS, threshold=1.0, minMargin=0.0)
    assert refused == {
        "label": None, "confidence": None, "explanation": None, "outcome": "UNSURE", "labels": [],
    }  # fmt: skip


def test_a_batch_and_the_list_of_jobs(tenant: Tenant) -> None:
    items = [{"id": "b", "input": BELONGS}, {"id": "f", "input": FAR}]
    given = {"items": items, "categories": TAUGHT, "allowNone": True, "minMargin": 0.05}
    payload = ask(tenant.client, BATCH, i=given)["classifyBatch"]
    outcomes = [job["result"]["outcome"] for job in payload["batch"]["results"]]
    assert outcomes == ["MATCHED", "NONE_OF_THE_ABOVE"]
    newest = ask(tenant.client, f"{{jobs(first:2){{nodes{{{RESULT}}}}}}}")["jobs"]["nodes"]
    assert {job["result"]["outcome"] for job in newest} == set(outcomes)


@pytest.mark.parametrize("value", [-0.1, 1.1])
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_margin_out_of_range_names_its_field(
    tenant: Tenant, value: float, *, dry_run: bool
) -> None:
    given = {"minMargin": value, "dryRun": dry_run}
    expected = [{"code": "INVALID_REQUEST", "field": ["input", "minMargin"]}]
    done = ask(tenant.client, CLASSIFY, i={"input": "x", **given})["classify"]
    assert done == {"job": None, "errors": expected}
    done = ask(tenant.client, BATCH, i={"items": [{"input": "x"}], **given})["classifyBatch"]
    assert done == {"batch": None, "errors": expected}


@pytest.mark.parametrize(
    ("field", "value"), [("allowNone", "yes"), ("allowNone", 1), ("minMargin", "0.1")]
)
def test_a_wrong_type_names_its_field(tenant: Tenant, field: str, value: object) -> None:
    body = post(tenant.client, CLASSIFY, i={"input": "x", field: value}).json()
    assert field in body["errors"][0]["message"]


def test_a_dry_run_takes_the_options(tenant: Tenant) -> None:
    given = {"input": "x", "allowNone": True, "minMargin": 0.5, "dryRun": True}
    assert ask(tenant.client, CLASSIFY, i=given)["classify"] == {"job": None, "errors": []}
