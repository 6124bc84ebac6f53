"""From probabilities to labels: the one place where mode, `top_n` and `threshold` apply."""

from collections.abc import Sequence

from app.engines.contract import Mode

CONFIDENCE_PLACES = 4


def select(
    probabilities: Sequence[float], *, mode: Mode, top_n: int, threshold: float
) -> list[tuple[int, float]]:
    """Return (index, confidence) of what the mode asks for, best first.

    `probabilities` is a distribution that sums to 1 for `single` and `top_n`, independent
    probabilities for `multi`. The threshold is compared with the rounded confidence, so that what
    a caller sees and what was decided agree. Ties keep the order of the categories.
    """
    ranked = sorted(
        enumerate(round(float(p), CONFIDENCE_PLACES) for p in probabilities),
        key=lambda entry: -entry[1],
    )
    limit = {Mode.SINGLE: 1, Mode.TOP_N: top_n, Mode.MULTI: len(ranked)}[mode]
    return [entry for entry in ranked[:limit] if entry[1] >= threshold]
