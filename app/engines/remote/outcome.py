"""From a model's judgement to the answer that the task asks for."""

from collections.abc import Sequence

from app.engines.contract import (
    Basis,
    ConfidenceSource,
    Label,
    Mode,
    Outcome,
    Task,
    Truncated,
)
from app.engines.remote.answer import Judgement
from app.engines.remote.prompt import takes_none
from app.engines.remote.temperature import Temperatures, tempered
from app.engines.selection import decide
from app.engines.spending import Spent


def outcome_of(
    task: Task,
    judgement: Judgement,
    *,
    temperatures: Temperatures,
    spent: Spent,
    model: str,
    truncated: tuple[Truncated, ...],
    basis: tuple[Basis, ...] = (),
) -> Outcome:
    """Return what mode, threshold and the fitted temperatures leave of a judgement."""
    probabilities, source = _calibrated(task, judgement, temperatures)
    labels: tuple[str | None, ...] = judgement.labels
    none: float | None = None
    if takes_none(task):
        # It stands last.
        *probabilities, none = probabilities
    selection = decide(probabilities, task, none=none)
    names = [
        (None if index is None else labels[index], confidence)
        for index, confidence in selection.entries
    ]
    return Outcome(
        labels=tuple(
            Label(name, confidence, judgement.explanations.get(name)) for name, confidence in names
        ),
        tokens=spent.tokens,
        completion_tokens=spent.completion_tokens,
        cost=spent.cost,
        confidence_source=source,
        model=model,
        outcome=selection.outcome,
        truncated=truncated,
        basis=basis,
    )


def _calibrated(
    task: Task, judgement: Judgement, temperatures: Temperatures
) -> tuple[Sequence[float], ConfidenceSource]:
    temperature = temperatures.get(judgement.source)
    # Temperatures are fitted to distributions over categories.
    if temperature is None or task.categories is None or task.mode is Mode.MULTI:
        return judgement.probabilities, judgement.source
    return tempered(judgement.probabilities, temperature), ConfidenceSource.CALIBRATED
