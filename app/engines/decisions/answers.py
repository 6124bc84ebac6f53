"""From a server's answer to a probability for each label, or the reason why not.

Servers differ in what they add and in how they round; what counts is there on all: under each
question's name, a probability for every option of the list and for no other. `choice` and
`confidence` are derived from them, and read only to find contradictions.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from app.engines.contract import QuestionKind
from app.engines.decisions.questions import Asking
from app.engines.remote.answer import NoAnswer

#: No answer to 64 questions or 255 options is as long (characters).
MAX_LENGTH = 500_000
#: OpenRouter rounds to two places: each of n options may be off by half of the last.
ROUNDING = 0.005
#: However many options: further off, it is no distribution.
MOST_OFF = 0.2
_A_LITTLE = 0.001

Answers = Mapping[str, Any]


def read_answers(text: str, asked: Sequence[Asking]) -> dict[str | None, float]:
    """Return the probability of each label.

    Those of one choice, score or noul as it was asked sum to 1; those of several nouls are
    independent.

    Raises:
        NoAnswer: A question is not answered, or not with probabilities of its options.
    """
    answers = _parse(text)
    read: dict[str | None, float] = {}
    for asking in asked:
        answer = answers.get(asking.name)
        if not isinstance(answer, dict):
            raise NoAnswer("a question has no answer")
        if answer.get("type", asking.kind) != asking.kind:
            raise NoAnswer("an answer is of another type than its question")
        if asking.kind is QuestionKind.NOUL:
            read.update(_noul(answer, asking))
        else:
            read.update(_distribution(answer, asking))
    return read


def _parse(text: str) -> Answers:
    if len(text) > MAX_LENGTH:
        raise NoAnswer("it was far too long")
    try:
        # Strict: NaN and Infinity are no JSON.
        body = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise NoAnswer("it was no JSON") from None
    answers = body.get("answers") if isinstance(body, dict) else None
    if not isinstance(answers, dict):
        raise NoAnswer('it held no "answers"')
    return answers


def _noul(answer: Answers, asking: Asking) -> Iterator[tuple[str | None, float]]:
    chance = min(_probability(answer.get("noul")), 1.0)
    yield asking.options[0][1], chance
    if asking.negative:
        yield asking.options[1][1], 1.0 - chance


def _distribution(answer: Answers, asking: Asking) -> Iterator[tuple[str | None, float]]:
    given = answer.get("probabilities")
    names = [name for name, _ in asking.options]
    if not isinstance(given, dict):
        raise NoAnswer("it held no probabilities")
    if any(name not in given for name in names):
        raise NoAnswer("an option has no probability")
    if len(given) > len(names):
        raise NoAnswer("an option was not on the list")
    if asking.kind is QuestionKind.CHOICE and answer.get("choice", names[0]) not in given:
        raise NoAnswer("the choice was not on the list")
    chances = [_probability(given[name]) for name in names]
    total = math.fsum(chances)
    if abs(total - 1) > min(_A_LITTLE + ROUNDING * len(names), MOST_OFF):
        raise NoAnswer("the probabilities don't sum to 1")
    for (_, label), chance in zip(asking.options, chances, strict=True):
        yield label, chance / total


def _probability(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoAnswer("a probability was no number")
    if not 0 <= value <= 1 + _A_LITTLE:
        raise NoAnswer("a probability was not from 0 to 1")
    return float(value)
