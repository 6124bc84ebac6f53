"""A job's result in the documented shape of its mode: in answers, files and webhooks alike."""

from collections.abc import Sequence
from typing import Any

from app.engines.contract import Label, Mode, OutcomeKind


def result_of(
    mode: Mode, labels: Sequence[Label], outcome: OutcomeKind | None = None
) -> dict[str, Any]:
    """Return `{"label", "confidence"}` for `single`, `{"labels": […]}` for the other modes.

    In `single` both are null when nothing reached the threshold. `outcome` is there for a caller
    that allowed none of the categories or wanted a margin.
    """
    if mode is not Mode.SINGLE:
        result: dict[str, Any] = {"labels": [_entry(label) for label in labels]}
    elif labels:
        result = _entry(labels[0])
    else:
        result = {"label": None, "confidence": None}
    return result if outcome is None else {**result, "outcome": outcome.value}


def _entry(label: Label) -> dict[str, Any]:
    entry: dict[str, Any] = {"label": label.label, "confidence": label.confidence}
    if label.explanation is not None:
        entry["explanation"] = label.explanation
    return entry
