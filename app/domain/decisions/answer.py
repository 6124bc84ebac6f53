"""From a question's distribution to its answer.

`confidence` says how far a distribution is from saying nothing: 0 is even, 1 is certain. The two
formulas are TypeSafe's, which llama.cpp's documented answers agree with
(docs/decisions/0012-the-systemone-wire.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.decisions.question import YES, AskedQuestion
from app.engines.contract import Label, QuestionKind

_PLACES = 4


@dataclass(frozen=True, slots=True)
class ChoiceAnswer:
    """The likeliest option, the first of those as likely.

    `chances` are the options' probabilities, here and below, in the order asked.
    """

    chances: Mapping[str, float]
    choice: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ScoreAnswer:
    """A place on a scale: the mean of its levels' indices, weighed with their probabilities."""

    chances: Mapping[str, float]
    score: float
    confidence: float


@dataclass(frozen=True, slots=True)
class NoulAnswer:
    """The probability that it holds."""

    chances: Mapping[str, float]
    noul: float


Answer = ChoiceAnswer | ScoreAnswer | NoulAnswer


def answer_of(asked: AskedQuestion, labels: Sequence[Label]) -> Answer:
    """Return the answer to a question; `labels` have each of its options."""
    found = {label.label: label.confidence for label in labels}
    chances = {option.name: found[option.name] for option in asked.options}
    match asked.kind:
        case QuestionKind.NOUL:
            return NoulAnswer(chances, chances[YES])
        case QuestionKind.CHOICE:
            best = max(chances, key=chances.__getitem__)
            return ChoiceAnswer(chances, best, _confidence_of_choice(chances))
        case QuestionKind.SCORE:
            score, confidence = _score(tuple(chances.values()))
            return ScoreAnswer(chances, score, confidence)


def _confidence_of_choice(chances: Mapping[str, float]) -> float:
    """Return (max p − 1/n) / (1 − 1/n)."""
    even = 1 / len(chances)
    if even == 1:
        return 1.0
    return _rounded((max(chances.values()) - even) / (1 - even))


def _score(chances: Sequence[float]) -> tuple[float, float]:
    """Return Σ i·pᵢ, and 1 − d/e: how far the levels are from the likeliest on average.

    d is their mean distance from it, weighed with their probabilities; e is that of levels which
    are all as likely from their middle.
    """
    likeliest = max(range(len(chances)), key=chances.__getitem__)
    distance = sum(chance * abs(level - likeliest) for level, chance in enumerate(chances))
    middle = (len(chances) - 1) / 2
    even = sum(abs(level - middle) for level in range(len(chances))) / len(chances)
    return (
        _rounded(sum(level * chance for level, chance in enumerate(chances))),
        _rounded(1 - distance / even),
    )


def _rounded(value: float) -> float:
    return round(max(value, 0.0), _PLACES)
