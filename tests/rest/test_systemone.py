"""`POST /systemone`: clients of the System One wire find it here, under our keys and rules."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.engines.contract import (
    Category,
    ConfidenceSource,
    Mode,
    Outcome,
    Question,
    QuestionKind,
    Task,
)
from app.engines.decisions.engine import DecisionEngine
from app.engines.errors import ModelUnavailable
from app.engines.litellm_provider import close_connections
from app.engines.remote.call import Address
from app.engines.remote.turns import Turns
from tests.conftest import Server, Tenant
from tests.graphql.asking import ask

STATE = "I was charged twice for my subscription and want the money back."
ROUTE = {
    "type": "choice",
    "instructions": "Which team should handle this?",
    "criteria": {"billing": "Payments, refunds, invoices", "technical": "Bugs, errors"},
}
ANGRY = {
    "type": "noul",
    "instructions": "Is it about money?",
    "criteria": {"true": "Payments, money, refunds", "false": "Sports, games"},
}
PLACE = {
    "type": "score",
    "instructions": "How much is it about money?",
    "criteria": ["Sports and games", "Computers", "Payments and refunds"],
}
QUESTIONS = {"route": ROUTE, "money": ANGRY, "degree": PLACE}
SYSTEMONE = "/v1/systemone"


def decide(tenant: Tenant, **body: Any) -> httpx.Response:
    return tenant.client.post(SYSTEMONE, json={"state": STATE, "questions": QUESTIONS, **body})


def used(tenant: Tenant) -> int:
    count: int = tenant.client.get("/api/v1/usage").json()["usage"]["requests"]
    return count


@pytest.fixture(scope="module")
def pro(make_tenant: Callable[..., Tenant]) -> Tenant:
    return make_tenant("pro")


@pytest.mark.contract("beyond.systemone")
def test_the_three_types_have_the_documented_answers(pro: Tenant) -> None:
    before = used(pro)
    response = decide(pro, model="jev-latest")
    assert response.status_code == 200, response.text
    reply = response.json()
    assert set(reply) == {"model", "answers", "usage", "id"}
    assert reply["model"] == "classifai-v1"
    assert list(reply["answers"]) == list(QUESTIONS)
    assert reply["usage"]["input_tokens"] > 0
    assert reply["usage"]["output_tokens"] == 0

    route = reply["answers"]["route"]
    assert set(route) == {"type", "choice", "probabilities", "confidence"}
    assert (route["type"], route["choice"]) == ("choice", "billing")
    assert list(route["probabilities"]) == ["billing", "technical"]
    assert sum(route["probabilities"].values()) == pytest.approx(1, abs=0.001)
    best = route["probabilities"]["billing"]
    assert route["confidence"] == pytest.approx((best - 0.5) / 0.5, abs=0.001)

    money = reply["answers"]["money"]
    assert set(money) == {"type", "noul"}
    assert 0.5 < money["noul"] <= 1

    degree = reply["answers"]["degree"]
    assert set(degree) == {"type", "score", "legend", "probabilities", "confidence"}
    assert degree["legend"] == dict(zip("012", PLACE["criteria"], strict=True))
    expected = sum(int(level) * p for level, p in degree["probabilities"].items())
    assert degree["score"] == pytest.approx(expected, abs=0.001)
    assert degree["score"] > 1

    assert used(pro) == before + 3
    assert int(response.headers["X-RateLimit-Remaining"]) == 100_000 - before - 3
    assert response.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/v1/systemone/", "/api/v1/systemone", "/api/v1/systemone/"])
def test_it_answers_at_every_address(pro: Tenant, path: str) -> None:
    body = {"state": STATE, "questions": {"route": ROUTE}}
    assert pro.client.post(path, json=body).json()["answers"]["route"]["choice"] == "billing"
    assert pro.client.get(path).status_code == 405


@pytest.mark.contract("beyond.systemone")
def test_each_question_is_a_job(pro: Tenant) -> None:
    reply = decide(pro).json()
    batch = pro.client.get("/api/v1/jobs", params={"id": reply["id"]}).json()
    assert [each["name"] for each in batch["results"]] == list(QUESTIONS)
    assert (batch["status"], batch["meta"]["completed"]) == ("completed", 3)
    job = pro.client.get(f"/api/v1/jobs/{batch['results'][0]['id']}").json()
    assert job["categories"] == ["billing", "technical"]
    assert job["input_preview"] == STATE[:100]
    chances = {entry["label"]: entry["confidence"] for entry in job["result"]["labels"]}
    assert chances == reply["answers"]["route"]["probabilities"]
    query = """query($id: ID!) { batch(id: $id) { kind status results {
      itemId result { labels { label confidence } } } } }"""
    shown = ask(pro.client, query, id=reply["id"])["batch"]
    assert (shown["kind"], shown["status"]) == ("SETS", "COMPLETED")
    assert [job["itemId"] for job in shown["results"]] == list(QUESTIONS)
    hidden = decide(pro, store=False).json()
    batch = pro.client.get("/api/v1/jobs", params={"id": hidden["id"]}).json()
    job = pro.client.get(f"/api/v1/jobs/{batch['results'][0]['id']}").json()
    assert job["input_preview"] is None


def test_what_may_be_json_is_read_as_text(pro: Tenant) -> None:
    state = {"subject": "Refund", "lines": ["I was charged twice", 2, None, True]}
    question = {
        "type": "choice",
        "instructions": ["Which", {"of": "these"}],
        "criteria": {"billing": {"about": ["payments", "refunds"]}, "technical": None},
    }
    reply = decide(pro, state=state, questions={"q": question}).json()
    assert reply["answers"]["q"]["choice"] == "billing"
    score = {"type": "score", "criteria": [{"n": 1}, "Payments and refunds"]}
    reply = decide(pro, state=["I was charged", "twice"], questions={"q": score}).json()
    assert reply["answers"]["q"]["legend"] == {"0": '{"n":1}', "1": "Payments and refunds"}


def test_a_noul_needs_only_its_instructions(pro: Tenant) -> None:
    questions = {
        "yes": {"type": "noul", "instructions": "Is it about a refund of money?"},
        "no": {"type": "noul", "instructions": "Is it about gardening?"},
        "described": {"type": "noul", "criteria": {"true": "Payments, refunds, invoices"}},
    }
    answers = decide(pro, questions=questions).json()["answers"]
    assert answers["yes"]["noul"] > answers["no"]["noul"]
    assert answers["described"]["noul"] > 0.5


def test_a_choice_of_one_is_certain(pro: Tenant) -> None:
    only = {"type": "choice", "criteria": {"only": None}}
    answer = decide(pro, questions={"q": only}).json()["answers"]["q"]
    assert answer == {
        "type": "choice", "choice": "only", "probabilities": {"only": 1.0}, "confidence": 1.0,
    }  # fmt: skip


def test_255_options_have_255_probabilities(pro: Tenant) -> None:
    criteria = {f"topic {n}": None for n in range(254)} | {"refund of money": None}
    question = {"type": "choice", "criteria": criteria}
    answer = decide(pro, questions={"q": question}).json()["answers"]["q"]
    assert answer["choice"] == "refund of money"
    assert list(answer["probabilities"]) == list(criteria)


def test_the_plan_and_the_quota_hold(make_tenant: Callable[..., Tenant]) -> None:
    free = make_tenant("free")
    error = decide(free, questions={"q": ANGRY}).json()["error"]
    assert (error["code"], error["feature"]) == ("plan_restriction", "categories")
    starter = make_tenant("starter")
    many = {f"q{n}": ANGRY for n in range(51)}
    error = decide(starter, questions=many).json()["error"]
    assert (error["code"], error["feature"]) == ("plan_restriction", "batch_size")
    assert used(free) == used(starter) == 0
    unknown = httpx.post(f"{starter.client.base_url}{SYSTEMONE}", json={})
    assert unknown.status_code == 401


def test_a_repeat_with_the_same_key_counts_once(pro: Tenant) -> None:
    before = used(pro)
    headers = {"Idempotency-Key": "systemone-1"}
    body = {"state": STATE, "questions": QUESTIONS}
    first = pro.client.post(SYSTEMONE, json=body, headers=headers)
    again = pro.client.post("/api/v1/systemone/", json=body, headers=headers)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert used(pro) == before + 3


async def test_our_client_and_our_server_understand_each_other(server: Server, pro: Tenant) -> None:
    address = Address("systemone/anything", timeout_s=30, api_base=server.base_url, api_key=pro.key)
    engine = DecisionEngine(address, turns=Turns(10))
    names = (Category("billing", "Payments, refunds"), Category("technical", "Bugs, errors"))
    single = await engine.classify(Task(STATE, categories=names))
    assert single.labels[0].label == "billing"
    assert single.confidence_source is ConfidenceSource.MEASURED
    assert single.tokens > 0
    direct = pro.client.post(
        "/v1/classify",
        json={
            "input": STATE,
            "categories": [{"name": n.name, "description": n.description} for n in names],
        },
    ).json()
    assert single.labels[0].confidence == direct["result"]["confidence"]
    several = (*names, Category("gardening", "Plants, flowers"))
    multi = await engine.classify(Task(STATE, categories=several, mode=Mode.MULTI))
    assert multi.labels[0].label == "billing"
    none = await engine.classify(
        Task(STATE, categories=several, mode=Mode.TOP_N, top_n=4, allow_none=True)
    )
    assert None in [label.label for label in none.labels]
    levels = tuple(Category(str(n), text) for n, text in enumerate(PLACE["criteria"]))
    question = Question(QuestionKind.SCORE, "How much?")
    score = await engine.classify(
        Task(STATE, categories=levels, mode=Mode.TOP_N, top_n=3, question=question)
    )
    assert score.labels[0].label == "2"
    wrong = Address("systemone/x", timeout_s=5, api_base=server.base_url, api_key="wrong")
    with pytest.raises(ModelUnavailable) as caught:
        await DecisionEngine(wrong, turns=Turns(1)).classify(Task(STATE, categories=names))
    assert caught.value.lasting
    assert isinstance(single, Outcome)
    await close_connections()
