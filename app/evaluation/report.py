"""Accuracy, macro-F1, calibration error and confusion of predictions on labelled data."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_BINS = 15  # of the calibration error, as in Guo et al. 2017 (https://arxiv.org/abs/1706.04599)
_Z = 1.96  # a 95 % interval


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row: what it is, what the model said (None when it failed), and how sure it was."""

    truth: str
    label: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Report:
    """Measures of a model on labelled data; shares are in [0, 1].

    `low` and `high` bound the accuracy with 95 % confidence (Wilson). `confusions` are the pairs
    (truth, label) that were mistaken, most frequent first.
    """

    rows: int
    failed: int
    accuracy: float
    low: float
    high: float
    macro_f1: float
    calibration_error: float
    confusions: tuple[tuple[str, str, int], ...]


def report(predictions: Sequence[Prediction]) -> Report:
    """Measure predictions; there must be at least one."""
    hits = sum(each.truth == each.label for each in predictions)
    low, high = wilson(hits, len(predictions))
    mistaken = Counter(
        (each.truth, each.label or "-") for each in predictions if each.truth != each.label
    )
    return Report(
        rows=len(predictions),
        failed=sum(each.label is None for each in predictions),
        accuracy=hits / len(predictions),
        low=low,
        high=high,
        macro_f1=macro_f1(predictions),
        calibration_error=calibration_error(predictions),
        confusions=tuple((truth, label, n) for (truth, label), n in mistaken.most_common()),
    )


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share (Wilson 1927)."""
    share = hits / total
    centre = share + _Z * _Z / (2 * total)
    spread = _Z * math.sqrt(share * (1 - share) / total + _Z * _Z / (4 * total * total))
    scale = 1 + _Z * _Z / total
    return (centre - spread) / scale, (centre + spread) / scale


def macro_f1(predictions: Sequence[Prediction]) -> float:
    """Return the mean F1 over the labels that occur as truth."""
    truths = Counter(each.truth for each in predictions)
    labels = Counter(each.label for each in predictions)
    hits = Counter(each.truth for each in predictions if each.truth == each.label)
    scores = [2 * hits[label] / (count + labels[label]) for label, count in truths.items()]
    return sum(scores) / len(scores)


def calibration_error(predictions: Sequence[Prediction]) -> float:
    """Return the expected calibration error over 15 equal bins of confidence."""
    bins: list[list[Prediction]] = [[] for _ in range(_BINS)]
    for each in predictions:
        bins[min(int(each.confidence * _BINS), _BINS - 1)].append(each)
    error = 0.0
    for members in bins:
        if members:
            sure = sum(each.confidence for each in members) / len(members)
            right = sum(each.truth == each.label for each in members) / len(members)
            error += len(members) / len(predictions) * abs(sure - right)
    return error
