"""Text to one vector: several encoders side by side.

    v(t) = l2[ l2(a(t) − μ_a) ; l2(b(t) − μ_b) ; … ]

where μ is the mean vector of generic texts, taken only from encoders that want it. The dot product
of two such vectors is the mean of the encoders' cosines.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from app.engines.text.encoder import Encoder, Floats
from app.engines.text.taxonomy import TAXONOMY
from app.engines.text.weights import prepared_file

_TINY = np.float32(1e-12)


class TextVectors:
    """The encoders of one engine. The first one counts tokens and cuts windows."""

    def __init__(self, encoders: Sequence[Encoder], prepared_dir: Path) -> None:
        self._encoders = tuple(encoders)
        self.primary = self._encoders[0]
        self._means = [_mean_of(encoder, prepared_dir) for encoder in self._encoders]
        self.name = "+".join(encoder.name for encoder in self._encoders)
        self.fingerprint = "+".join(encoder.fingerprint for encoder in self._encoders)
        self.dimensions = sum(encoder.dimensions for encoder in self._encoders)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 a text: (len(texts), dimensions)."""
        parts = [
            encoder.encode(texts) if mean is None else normalised(encoder.encode(texts) - mean)
            for encoder, mean in zip(self._encoders, self._means, strict=True)
        ]
        return normalised(np.concatenate(parts, axis=1))


class SharedVectors:
    """The vectors of texts that several tasks have in common, each made once.

    Lives as long as those tasks. Safe to share between threads: who comes second waits.
    """

    def __init__(self, vectors: TextVectors) -> None:
        self._vectors = vectors
        self._made: dict[tuple[str, ...], Future[Floats]] = {}
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 a text: (len(texts), dimensions)."""
        key = tuple(texts)
        with self._lock:
            pending = self._made.get(key)
            if pending is None:
                mine = self._made[key] = Future()
        if pending is not None:
            return pending.result()
        try:
            vectors = self._vectors.encode(texts)
        except BaseException as error:
            mine.set_exception(error)
            raise
        mine.set_result(vectors)
        return vectors


def normalised(vectors: Floats) -> Floats:
    """Scale each row to length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, _TINY), np.float32)


def _mean_of(encoder: Encoder, prepared_dir: Path) -> Floats | None:
    if not encoder.centred:
        return None

    def build(target: Path) -> None:
        with target.open("wb") as file:
            np.save(file, encoder.encode(_generic_texts()).mean(axis=0))

    path = prepared_file(prepared_dir, f"{encoder.fingerprint}-mean.npy", build)
    mean: Floats = np.load(path)
    return mean


def _generic_texts() -> list[str]:
    """Texts of many kinds that no user's categories had a say in."""
    return [
        text
        for category in TAXONOMY
        for text in (category.description or category.name, *category.examples)
    ]
