"""What a call costs: by the operator's price, else by LiteLLM's table.

LiteLLM's table ships with it, and knows of cached tokens, of tiers and of tokens of media.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from app.engines import litellm_provider
from app.engines.spending import Spent

_NANO = 10**9
_MOST_PER_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens, read and written."""

    prompt: Decimal
    completion: Decimal

    @property
    def is_sane(self) -> bool:
        """Whether these are amounts that somebody could ask for."""
        amounts = (self.prompt, self.completion)
        return all(each.is_finite() and 0 <= each <= _MOST_PER_MILLION for each in amounts)

    def of(self, *, prompt_tokens: int, completion_tokens: int) -> int:
        """Return nano-dollars, rounded up."""
        # A millionth of a dollar is a thousand of them.
        exact = (self.prompt * prompt_tokens + self.completion * completion_tokens) * 1_000
        return int(exact.to_integral_value(rounding=ROUND_CEILING))


def parse_prices(text: str) -> Mapping[str, Price]:
    """Read `model=read/written, …`: US dollars for a million tokens.

    Raises:
        ValueError: It is not that; the message says what would be.
    """
    prices: dict[str, Price] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        model, _, amounts = entry.rpartition("=")
        read, _, written = amounts.partition("/")
        try:
            price = Price(Decimal(read.strip()), Decimal(written.strip()))
        except InvalidOperation:
            price = None
        if price is None or not model.strip() or not price.is_sane or model.strip() in prices:
            raise ValueError(
                "must be US dollars for a million tokens read and written, once for each model, "
                f"such as openai/gpt-4o-mini=0.15/0.60, got '{entry[:100]}'"
            )
        prices[model.strip()] = price
    return prices


def spent_on(model: str, usage: Any, *, price: Price | None) -> Spent:
    """Return what a call took; `usage` is LiteLLM's of its response, None when there is none."""
    prompt_tokens = _count(usage, "prompt_tokens")
    completion_tokens = _count(usage, "completion_tokens")
    tokens = max(_count(usage, "total_tokens"), prompt_tokens + completion_tokens)
    if tokens == 0:
        return Spent(cost=0 if is_free(model, price=price) else None)
    if price is None and not _is_detailed(usage):
        price = _flat_price(model)
    if price is None:
        cost = _nano_dollars(litellm_provider.cost_of(model, usage))
    else:
        # What was used beyond what was read was written, whatever it is called.
        written = max(completion_tokens, tokens - prompt_tokens)
        cost = price.of(prompt_tokens=prompt_tokens, completion_tokens=written)
    return Spent(tokens=tokens, completion_tokens=completion_tokens, cost=cost)


def cost_of(
    model: str, *, prompt_tokens: int, completion_tokens: int, price: Price | None
) -> int | None:
    """Return the nano-dollars of so many tokens; None when the model's price is not known."""
    if price is not None:
        return price.of(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
    usage = litellm_provider.usage_of(prompt_tokens, completion_tokens)
    return _nano_dollars(litellm_provider.cost_of(model, usage))


@lru_cache(maxsize=1_000)
def _flat_price(model: str) -> Price | None:
    """Return the table's price where it is one of tokens alone: LiteLLM takes 0.1 ms a call."""
    rates = litellm_provider.flat_rates(model)
    if rates is None:
        return None
    read, written = (Decimal(str(rate)) * 1_000_000 for rate in rates)
    return Price(read, written)


def _is_detailed(usage: Any) -> bool:
    """Tell whether some of the tokens may have another price: cached ones, images, reasoning."""
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        details = getattr(usage, name, None)
        if details is not None and any(
            value for field, value in vars(details).items() if field != "text_tokens"
        ):
            return True
    return bool(_count(usage, "cache_creation_input_tokens"))


def is_free(model: str, *, price: Price | None) -> bool:
    """Tell whether tokens of a model cost nothing, as those of one on the machine do."""
    return cost_of(model, prompt_tokens=1_000, completion_tokens=1_000, price=price) == 0


def _nano_dollars(dollars: float | None) -> int | None:
    # Up, but for what binary fractions add: 0.15 $ a million tokens is 150.00000000000003 each.
    return None if dollars is None else math.ceil(round(dollars * _NANO, 3))


def _count(usage: Any, name: str) -> int:
    return max(int(getattr(usage, name, 0) or 0), 0)
