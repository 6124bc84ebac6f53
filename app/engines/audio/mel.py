"""Sound as Whisper sees it: the logarithm of 80 mel bands, 100 times a second.

As in https://github.com/openai/whisper/blob/main/whisper/audio.py, whose filter bank is librosa's
(Slaney's mel scale, each band scaled to the same energy).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 16_000
#: Samples from one column to the next.
HOP = 160
BANDS = 80
_WINDOW = 400
_TOP_HZ = RATE / 2
_BREAK_HZ = 1000.0
_HZ_A_MEL = 200 / 3
_LOG_STEP = np.log(6.4) / 27
#: Columns transformed at a time: a bound on memory.
_BLOCK = 500


def log_mel(samples: Floats) -> Floats:
    """Return (80, columns) for samples in [-1, 1]; silence around them is taken for granted."""
    columns = len(samples) // HOP
    padded = np.pad(samples, _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][:columns]
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    power = np.concatenate(
        [
            np.abs(np.fft.rfft(frames[start : start + _BLOCK] * window)) ** 2
            for start in range(0, columns, _BLOCK)
        ]
    )
    mel = np.log10(np.maximum(_filters() @ power.T.astype(np.float32), 1e-10))
    return np.asarray((np.maximum(mel, mel.max() - 8) + 4) / 4, np.float32)


@cache
def _filters() -> Floats:
    """Return the weight of each frequency in each band: (80, 201)."""
    edges = _hz(np.linspace(0, _mel(_TOP_HZ), BANDS + 2))
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    weights = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(weights * (2 / (edges[2:] - edges[:-2]))[:, None], np.float32)


def _mel(hz: float) -> float:
    # Linear below the break, logarithmic above.
    return float(_BREAK_HZ / _HZ_A_MEL + np.log(hz / _BREAK_HZ) / _LOG_STEP)


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = mel - _BREAK_HZ / _HZ_A_MEL
    return np.where(above < 0, mel * _HZ_A_MEL, _BREAK_HZ * np.exp(_LOG_STEP * above))
