"""From the user's categories to the network's tags, by what their names mean.

    a_c(t) = Σ_n softmax_n(v(c) · v(n) / τ) · [t under n] / |n|

v is the text engine's vector, n runs over the tags and the groups above them, and |n| is how many
tags a group has. So “bird” is shared among all birds, and “sparrow” goes to what is named like one.
Without the groups “bird” would go to the tags with names like it, and few birds have such a name.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.engines.image.prepared import name_vectors
from app.engines.image.shape import Floats
from app.engines.image.tree import Tree
from app.engines.text.vectors import TextVectors

#: From the study in `benchmarks/image_accuracy.py`: from 0.03 to 0.08 hardly anything changes.
_TAU = np.float32(0.05)


@dataclass(frozen=True, slots=True)
class Meaning:
    """Categories in terms of tags.

    `shares` (categories, tags) sum to 1 for each; `nearness` (categories,) is the cosine of each to
    the tag or group whose name is most like it.
    """

    shares: Floats
    nearness: Floats


class Meanings:
    """Translates categories. Safe to share between threads."""

    def __init__(self, vectors: TextVectors, tree: Tree, prepared_dir: Path) -> None:
        self._tree = tree
        self._nodes = np.load(name_vectors(prepared_dir, vectors, tree)).astype(np.float32)

    def translate(self, categories: Floats) -> Meaning:
        """Return what categories with these vectors (categories, d) mean in tags."""
        cosines = categories @ self._nodes.T
        nearness = cosines.max(axis=1)
        weights = np.exp((cosines - nearness[:, None]) / _TAU)
        weights /= weights.sum(axis=1, keepdims=True)
        return Meaning(weights @ self._tree.spread, nearness)


def own_meaning(tags: int) -> Meaning:
    """Return what the tags themselves mean."""
    return Meaning(np.eye(tags, dtype=np.float32), np.ones(tags, np.float32))
