"""Fitting a model's temperature to labelled data.

The best two labels and what is left are what an answer gives; what is left is shared evenly by the
other categories. The temperature that makes the true labels most likely is found by golden-section
search over its logarithm: the log loss has one minimum in it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.engines.contract import ConfidenceSource, Outcome
from app.engines.remote.temperature import tempered
from app.evaluation.report import Prediction, calibration_error

#: Fewer say too little.
LEAST_TEXTS = 50
LOWEST, HIGHEST = 0.05, 20.0
# No answer is certain: with a probability of 0 one mistake would outweigh all else.
_FLOOR = 1e-4
_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 40


@dataclass(frozen=True, slots=True)
class Fit:
    """A temperature for one model and source; the errors are calibration errors."""

    model: str
    source: ConfidenceSource
    temperature: float
    texts: int
    error_before: float
    error_after: float


@dataclass(frozen=True, slots=True)
class _Row:
    """A distribution with the best label first, and the place of the true one in it."""

    distribution: tuple[float, ...]
    label: str | None
    truth: str
    place: int


def fit(answers: Sequence[tuple[str, Outcome]], *, categories: int) -> list[Fit]:
    """Return the temperature of every model and source with answers enough.

    `answers` are pairs of the true label and an answer that holds the best two of `categories`.
    """
    groups: dict[tuple[str, ConfidenceSource], list[_Row]] = {}
    for truth, outcome in answers:
        key = (outcome.model, outcome.confidence_source)
        groups.setdefault(key, []).append(_row(truth, outcome, categories))
    return [
        _fit(model, source, rows)
        for (model, source), rows in groups.items()
        if len(rows) >= LEAST_TEXTS
    ]


def _row(truth: str, outcome: Outcome, categories: int) -> _Row:
    named = [label.label for label in outcome.labels]
    confidences = [label.confidence for label in outcome.labels]
    others = categories - len(named)
    shares = [max(1 - sum(confidences), 0.0) / others] * others if others else []
    floored = [max(probability, _FLOOR) for probability in (*confidences, *shares)]
    total = sum(floored)
    place = named.index(truth) if truth in named else len(named)
    return _Row(tuple(each / total for each in floored), named[0], truth, place)


def _fit(model: str, source: ConfidenceSource, rows: Sequence[_Row]) -> Fit:
    def loss(log_temperature: float) -> float:
        temperature = math.exp(log_temperature)
        return -sum(math.log(tempered(r.distribution, temperature)[r.place]) for r in rows)

    temperature = math.exp(_minimum(loss, math.log(LOWEST), math.log(HIGHEST)))
    return Fit(
        model=model,
        source=source,
        temperature=round(temperature, 4),
        texts=len(rows),
        error_before=calibration_error([_prediction(row, 1.0) for row in rows]),
        error_after=calibration_error([_prediction(row, temperature) for row in rows]),
    )


def _prediction(row: _Row, temperature: float) -> Prediction:
    return Prediction(row.truth, row.label, tempered(row.distribution, temperature)[0])


def _minimum(function: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(_STEPS):
        width = _GOLDEN * (high - low)
        left, right = high - width, low + width
        if function(left) <= function(right):
            high = right
        else:
            low = left
    return (low + high) / 2
