"""The embedded engine behind LiteLLM, with the real LiteLLM."""

import json

import pytest

from app.engines.embedded import EmbeddedEngine
from app.engines.litellm_provider import completion

pytestmark = [
    # LiteLLM's own imports and models warn; that is not ours to mend.
    pytest.mark.filterwarnings("ignore"),
]


async def test_a_completion_classifies(engine: EmbeddedEngine) -> None:
    response = await completion(
        "embedded/text",
        [{"role": "user", "content": "I was charged twice"}],
        engine=engine,
        categories=["billing", {"name": "technical", "description": "Bugs, errors"}],
        mode="top_n",
        explain=True,
    )
    labels = json.loads(response.choices[0].message.content)["labels"]
    assert [entry["label"] for entry in labels] == ["billing", "technical"]
    assert sum(entry["confidence"] for entry in labels) == pytest.approx(1, abs=0.001)
    assert labels[0]["explanation"]
    assert response.usage.prompt_tokens == 4


async def test_a_completion_may_fit_no_category(engine: EmbeddedEngine) -> None:
    response = await completion(
        "embedded/text",
        [{"role": "user", "content": "The committee elected a new president."}],
        engine=engine,
        categories=["billing", "gardening"],
        extra_body={"allow_none": True, "min_margin": 0.0},
    )
    content = json.loads(response.choices[0].message.content)
    assert content["outcome"] == "none_of_the_above"
    assert content["labels"][0]["label"] is None


async def test_a_message_without_text_is_a_bad_request(engine: EmbeddedEngine) -> None:
    with pytest.raises(Exception, match="must be text") as caught:
        await completion("embedded/text", [{"role": "user", "content": []}], engine=engine)
    assert caught.value.status_code == 400
