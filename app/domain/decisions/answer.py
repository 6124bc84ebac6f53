"""From a question's distribution to its answer.

`confidence` says how far a distribution is from saying nothing: 0 is even, 1 is certain. The two
formulas are TypeSafe's, which llama.cpp's documented answers agree with
(docs/decisions/0012-the-systemone-wire.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.engines.contract import Label

_PLACES = 4


@dataclass(frozen=True, slots=True)
class Score:
    """A place on a scale: the mean of its levels' indices, weighed with their probabilities."""

    score: float
    confidence: float


def by_option(labels: Sequence[Label], names: Sequence[str]) -> dict[str, float]:
    """Return the probability of each option, in the order asked."""
    chances = {label.label: label.confidence for label in labels}
    return {name: chances[name] for name in names}


def confidence_of_choice(chances: Mapping[str, float]) -> float:
    """Return (max p − 1/n) / (1 − 1/n)."""
    even = 1 / len(chances)
    if even == 1:
        return 1.0
    return _rounded((max(chances.values()) - even) / (1 - even))


def score_of(chances: Sequence[float]) -> Score:
    """Return Σ i·pᵢ, and 1 − d/e: how far the levels are from the likeliest on average.

    d is their mean distance from it, weighed with their probabilities; e is that of levels which
    are all as likely from their middle.
    """
    likeliest = max(range(len(chances)), key=chances.__getitem__)
    distance = sum(chance * abs(level - likeliest) for level, chance in enumerate(chances))
    middle = (len(chances) - 1) / 2
    even = sum(abs(level - middle) for level in range(len(chances))) / len(chances)
    return Score(
        _rounded(sum(level * chance for level, chance in enumerate(chances))),
        _rounded(1 - distance / even),
    )


def _rounded(value: float) -> float:
    return round(max(value, 0.0), _PLACES)
