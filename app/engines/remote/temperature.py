"""Temperature scaling of a distribution (Guo et al. 2017, https://arxiv.org/abs/1706.04599).

    q_i ∝ p_i^(1/T)

T above 1 makes a model that is too sure less so, and below 1 the contrary; the order stays. One
temperature holds for one model and one source of its confidence: log-probabilities are off in
another way than what a model says of itself.
"""

from collections.abc import Mapping, Sequence

from app.engines.contract import ConfidenceSource

Temperatures = Mapping[ConfidenceSource, float]


def tempered(probabilities: Sequence[float], temperature: float) -> tuple[float, ...]:
    """Return a distribution at a temperature; the sum stays 1."""
    largest = max(probabilities)
    weights = [(probability / largest) ** (1 / temperature) for probability in probabilities]
    total = sum(weights)
    return tuple(weight / total for weight in weights)
