"""What tasks cost: every call counts, in vain too, and nothing is guessed."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest

from app.engines import litellm_provider
from app.engines.chain import ChainEngine, Link
from app.engines.contract import Category, Task
from app.engines.errors import EngineError, ModelUnavailable
from app.engines.litellm_provider import close_connections
from app.engines.remote.call import Address
from app.engines.remote.engine import RemoteEngine
from app.engines.remote.price import Price, parse_prices, spent_on
from app.engines.remote.turns import Turns
from app.engines.spending import NOTHING, Spent
from tests.provider.behaviours import Exchange, refuses, says, status
from tests.provider.completions import completion
from tests.provider.server import Provider

# LiteLLM's own imports and models warn; that is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

TASK = Task("I was charged twice for billing", categories=(Category("tech"), Category("billing")))
# What LiteLLM's table says of them, for the 100 tokens read and 10 written of each answer.
PRICED, COST = "gpt-4o-mini", 100 * 150 + 10 * 600
DEARER, DEARER_COST = "gpt-4o", 100 * 2_500 + 10 * 10_000
UNKNOWN = "my-own-model"
OWN = Price(Decimal("0.3"), Decimal("0.0000001"))
OWN_COST = 100 * 300 + 1

Make = Callable[..., ChainEngine]


@pytest.fixture
async def make(provider: Provider) -> AsyncIterator[Make]:
    def make(*models: str, price: Price | None = None) -> ChainEngine:
        turns = Turns(200)
        links = [
            Link(
                model,
                RemoteEngine(
                    Address(
                        f"openai/{model}",
                        timeout_s=5,
                        api_base=provider.base_url,
                        api_key="k",
                        price=price,
                    ),
                    turns=turns,
                ),
            )
            for model in models
        ]
        made = ChainEngine(links)
        made.load()
        return made

    yield make
    await close_connections()


@pytest.mark.parametrize(
    ("model", "price", "cost"),
    [
        (PRICED, None, COST),
        (DEARER, None, DEARER_COST),
        (UNKNOWN, None, None),
        (UNKNOWN, OWN, OWN_COST),
        (PRICED, OWN, OWN_COST),
    ],
)
async def test_the_cost_is_the_tables_or_the_operators_or_unknown(
    make: Make, model: str, price: Price | None, cost: int | None
) -> None:
    outcome = await make(model, price=price).classify(TASK)
    assert outcome.spent == Spent(110, 10, cost)


async def test_a_repair_counts(make: Make, provider: Provider) -> None:
    provider.once(PRICED, says("prose"), says("prose"))
    with pytest.raises(EngineError) as failed:
        await make(PRICED).classify(Task(TASK.content, TASK.input_type, None))
    assert failed.value.spent == Spent(220, 20, 2 * COST)
    provider.once(PRICED, says("prose"))
    outcome = await make(PRICED).classify(Task(TASK.content, TASK.input_type, None))
    assert outcome.spent == Spent(220, 20, 2 * COST)


async def test_models_that_were_asked_in_vain_count(make: Make, provider: Provider) -> None:
    provider.always(DEARER, refuses())
    outcome = await make(DEARER, PRICED).classify(TASK)
    assert outcome.model == f"openai/{PRICED}"
    assert outcome.spent == Spent(330, 30, 2 * DEARER_COST + COST)

    provider.always(PRICED, status(400))
    with pytest.raises(ModelUnavailable) as failed:
        await make(DEARER, PRICED).classify(TASK)
    assert failed.value.spent == Spent(220, 20, 2 * DEARER_COST)
    (answer,) = await make(DEARER, PRICED).classify_many([TASK])
    assert isinstance(answer, ModelUnavailable)
    assert answer.spent.cost == 2 * DEARER_COST


async def test_what_is_not_known_of_a_part_is_not_known_of_the_sum(
    make: Make, provider: Provider
) -> None:
    provider.always(UNKNOWN, refuses())
    outcome = await make(UNKNOWN, PRICED).classify(TASK)
    assert outcome.spent == Spent(330, 30, None)


async def test_an_error_of_the_provider_costs_nothing(make: Make, provider: Provider) -> None:
    provider.always(PRICED, status(400))
    with pytest.raises(EngineError) as failed:
        await make(PRICED).classify(TASK)
    assert failed.value.spent == NOTHING


async def test_without_a_count_of_tokens_the_cost_is_not_known(
    make: Make, provider: Provider
) -> None:
    async def uncounted(exchange: Exchange) -> None:
        payload = completion(exchange.request)
        del payload["usage"]
        await exchange.send(payload)

    provider.always(PRICED, uncounted)
    assert (await make(PRICED).classify(TASK)).spent == Spent(0, 0, None)
    free = Price(Decimal(0), Decimal(0))
    assert (await make(PRICED, price=free).classify(TASK)).spent == Spent(0, 0, 0)


def test_fractions_of_a_nano_dollar_round_up() -> None:
    cheap = Price(Decimal("0.0001"), Decimal(0))
    assert [cheap.of(prompt_tokens=n, completion_tokens=0) for n in (0, 1, 10, 11)] == [0, 1, 1, 2]
    assert spent_on("openai/x", None, price=cheap) == Spent(0, 0, None)


@pytest.mark.parametrize("model", [f"openai/{PRICED}", f"openai/{DEARER}", "openai/o3-mini"])
@pytest.mark.parametrize("details", [{}, {"cached_tokens": 512}])
def test_the_short_way_to_a_cost_leads_where_the_tables_own_does(
    model: str, details: dict[str, int]
) -> None:
    usage = litellm_provider.library().Usage(
        prompt_tokens=1_001,
        completion_tokens=13,
        total_tokens=1_014,
        prompt_tokens_details=details or None,
    )
    dollars = litellm_provider.cost_of(model, usage)
    assert dollars
    assert spent_on(model, usage, price=None).cost == round(dollars * 10**9)


def test_prices_are_read() -> None:
    read = parse_prices(" openai/a=0.15/0.60, openai/b = 3 / 15 ,embedded=0/0")
    assert read["openai/a"] == Price(Decimal("0.15"), Decimal("0.60"))
    assert read["openai/b"] == Price(Decimal(3), Decimal(15))
    assert set(read) == {"openai/a", "openai/b", "embedded"}
    for wrong in ("openai/a", "openai/a=1", "=1/2", "a=-1/2", "a=NaN/1", "a=1/2,a=1/2", "a=1/1e9"):
        with pytest.raises(ValueError, match="US dollars for a million tokens"):
            parse_prices(wrong)
