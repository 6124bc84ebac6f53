"""From evidence to probabilities, by constants fitted on the tuning pictures.

    s_c = log(Σ_t p(t) · a_c(t) + ε)                      what the tags say
    r_c = s_c − log(mean of a_c + ε)                       how much more than any picture would say
    e_c = κ · (cos(f, m_c) − λ)                            what the example pictures say
    x_c = (1 − w) · s_c + w · e_c

    single, top_n:  p = softmax(x / T),  T = exp(α + β · (1 − nearness) + γ · flatness) · …
    multi:          p_c = σ(k · ((1 − w) · r_c + w · e_c) + b)
    none:           p = σ(n − m · max of the same)

p(t) are the network's tags, a_c and nearness are those of `meanings`, f is what the network sees
and m_c the mean of that over a category's examples. *Flatness* is the entropy of the tags, of 1.
So the confidence falls where no tag stands out and where the categories are far from all tags.
`benchmarks/image_accuracy.py` fits the constants and measures them on other pictures.
"""

import numpy as np

from app.engines.image.shape import Floats

#: What is left of a category that no tag speaks for.
EPSILON = np.float32(1e-4)
#: κ and λ: what a picture's cosine to the examples of other categories is, on average.
SCALE, STRANGERS = np.float32(20.0), np.float32(0.35)
#: w when the examples themselves can't say: with one a category.
SINGLE_EXAMPLES = 0.25

_ALPHA, _BETA, _GAMMA = -0.9, 2.0, 0.5
_SLOPE, _OFFSET = 0.9, -4.5
_NONE_SLOPE, _NONE_OFFSET = 0.51, 0.77
# How T and k change with w, between these places.
_WEIGHTS = (0.0, 0.33, 0.5, 1.0)
_TEMPERATURES = (1.0, 0.65, 0.6, 1.2)
_SLOPES = (1.0, 1.2, 1.1, 0.6)


def flatness(tags: Floats) -> float:
    """Return how evenly probability is shared among tags: from 0, all on one, to 1."""
    return float(-(tags * np.log(tags + 1e-9)).sum() / np.log(len(tags)))


def distribution(scores: Floats, *, nearness: float, flat: float, weight: float) -> Floats:
    """Return probabilities that sum to 1: (categories,)."""
    temperature = np.exp(_ALPHA + _BETA * (1 - nearness) + _GAMMA * flat)
    temperature *= np.interp(weight, _WEIGHTS, _TEMPERATURES)
    weights = np.exp((scores - scores.max()).astype(np.float64) / temperature)
    return np.asarray(weights / weights.sum(), np.float32)


def independent(margins: Floats, *, weight: float) -> Floats:
    """Return a probability of each category by itself: (categories,)."""
    slope = _SLOPE * float(np.interp(weight, _WEIGHTS, _SLOPES))
    return np.asarray(1 / (1 + np.exp(-(slope * margins + _OFFSET))), np.float32)


def none_probability(margins: Floats) -> float:
    """Return the probability that a picture belongs to none of the categories."""
    return float(1 / (1 + np.exp(_NONE_SLOPE * float(margins.max()) - _NONE_OFFSET)))
