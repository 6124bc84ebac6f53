"""What a picture shows and what is written in it, made one answer.

    p_c ∝ p_c(pixels)^(1 − u) · p_c(text)^u        u = U · letters / (letters + L)

A letter or two on a cup say little about it; a page of them says nearly all. `multi`, where
probabilities do not compete, mixes their log-odds in the same shares.
"""

from dataclasses import dataclass

import numpy as np

from app.engines.contract import Mode
from app.engines.image.reading import Reading
from app.engines.image.shape import Floats

#: With fewer letters and digits, what was read is not asked.
MIN_LETTERS = 8

#: U. Of 30 pages and 60 stickers with captions, of 2 to 30 words of news: as right about the topic
#: as with any, and no less right about what the sticker shows when that is what is asked.
#: `benchmarks/text_in_pictures.py` measures it on others.
MOST = 0.8
_HALF = 30.0  # letters

_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Writing:
    """What was read in a picture, and what the text engine makes of it.

    `probabilities` (categories,) are as the mode wants them; `none` is that of none of them.
    """

    reading: Reading
    probabilities: Floats
    none: float

    @property
    def share(self) -> float:
        """How much it counts beside the pixels: from 0 to 1."""
        letters = self.reading.letters
        return MOST * letters / (letters + _HALF)


def fused(pixels: Floats, writing: Writing, mode: Mode) -> Floats:
    """Return the probabilities of both: (categories,)."""
    share = writing.share
    seen, read = (
        np.clip(p.astype(np.float64), _TINY, 1 - _TINY) for p in (pixels, writing.probabilities)
    )
    if mode is Mode.MULTI:
        odds = (1 - share) * np.log(seen / (1 - seen)) + share * np.log(read / (1 - read))
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)
    logs = (1 - share) * np.log(seen) + share * np.log(read)
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum(), np.float32)
