"""What frames and speech say, as one.

single, top_n: a frame counts by how clear it is, p_f ∝ Σ max(p_i)·p_i, and speech by how much of it
there is, w = min(words / ENOUGH_WORDS, 1). Both are calibrated by themselves and see the same
content, so their product would be too sure: p ∝ (p_f · p_s^w)^DAMPING, and p_f alone where w is 0.

multi: what is shown in a quarter of the frames is in the video, and so is what is spoken of:
p = 1 − (1 − p_f)(1 − w·p_s), p_f being the mean of the highest quarter.

The weights are reasoned, not fitted: there were no labelled videos to fit them to.
"""

import numpy as np

from app.engines.text.encoder import Floats

ENOUGH_WORDS = 20
DAMPING = 0.75
_QUARTER = 4
_TINY = 1e-6


def speech_weight(text: str) -> float:
    """Return w of what is said."""
    return min(len(text.split()) / ENOUGH_WORDS, 1.0)


def of_frames(by_frame: Floats) -> Floats:
    """Return one distribution for (frames, categories) of them."""
    weighted = by_frame.max(axis=1) @ by_frame
    return np.asarray(weighted / weighted.sum(), np.float32)


def of_frames_in_multi(by_frame: Floats) -> Floats:
    """Return independent probabilities for (frames, categories) of them."""
    count = -(-len(by_frame) // _QUARTER)
    return np.asarray(np.sort(by_frame, axis=0)[-count:].mean(axis=0), np.float32)


def both(frames: Floats, speech: Floats, weight: float) -> Floats:
    """Return one distribution for that of frames and that of speech."""
    if not weight:
        return frames
    logs = np.log(np.maximum(frames, _TINY)) + weight * np.log(np.maximum(speech, _TINY))
    shares = np.exp(DAMPING * (logs - logs.max()))
    return np.asarray(shares / shares.sum(), np.float32)


def both_in_multi(frames: Floats, speech: Floats, weight: float) -> Floats:
    """Return independent probabilities for those of frames and of speech."""
    return np.asarray(1 - (1 - frames) * (1 - weight * speech), np.float32)
