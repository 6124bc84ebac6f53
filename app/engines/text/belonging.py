"""Whether a text belongs to none of the categories.

A best score says little by itself: how high it is depends on the categories' wording and number and
on the kind of text. So it is held against levels that are known of the categories without a
labelled text:

    p(none) = σ(b − (α·(s − m) + β·(s − l) + γ·(a − n)) / d)

    s     the text's best score
    m, d  mean and standard deviation of the best scores of strangers: the example texts of the
          generic taxonomy, in which no caller's categories had a say
    l     mean similarity of an example to the mean of its category's other examples
    a     the text's similarity to its nearest example
    n     mean similarity of an example to its nearest other one

Divided by d, the weights hardly depend on the encoder. Categories of which fewer than two examples
are known have no l and n: for them β = γ = 0, and otherwise α = 0, since a category's own examples
say more than strangers do. A mixture lies between, by the share of categories.

A score held against those of strangers is the Z-norm of speaker verification (Auckenthaler et al.
2000, https://doi.org/10.1006/dspr.1999.0360). `benchmarks/none_of_these.py` fits the constants by
logistic regression: categories are hidden, and their texts and those of other data sets are none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engines.text.calibration import NoneConstants
from app.engines.text.encoder import Floats
from app.engines.text.vectors import normalised

# The highest level that the study saw. Examples that say the same in nearly the same words are
# nearer to one another, and would make strangers of all other texts.
_MAX_LEVEL = 0.75
# Less than half the least deviation that the study saw: a bound for categories that all strangers
# are equally far from.
_MIN_SPREAD = 0.03


@dataclass(frozen=True, slots=True)
class Levels:
    """What best scores mean with a set of categories: m, d, l and n.

    `taught` is the share of categories with two examples or more; without any, l and n are 0.
    """

    strangers: float
    spread: float
    typical: float
    nearest: float
    taught: float


@dataclass(frozen=True, slots=True)
class Distances:
    """How far a text is from each level, in standard deviations of strangers: 0 is on it."""

    strangers: float
    typical: float
    nearest: float


def levels_of(
    weights: Floats, strangers: Floats, examples: Floats, owners: NDArray[np.int64]
) -> Levels:
    """Measure the levels of categories.

    Args:
        weights: The categories' vectors: (categories, d).
        strangers: Vectors of texts that the categories are not about: (strangers, d).
        examples: Vectors of the categories' examples: (examples, d).
        owners: The category of each example: (examples,).
    """
    best = (strangers @ weights.T).max(axis=1)
    counts = np.bincount(owners, minlength=len(weights))
    with_others = counts[owners] > 1
    typical, nearest = (
        _levels_of_examples(examples[with_others], owners[with_others], len(weights))
        if with_others.any()
        else (0.0, 0.0)
    )
    return Levels(
        strangers=float(best.mean()),
        spread=max(float(best.std()), _MIN_SPREAD),
        typical=typical,
        nearest=nearest,
        taught=float((counts > 1).mean()),
    )


def _levels_of_examples(
    examples: Floats, owners: NDArray[np.int64], categories: int
) -> tuple[float, float]:
    sums = np.zeros((categories, examples.shape[1]), np.float32)
    np.add.at(sums, owners, examples)
    others = normalised(sums[owners] - examples)
    typical = float(np.einsum("nd,nd->n", examples, others).mean())
    similarities = examples @ examples.T
    np.fill_diagonal(similarities, -1)
    nearest = float(similarities.max(axis=1).mean())
    return min(typical, _MAX_LEVEL), min(nearest, _MAX_LEVEL)


def distances(levels: Levels, *, best: float, nearest: float) -> Distances:
    """Measure how far a text is; `nearest` is its similarity to the nearest example, if any."""
    if not levels.taught:
        return Distances((best - levels.strangers) / levels.spread, 0.0, 0.0)
    return Distances(
        (best - levels.strangers) / levels.spread,
        (best - levels.typical) / levels.spread,
        (nearest - levels.nearest) / levels.spread,
    )


def none_probability(far: Distances, constants: NoneConstants) -> float:
    """Return the probability that a text belongs to none of the categories."""
    logit = constants.offset - (
        constants.strangers * far.strangers
        + constants.typical * far.typical
        + constants.nearest * far.nearest
    )
    return float(1 / (1 + np.exp(-logit)))
