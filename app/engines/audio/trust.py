"""How far an answer rests on speech that was understood.

The speech model's mean log-probability l of what it wrote tells how well it understood. Below
`CLEAR` the answer is tempered:

    T = 1 + SLOPE · (CLEAR − l)
    single, top_n:  p ∝ p^(1/T)
    multi:          p = σ(π + (logit(p) − π) / T)

where π is the logit of `MULTI_PRIOR`: a category that nothing is known of mostly does not hold.
Without speech, what is left is the kind of sound, which says next to nothing about most categories:
T is `ALL_BUT_NOTHING`.
"""

import numpy as np

from app.engines.contract import Mode
from app.engines.text.encoder import Floats
from app.engines.text.judge import Weighed

CLEAR = -0.3
SLOPE = 1.0
ALL_BUT_NOTHING = 3.0
MULTI_PRIOR = 0.2
_TINY = 1e-6


def temper(
    weighed: Weighed, mode: Mode, log_probability: float | None
) -> tuple[Floats, float | None]:
    """Return the probabilities and that of none, tempered; without a log-probability, most."""
    heat = (
        ALL_BUT_NOTHING
        if log_probability is None
        else 1 + SLOPE * max(CLEAR - log_probability, 0.0)
    )
    if mode is Mode.MULTI:
        return cooled(weighed.probabilities, heat), None
    full = weighed.probabilities
    full = full if weighed.none is None else np.append(full, np.float32(weighed.none))
    shares = np.maximum(full, _TINY) ** (1 / heat)
    tempered = np.asarray(shares / shares.sum(), np.float32)
    return (tempered, None) if weighed.none is None else (tempered[:-1], float(tempered[-1]))


def cooled(probabilities: Floats, heat: float) -> Floats:
    """Return independent probabilities, drawn towards the prior."""
    safe = np.clip(probabilities.astype(np.float64), _TINY, 1 - _TINY)
    prior = np.log(MULTI_PRIOR / (1 - MULTI_PRIOR))
    logits = prior + (np.log(safe / (1 - safe)) - prior) / heat
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)
