"""What a sentence encoder must do to serve the text engine."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Encoder(Protocol):
    """Text to vectors of length 1, one text at a time inside, so that answers are repeatable.

    `fingerprint` changes whenever the same text would get another vector. `max_tokens` is how many
    tokens of a text one pass can read. Safe to share between threads.
    """

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Names the weights and how they are run."""
        ...

    @property
    def centred(self) -> bool:
        """Whether the mean of generic texts is to be taken from its vectors.

        Encoders whose vectors all point much the same way separate better without it.
        """
        ...

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that one pass can read."""
        ...

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one vector a text: (len(texts), dimensions)."""
        ...

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters of `text` that each of its tokens covers, as (start, end)."""
        ...
