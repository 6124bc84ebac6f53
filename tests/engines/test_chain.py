"""Several models as one: who answers, who is left alone, and what is said when nobody can."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from app.engines.chain import BATCH_AT_ONCE, ChainEngine, Link
from app.engines.circuit import THRESHOLD, Circuit
from app.engines.contract import Category, ConfidenceSource, Outcome, Task
from app.engines.embedded import EmbeddedEngine
from app.engines.errors import EngineBusy, ModelUnavailable, Unfit
from app.engines.litellm_provider import close_connections
from app.engines.remote.call import Address
from app.engines.remote.engine import RemoteEngine
from app.engines.remote.turns import Turns
from tests.provider.behaviours import Behaviour, cut, hang, refuses, says, slow, status
from tests.provider.server import Provider

pytestmark = pytest.mark.filterwarnings("ignore")

TASK = Task("I was charged twice for billing", categories=(Category("tech"), Category("billing")))
Chain = Callable[..., ChainEngine]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def chain(provider: Provider) -> AsyncIterator[Chain]:
    def make(*models: str | EmbeddedEngine, clock: Clock | None = None) -> ChainEngine:
        turns = Turns(200)
        links = []
        for model in models:
            circuit = Circuit(clock) if clock else Circuit()
            if isinstance(model, EmbeddedEngine):
                links.append(Link("embedded", model, circuit))
                continue
            address = Address(
                f"openai/{model}", timeout_s=1.5, api_base=provider.base_url, api_key="k"
            )
            links.append(Link(model, RemoteEngine(address, turns=turns), circuit))
        made = ChainEngine(links)
        made.load()
        return made

    yield make
    await close_connections()


async def test_models_that_are_only_busy_are_not_away(provider: Provider) -> None:
    provider.always("o3-mini", slow(0.6))
    address = Address("openai/o3-mini", timeout_s=0.3, api_base=provider.base_url, api_key="k")
    patient = Address("openai/o3-mini", timeout_s=5, api_base=provider.base_url, api_key="k")
    turns = Turns(1)
    holds = RemoteEngine(patient, turns=turns)
    held = asyncio.create_task(holds.classify(TASK))
    await asyncio.sleep(0.2)
    chain = ChainEngine([Link("o3-mini", RemoteEngine(address, turns=turns))])
    with pytest.raises(EngineBusy):
        await chain.classify(TASK)
    await held
    await close_connections()


FAILURES = {
    "429": status(429, retry_after="30"),
    "500": status(500),
    "hang": hang,
    "cut": cut,
    "400": status(400),
    "401": status(401),
    "404": status(404),
    "prose": says("It is about billing."),
    "off the list": says('{"labels": [{"label": "sales", "confidence": 1}]}'),
    "empty": says(""),
    "refusal": refuses(),
    "1 MB": says("x" * 1_000_000),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_the_next_model_answers(chain: Chain, provider: Provider, failure: Behaviour) -> None:
    provider.always("o3-mini", failure)
    outcome = await chain("o3-mini", "second").classify(TASK)
    assert outcome.labels[0].label == "billing"
    assert outcome.model == "openai/second"


async def test_the_first_answers_while_it_works(chain: Chain, provider: Provider) -> None:
    outcome = await chain("first", "second").classify(TASK)
    assert outcome.model == "openai/first"
    assert provider.asked("second") == []


async def test_the_embedded_model_stands_anywhere(
    chain: Chain, provider: Provider, engine: EmbeddedEngine
) -> None:
    provider.always("down", status(404))
    last = await chain("down", engine).classify(TASK)
    assert last.model.startswith("embedded/")
    assert last.confidence_source is ConfidenceSource.CALIBRATED
    assert (await chain(engine, "down").classify(TASK)).model.startswith("embedded/")


async def test_when_all_fail_the_wait_is_said(chain: Chain, provider: Provider) -> None:
    provider.always("one", status(429, retry_after="40"))
    provider.always("two", status(429, retry_after="20"))
    with pytest.raises(ModelUnavailable) as caught:
        await chain("one", "two").classify(TASK)
    assert caught.value.retry_after == pytest.approx(20, abs=1)


async def test_a_failing_model_is_left_alone_and_tried_again(
    chain: Chain, provider: Provider
) -> None:
    clock = Clock()
    engine = chain("first", "second", clock=clock)
    provider.always("first", status(401))
    assert (await engine.classify(TASK)).model == "openai/second"
    for _ in range(3):
        await engine.classify(TASK)
    assert len(provider.asked("first")) == 1

    provider.always("first", slow(0.3))
    clock.now += 300
    at_once = await asyncio.gather(*(engine.classify(TASK) for _ in range(5)))
    # One tries it, the others do not wait for that.
    assert sorted(outcome.model for outcome in at_once) == ["openai/first"] + ["openai/second"] * 4
    assert (await engine.classify(TASK)).model == "openai/first"


async def test_with_every_circuit_open_the_answer_is_quick(
    chain: Chain, provider: Provider
) -> None:
    engine = chain("only")
    provider.always("only", status(503))
    for _ in range(THRESHOLD):
        with pytest.raises(ModelUnavailable):
            await engine.classify(TASK)
    asked = len(provider.requests)
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(ModelUnavailable) as caught:
        await engine.classify(TASK)
    assert loop.time() - started < 0.05
    assert len(provider.requests) == asked
    assert 0 < (caught.value.retry_after or 0) <= 10


async def test_content_that_a_model_declines_does_not_close_it_to_others(
    chain: Chain, provider: Provider
) -> None:
    engine = chain("first", "second")
    provider.once("first", *[status(400)] * 20)
    for _ in range(20):
        assert (await engine.classify(TASK)).model == "openai/second"
    assert (await engine.classify(TASK)).model == "openai/first"


async def test_a_cancelled_try_does_not_hold_the_circuit(chain: Chain, provider: Provider) -> None:
    clock = Clock()
    engine = chain("only", clock=clock)
    provider.once("only", status(401), hang)
    with pytest.raises(ModelUnavailable):
        await engine.classify(TASK)
    clock.now += 300
    trying = asyncio.create_task(engine.classify(TASK))
    await asyncio.sleep(0.2)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    assert (await engine.classify(TASK)).model == "openai/only"


async def test_a_batch_keeps_its_order_and_leaves_room(chain: Chain, provider: Provider) -> None:
    provider.always("only", slow(0.02))
    categories = tuple(Category(f"name{n:03}") for n in range(100))
    tasks = [Task(f"This is name{n:03}.", categories=categories) for n in range(100)]
    answers = await chain("only").classify_many(tasks)
    named = [each.labels[0].label for each in answers if isinstance(each, Outcome)]
    assert named == [category.name for category in categories]
    assert provider.most_at_once == BATCH_AT_ONCE


async def test_one_item_of_a_batch_may_fail(chain: Chain, provider: Provider) -> None:
    provider.once("only", status(400))
    answers = await chain("only").classify_many([TASK] * 3)
    assert sum(isinstance(each, Outcome) for each in answers) == 2
    assert sum(isinstance(each, ModelUnavailable) for each in answers) == 1


async def test_what_no_model_can_take_is_the_requests_fault(
    chain: Chain, provider: Provider
) -> None:
    many = tuple(Category(f"a rather long name of a category, {n}") for n in range(1_000))
    with pytest.raises(Unfit, match="categories: must have names of at most about"):
        await chain("first", "second").classify(Task("x", categories=many))
    assert provider.requests == []


async def test_a_model_that_is_away_may_be_able_to_take_it(
    chain: Chain, provider: Provider
) -> None:
    provider.always("o3-mini", status(401))
    engine = chain("o3-mini", "second")
    many = tuple(Category(f"a rather long name of a category, {n}") for n in range(1_000))
    # The first has room for them.
    with pytest.raises(ModelUnavailable):
        await engine.classify(Task("x", categories=many))
    with pytest.raises(ModelUnavailable):
        await engine.classify(Task("x", categories=many))
    assert len(provider.requests) == 1
