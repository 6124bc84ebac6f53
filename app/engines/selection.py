"""From probabilities to labels: the one place where mode, `top_n`, `threshold`, none of the
categories and `min_margin` apply.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.engines.contract import Mode, OutcomeKind, Task

CONFIDENCE_PLACES = 4
# Where `multi` draws the line when the threshold, left at 0, draws none: more likely than not.
_EVEN = 0.5


@dataclass(frozen=True, slots=True)
class Selection:
    """What is left, best first, as (index, confidence): the index None is none of the categories.

    `outcome` is None unless the task allows none of the categories or wants a margin.
    """

    entries: tuple[tuple[int | None, float], ...]
    outcome: OutcomeKind | None


def select(
    probabilities: Sequence[float], *, mode: Mode, top_n: int, threshold: float
) -> list[tuple[int, float]]:
    """Return (index, confidence) of what the mode asks for, best first.

    `probabilities` is a distribution that sums to 1 for `single` and `top_n`, independent
    probabilities for `multi`. The threshold is compared with the rounded confidence, so that what
    a caller sees and what was decided agree. Ties keep the order of the categories.
    """
    ranked = _ranked(probabilities)
    limit = {Mode.SINGLE: 1, Mode.TOP_N: top_n, Mode.MULTI: len(ranked)}[mode]
    return [entry for entry in ranked[:limit] if entry[1] >= threshold]


def decide(probabilities: Sequence[float], task: Task, *, none: float | None = None) -> Selection:
    """Return what a task asks for, and what it comes to.

    In `single` and `top_n`, `probabilities` and `none`, the probability of none of the categories,
    are one distribution that sums to 1; `none` is needed when the task allows it, and left out
    otherwise. It ranks as a category does, behind one that is as likely. `multi` has no use for
    `none`: when no category holds, none does.

    The outcome, the first that is true:

    - `unsure`: single and top_n, when the best is below the threshold, or the first two of the
      whole distribution are closer than `min_margin`. multi, where probabilities do not compete,
      when a category is closer than `min_margin` to the line between in and out: the threshold, or
      an even chance when that is 0.
    - `none_of_the_above`: single and top_n, when none is the most likely. multi, when no category
      reaches the line and none is more likely than not.
    - `unsure`: multi, when the threshold left nothing.
    - `matched`.
    """
    full = [*probabilities] if none is None or task.mode is Mode.MULTI else [*probabilities, none]
    chosen = select(full, mode=task.mode, top_n=task.top_n, threshold=task.threshold)
    entries = tuple(
        (index if index < len(probabilities) else None, confidence) for index, confidence in chosen
    )
    if not task.allow_none and task.min_margin is None:
        return Selection(entries, None)
    ranked = _ranked(full)
    if task.mode is Mode.MULTI:
        return Selection(entries, _outcome_of_multi(ranked, task))
    first, confidence = ranked[0]
    runner_up = ranked[1][1] if len(ranked) > 1 else 0.0
    if confidence < task.threshold or _is_thin(confidence - runner_up, task):
        return Selection(entries, OutcomeKind.UNSURE)
    if first == len(probabilities):
        return Selection(entries, OutcomeKind.NONE_OF_THE_ABOVE)
    return Selection(entries, OutcomeKind.MATCHED)


def _outcome_of_multi(ranked: Sequence[tuple[int, float]], task: Task) -> OutcomeKind:
    line = task.threshold or _EVEN
    best = ranked[0][1]
    if _is_thin(min(abs(confidence - line) for _, confidence in ranked), task):
        return OutcomeKind.UNSURE
    if task.allow_none and best < line and best <= _EVEN:
        return OutcomeKind.NONE_OF_THE_ABOVE
    return OutcomeKind.UNSURE if best < task.threshold else OutcomeKind.MATCHED


def _is_thin(margin: float, task: Task) -> bool:
    # Rounded as the confidences are: 0.6 and 0.4 are 0.2 apart, which binary fractions are not.
    return task.min_margin is not None and round(margin, CONFIDENCE_PLACES) < task.min_margin


def _ranked(probabilities: Sequence[float]) -> list[tuple[int, float]]:
    return sorted(
        enumerate(round(float(p), CONFIDENCE_PLACES) for p in probabilities),
        key=lambda entry: -entry[1],
    )
