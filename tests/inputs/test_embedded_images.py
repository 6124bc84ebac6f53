"""Images over REST and GraphQL, judged on the machine itself."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Tenant
from tests.graphql.asking import ask
from tests.inputs.samples import data_uri

PICTURES = Path(__file__).parents[1] / "engines/image/pictures"
CLASSIFY = (
    "mutation($i:ClassifyInput!){classify(input:$i){job{type:inputType "
    "result{label confidence explanation} meta{basis tokens}} errors{code field message}}}"
)


@pytest.fixture(scope="module")
def caller(make_tenant: Callable[..., Tenant]) -> Tenant:
    return make_tenant("starter")


def picture(name: str) -> str:
    return data_uri((PICTURES / f"{name}.jpg").read_bytes(), "image/jpeg")


def smaller(name: str) -> str:
    """The middle of a picture."""
    kept = BytesIO()
    with Image.open(PICTURES / f"{name}.jpg") as image:
        image.crop((60, 20, 240, 180)).save(kept, "JPEG", quality=60)
    return data_uri(kept.getvalue(), "image/jpeg")


def classify(caller: Tenant, **body: Any) -> dict[str, Any]:
    answer = caller.client.post("/api/v1/classify", json={"type": "image", **body}, timeout=120)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_image_is_judged_without_a_provider(caller: Tenant) -> None:
    answer = classify(
        caller, input=picture("cat"), categories=["cat", "car", "house"], explain=True
    )
    assert answer["type"] == "image"
    assert answer["result"]["label"] == "cat"
    assert answer["result"]["confidence"] > 0.9
    assert answer["result"]["explanation"].startswith("Seen as ")
    assert answer["meta"]["basis"] == ["pixels"]
    assert answer["meta"]["confidence_source"] == "calibrated"


def test_examples_may_be_images(caller: Tenant) -> None:
    categories = [
        {"name": "A", "examples": [picture("cat")]},
        {"name": "B", "examples": [smaller("rocket"), picture("coffee")]},
    ]
    answer = classify(caller, input=picture("rocket"), categories=categories, explain=True)
    assert answer["result"]["label"] == "B"
    assert "Most like example 1 of the category" in answer["result"]["explanation"]


def test_an_example_is_as_long_as_an_image_only_if_it_is_one(caller: Tenant) -> None:
    for example in ("x" * 10_001, "data:" + "A" * 6_700_000):
        category = {"name": "A", "examples": [example]}
        body = {"type": "image", "input": picture("cat"), "categories": [category]}
        answer = caller.client.post("/api/v1/classify", json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["field"] == "categories[0].examples[0]"
        assert "characters" in answer.json()["error"]["message"]


def test_graphql_answers_as_rest_does(caller: Tenant) -> None:
    given = {
        "input": picture("coffee"),
        "type": "IMAGE",
        "categories": [{"name": "drink"}, {"name": "animal"}],
        "explain": True,
    }
    payload = ask(caller.client, CLASSIFY, i=given)["classify"]
    assert payload["errors"] == []
    assert payload["job"]["result"]["label"] == "drink"
    assert payload["job"]["meta"]["basis"] == ["PIXELS"]
    rest = classify(caller, input=picture("coffee"), categories=["drink", "animal"])
    assert rest["result"]["confidence"] == payload["job"]["result"]["confidence"]


def test_without_categories_an_image_gets_the_tag_that_fits(
    make_tenant: Callable[..., Tenant],
) -> None:
    answer = classify(make_tenant("starter"), input=picture("coffee"))
    assert answer["result"]["label"] == "espresso"


def test_an_image_that_can_not_be_decoded_is_refused(caller: Tenant) -> None:
    broken = data_uri((PICTURES / "cat.jpg").read_bytes()[:400])
    body = {"type": "image", "input": broken, "categories": ["cat", "dog"]}
    answer = caller.client.post("/api/v1/classify", json=body, timeout=120)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "media_unavailable"
    assert answer.json()["error"]["field"] == "input"
