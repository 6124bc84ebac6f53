"""From scores to probabilities, by constants fitted once for all.

Scores are mean cosines, so their scale hardly depends on the categories: one temperature serves all
sets of one situation. The temperatures are those of a study over nine public data sets of several
kinds (news, intents, emotions, sentiment); slopes and offsets minimise the log loss over four of
them. `docs/models.md` shows how far off they are on each.

    single, top_n:  p = softmax(s / T)
    multi:          p_c = σ(k · (s_c − τ log Σ exp(s_j / τ)) + b)

where j runs over the other categories and a bank of generic labels, so that a category has to beat
what else a text could be about even when it is the only one. `belonging.py` has the probability
that a text belongs to none of the categories.
"""

from dataclasses import dataclass

import numpy as np

from app.engines.text.encoder import Floats

TAU = np.float32(0.05)


@dataclass(frozen=True, slots=True)
class NoneConstants:
    """`offset` b, and the weights α, β and γ of the distances that `belonging.py` measures."""

    offset: float
    strangers: float
    typical: float
    nearest: float

    def mixed(self, other: "NoneConstants", share: float) -> "NoneConstants":
        """Return the constants between these and `other`, of which `share` is taken."""
        return NoneConstants(
            offset=(1 - share) * self.offset + share * other.offset,
            strangers=(1 - share) * self.strangers + share * other.strangers,
            typical=(1 - share) * self.typical + share * other.typical,
            nearest=(1 - share) * self.nearest + share * other.nearest,
        )


@dataclass(frozen=True, slots=True)
class Constants:
    """`temperature` T, `slope` k and `offset` b, and those of none of the categories."""

    temperature: float
    slope: float
    offset: float
    none: NoneConstants

    def mixed(self, other: "Constants", share: float) -> "Constants":
        """Return the constants between these and `other`, of which `share` is taken."""
        return Constants(
            temperature=(1 - share) * self.temperature + share * other.temperature,
            slope=(1 - share) * self.slope + share * other.slope,
            offset=(1 - share) * self.offset + share * other.offset,
            none=self.none.mixed(other.none, share),
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """Constants by what is known of the categories."""

    names: Constants
    described: Constants
    examples: Constants

    def for_shares(self, *, described: float, examples: float) -> Constants:
        """Return constants for categories of which these shares have descriptions, examples."""
        return self.names.mixed(self.described, described).mixed(self.examples, examples)


#: For the packaged pair of encoders.
PAIR = Calibration(
    names=Constants(0.048, 22.0, 3.0, NoneConstants(0.49, 0.84, 0.0, 0.0)),
    described=Constants(0.045, 24.0, 2.25, NoneConstants(0.86, 0.90, 0.0, 0.0)),
    examples=Constants(0.042, 26.0, 2.25, NoneConstants(-2.47, 0.0, 0.75, 0.69)),
)
#: For a single encoder, whose cosines spread further.
SINGLE = Calibration(
    names=Constants(0.058, 14.0, 1.75, NoneConstants(0.34, 0.77, 0.0, 0.0)),
    described=Constants(0.054, 18.0, 2.0, NoneConstants(0.66, 0.85, 0.0, 0.0)),
    examples=Constants(0.048, 18.0, 2.0, NoneConstants(-2.20, 0.0, 0.71, 0.73)),
)


def distribution(scores: Floats, constants: Constants) -> Floats:
    """Return probabilities that sum to 1: (categories,)."""
    shifted = (scores - scores.max()).astype(np.float64) / constants.temperature
    weights = np.exp(shifted)
    return np.asarray(weights / weights.sum(), np.float32)


def independent(scores: Floats, bank: Floats, constants: Constants) -> Floats:
    """Return a probability of each category by itself: (categories,)."""
    everything = np.concatenate([scores, bank]).astype(np.float64) / TAU
    top = everything.max()
    weights = np.exp(everything - top)
    # What is left without a category is summed anew where it dominates: the difference of two
    # nearly equal sums would be noise.
    rivals = weights.sum() - weights[: len(scores)]
    largest = int(np.argmax(everything))
    if largest < len(scores):
        rivals[largest] = np.delete(weights, largest).sum()
    margins = scores - TAU * (np.log(np.maximum(rivals, 1e-300)) + top)
    return np.asarray(1 / (1 + np.exp(-(constants.slope * margins + constants.offset))), np.float32)
