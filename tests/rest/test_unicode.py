"""Odd but right text: it is classified, and comes back as it was sent."""

import json

import pytest

from tests.conftest import Tenant

JSON = {"Content-Type": "application/json"}
ODD = [
    "\u202eadmin\u202c",  # shown from right to left
    "аdmin",  # begins with a Cyrillic letter
    "admin",
    "e\u0301te\u0301",  # letters with marks that stand alone
    "Z\u0351\u036b\u0343a\u0313l\u035b\u0300g\u0321o\u0335",
    "👩‍👩‍👧‍👦",  # one picture of seven characters
    "می‌خواهم",  # spelled with a zero-width character
    "ﷺ",
    "\U0010ffff",
    "\ufffe",
    "<b>&amp;</b>",
    "'; DROP TABLE jobs; --",
    "{{7*7}} ${x} %s",
]


@pytest.mark.contract("transport.unicode")
def test_names_of_any_script_are_labels(tenant: Tenant) -> None:
    body = {"input": "\u202e" + "é" * 120, "categories": ODD, "mode": "top_n", "top_n": 10}
    answer = tenant.client.post("/v1/classify", json=body).json()
    assert {entry["label"] for entry in answer["result"]["labels"]} <= set(ODD)
    job = tenant.client.get(f"/v1/jobs/{answer['id']}").json()
    assert job["categories"] == ODD
    assert job["input_preview"] == "\u202e" + "é" * 99


@pytest.mark.contract("transport.unicode")
@pytest.mark.parametrize("text", ODD)
def test_it_is_kept_as_sent(tenant: Tenant, text: str) -> None:
    made = {"name": text, "description": text, "categories": [{"name": text, "examples": [text]}]}
    schema = tenant.client.post("/v1/schemas", json=made)
    assert {name: schema.json()[name] for name in made} == made
    items = {"items": [{"id": text, "input": text, "schema": schema.json()["id"]}]}
    (entry,) = tenant.client.post("/v1/batch", json=items).json()["results"]
    assert (entry["id"], entry["result"]["label"]) == (text, text)


def test_an_escaped_pair_is_one_character(tenant: Tenant) -> None:
    raw = rb'{"\u0069nput": "x", "categories": ["\ud83d\ude00"]}'
    answer = tenant.client.post("/v1/classify", content=raw, headers=JSON).json()
    assert answer["result"]["label"] == "😀"


@pytest.mark.contract("transport.repeated")
def test_of_a_repeated_name_the_last_counts(tenant: Tenant) -> None:
    raw = b'{"input": "x", "mode": "multi", "mode": "top_n", "top_n": 99, "top_n": 1, "categories":\
            ["a"], "categories": [{"name": "b", "name": "c"}, "d"]}'
    answer = tenant.client.post("/v1/classify", content=raw, headers=JSON).json()
    assert answer["meta"]["mode"] == "top_n"
    assert [entry["label"] in {"c", "d"} for entry in answer["result"]["labels"]] == [True]
    # Each is held to its type all the same.
    for twice in (b'{"input": 5, "input": "x"}', b'{"input": "x", "input": 5}'):
        refused = tenant.client.post("/v1/classify", content=twice, headers=JSON)
        assert refused.json()["error"]["field"] == "input"


@pytest.mark.parametrize("value", [0, 1, -0.0, 0.0, 1e-300, 1.0, 0.5])
def test_odd_but_right_numbers(tenant: Tenant, value: float) -> None:
    body = json.dumps({"input": "x", "threshold": value, "other": 10**400})
    answer = tenant.client.post("/v1/classify", content=body, headers=JSON)
    assert answer.status_code == 200
    for raw in (b'{"input": "x", "threshold": -0}', b'{"input": "x", "other": 1e999}'):
        assert tenant.client.post("/v1/classify", content=raw, headers=JSON).status_code == 200
