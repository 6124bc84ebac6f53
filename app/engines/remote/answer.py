"""From what a model said to a probability for each label, or the reason why not.

Nothing is guessed: an answer either names labels of the list with confidences, or is no answer.
"""

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.engines.contract import ConfidenceSource, Mode, Task
from app.engines.remote.call import Reply
from app.engines.remote.prompt import LETTERS, MAX_GENERIC_LENGTH, takes_none

#: No answer that was asked for is as long (characters).
MAX_ANSWER_LENGTH = 200_000
MAX_EXPLANATION_LENGTH = 500
#: Of the first token's probability, what must lie on letters of the list.
LEAST_ON_LETTERS = 0.5
#: A label that was not named is less likely than any that was.
UNNAMED = 0.9
_MAX_CANDIDATES = 8
_GENERIC = re.compile(rf"[^\W_](?:[^\W_]|[ '&/-]){{0,{MAX_GENERIC_LENGTH - 1}}}")


class NoAnswer(Exception):
    """What the model said is no answer. The message says why, in words for the model."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A probability for each label, and for some an explanation by label.

    The label None is none of them. It stands last, where the task takes it.
    """

    labels: tuple[str | None, ...]
    probabilities: tuple[float, ...]
    explanations: Mapping[str | None, str]
    source: ConfidenceSource


def read_letter(reply: Reply, task: Task) -> Judgement:
    """Read a letter's log-probabilities, normalised over the letters of the list.

    Raises:
        NoAnswer: There are none, they are no probabilities, or they are not on the list's letters.
    """
    names = _choices(task)
    weights = dict.fromkeys(LETTERS[: len(names)], 0.0)
    if reply.declined or reply.first_token is None:
        raise NoAnswer("there were no log-probabilities")
    for token, logprob in reply.first_token:
        # Rounding may put a certain token a little above 0.
        if not isinstance(logprob, int | float) or math.isnan(logprob) or logprob > 0.001:
            raise NoAnswer("the log-probabilities are no numbers below 0")
        if token.strip() in weights:
            weights[token.strip()] += math.exp(logprob)
    total = sum(weights.values())
    if not LEAST_ON_LETTERS <= total <= 1.01:
        raise NoAnswer("it was not a letter of the list")
    probabilities = tuple(weight / total for weight in weights.values())
    explanations = {}
    if task.explain:
        best = max(range(len(names)), key=probabilities.__getitem__)
        letter, _, why = reply.text.strip().partition("\n")
        # With another letter first, the sentence would explain another answer.
        if letter.strip() != LETTERS[best]:
            raise NoAnswer("the letter and its probability differ")
        explanations[names[best]] = _explanation(why)
    return Judgement(names, probabilities, explanations, ConfidenceSource.MEASURED)


def read_object(reply: Reply, task: Task) -> Judgement:
    """Read an object of labels and confidences.

    Raises:
        NoAnswer: It is none, or names a label that is not on the list.
    """
    if reply.declined:
        raise NoAnswer("it was declined")
    if reply.broken_off:
        raise NoAnswer("it was too long and broken off")
    entries = _entries(_parse(reply.text))
    named = _named(entries, task)
    labels = _choices(task)
    if task.categories is None:
        labels = (*(label for label in named if label is not None), *labels)
    if len(named) < len(entries):
        raise NoAnswer("a label is there twice")
    if not named and (task.mode is not Mode.MULTI or task.categories is None):
        raise NoAnswer("it holds no label")
    confidences = {label: _confidence(entry) for label, entry in named.items()}
    explanations = (
        {label: _explanation(entry.get("explanation")) for label, entry in named.items()}
        if task.explain
        else {}
    )
    if task.mode is Mode.MULTI:
        probabilities = tuple(confidences.get(label, 0.0) for label in labels)
    else:
        probabilities = _distribution(labels, confidences, is_open=task.categories is None)
    return Judgement(labels, probabilities, explanations, ConfidenceSource.SELF_REPORTED)


def _parse(text: str) -> Any:
    if len(text) > MAX_ANSWER_LENGTH:
        raise NoAnswer("it was far too long")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    # Models like to wrap an object in prose or in a code fence.
    found = []
    decoder = json.JSONDecoder()
    at = text.find("{")
    for _ in range(_MAX_CANDIDATES):
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
            found.append(value)
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)
    if len(found) != 1:
        raise NoAnswer(f"it held {'more than one JSON object' if found else 'no JSON object'}")
    return found[0]


def _entries(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, dict) and "label" in value:
        value = {"labels": [value]}
    entries = value.get("labels") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise NoAnswer('it held no list "labels" of objects')
    return entries


def _choices(task: Task) -> tuple[str | None, ...]:
    none = (None,) if takes_none(task) else ()
    return (*(category.name for category in task.categories or ()), *none)


def _named(entries: Sequence[Mapping[str, Any]], task: Task) -> dict[str | None, Mapping[str, Any]]:
    known = _by_spelling([category.name for category in task.categories or ()])

    def name(entry: Mapping[str, Any]) -> str | None:
        if takes_none(task) and entry.get("label", "") is None:
            return None
        return _generic_label(entry) if task.categories is None else _listed_label(entry, known)

    return {name(entry): entry for entry in entries}


def _by_spelling(labels: Sequence[str]) -> dict[str, str]:
    """Return the labels by what they are written like, but for those that are written alike."""
    spelled: dict[str, str | None] = {}
    for label in labels:
        key = _spelling(label)
        spelled[key] = None if key in spelled else label
    loose = {key: label for key, label in spelled.items() if label is not None}
    return loose | {label: label for label in labels}


def _spelling(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip().casefold()


def _listed_label(entry: Mapping[str, Any], known: Mapping[str, str]) -> str:
    label = entry.get("label")
    if not isinstance(label, str):
        raise NoAnswer("a label was missing")
    found = known.get(label) or known.get(_spelling(label))
    if found is None:
        raise NoAnswer("a label was not on the list")
    return found


def _generic_label(entry: Mapping[str, Any]) -> str:
    label = entry.get("label")
    tidy = " ".join(label.lower().split()) if isinstance(label, str) else ""
    if _GENERIC.fullmatch(tidy) is None:
        raise NoAnswer(
            f"a label was not one to three words of at most {MAX_GENERIC_LENGTH} characters"
        )
    return tidy


def _confidence(entry: Mapping[str, Any]) -> float:
    value = entry.get("confidence")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise NoAnswer("a confidence was not a number from 0 to 1")
    return float(value)


def _explanation(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    # What a database can't keep, and what would break a line of a log or a table.
    tidy = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not tidy:
        raise NoAnswer("an explanation was missing")
    if len(tidy) <= MAX_EXPLANATION_LENGTH:
        return tidy
    return tidy[: MAX_EXPLANATION_LENGTH - 1].rstrip() + "…"


def _distribution(
    labels: Sequence[str | None], named: Mapping[str | None, float], *, is_open: bool
) -> tuple[float, ...]:
    """Return probabilities that sum to 1: what is left by those named is shared by the others.

    Of an open list, what is left is that of labels that were not named at all.
    """
    total = sum(named.values())
    if is_open:
        return tuple(named.get(label, 0.0) / max(total, 1.0) for label in labels)
    others = len(labels) - len(named)
    if others:
        left = max(1 - total, 0.0)
        share = min(left / others, min(named.values()) * UNNAMED)
        total += share * others
    else:
        share = 0.0
    if total <= 0:
        raise NoAnswer("every confidence was 0")
    return tuple(named.get(label, share) / total for label in labels)
