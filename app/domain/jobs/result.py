"""A job's result in the documented shape of its mode: in answers, files and webhooks alike."""

from collections.abc import Sequence
from typing import Any

from app.engines.contract import Label, Mode


def result_of(mode: Mode, labels: Sequence[Label]) -> dict[str, Any]:
    """Return `{"label", "confidence"}` for `single`, `{"labels": […]}` for the other modes.

    In `single` both are null when nothing reached the threshold.
    """
    if mode is not Mode.SINGLE:
        return {"labels": [_entry(label) for label in labels]}
    if not labels:
        return {"label": None, "confidence": None}
    return _entry(labels[0])


def _entry(label: Label) -> dict[str, Any]:
    entry: dict[str, Any] = {"label": label.label, "confidence": label.confidence}
    if label.explanation is not None:
        entry["explanation"] = label.explanation
    return entry
