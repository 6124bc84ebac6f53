"""From categories to a weight vector each.

    n_c = l2(2·v(name) + v("This text is about {name}.") + v("This is an example of {name}."))
    p_c = l2(n_c + v("{name}: {description}"))          or n_c without a description
    m_c = l2(mean of v(examples))
    W_0 = (1 − a)·p + a·m      a: the least leave-one-out log loss on the user's own examples
    W   = W_0 after gradient steps on the examples' cross-entropy with λ‖W − W_0‖²

The prompt ensemble follows CLIP (https://arxiv.org/abs/2103.00020), the mean of examples
prototypical networks (https://arxiv.org/abs/1703.05175). A category without examples keeps p.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engines.contract import Category
from app.engines.text.belonging import Levels, levels_of
from app.engines.text.calibration import TAU
from app.engines.text.encoder import Floats
from app.engines.text.vectors import TextVectors, normalised

TEMPLATES = ("This text is about {name}.", "This is an example of {name}.")
#: Examples read per request; beyond it each category keeps as many as all can have.
MAX_EXAMPLES = 2_000

_MIXES = np.arange(0.0, 0.91, 0.15)
_STEPS = 60
_RATE = np.float32(0.1)
_PULL = np.float32(0.1)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A description or an example of a category: what an answer can be explained by."""

    category: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Head:
    """The weight vectors of a set of categories.

    `weights` is (categories, d); `anchors` and `anchor_vectors` (anchors, d) are for explanations
    and for none of the categories: descriptions first, then `examples` examples.
    """

    weights: Floats
    anchors: tuple[Anchor, ...]
    anchor_vectors: Floats
    described: float
    exemplified: float
    examples: int
    levels: Levels

    @property
    def example_vectors(self) -> Floats:
        """The vectors of the examples: (examples, d)."""
        return self.anchor_vectors[len(self.anchors) - self.examples :]

    @property
    def size(self) -> int:
        """Bytes held."""
        texts = sum(len(anchor.text) for anchor in self.anchors)
        return self.weights.nbytes + self.anchor_vectors.nbytes + 4 * texts


def build_head(vectors: TextVectors, categories: Sequence[Category], strangers: Floats) -> Head:
    """Make the head of categories: a pass for each name, description and example.

    `strangers` (texts, d) are texts that the categories are not about.
    """
    weights, anchor_vectors = weigh(vectors, categories)
    return assemble(categories, weights, anchor_vectors, strangers=strangers)


def weigh(vectors: TextVectors, categories: Sequence[Category]) -> tuple[Floats, Floats]:
    """Return the weight vectors of categories, and the vectors of their anchors."""
    names = name_vectors(vectors, [category.name for category in categories])
    anchors = anchors_of(categories)
    descriptions = [anchor for anchor in anchors if anchor.kind == "description"]
    examples = [anchor for anchor in anchors if anchor.kind == "example"]
    encoded = vectors.encode([anchor.text for anchor in anchors])
    described, exemplified = encoded[: len(descriptions)], encoded[len(descriptions) :]

    prototypes = names.copy()
    for anchor, vector in zip(descriptions, described, strict=True):
        prototypes[anchor.category] += vector
    prototypes = normalised(prototypes)
    if not examples:
        return prototypes, encoded
    owners = np.array([anchor.category for anchor in examples], np.int64)
    return _fit(prototypes, exemplified, owners), encoded


def assemble(
    categories: Sequence[Category], weights: Floats, anchor_vectors: Floats, *, strangers: Floats
) -> Head:
    """Return the head that `weights` and `anchor_vectors` make."""
    anchors = anchors_of(categories)
    owners = np.array([a.category for a in anchors if a.kind == "example"], np.int64)
    descriptions = len(anchors) - len(owners)
    return Head(
        weights=weights,
        anchors=anchors,
        anchor_vectors=anchor_vectors,
        described=descriptions / len(categories),
        exemplified=len(np.unique(owners)) / len(categories),
        examples=len(owners),
        levels=levels_of(weights, strangers, anchor_vectors[descriptions:], owners),
    )


def name_vectors(vectors: TextVectors, names: Sequence[str]) -> Floats:
    """Return n_c for each name: (names, d)."""
    bare = vectors.encode(names)
    framed = [vectors.encode([t.format(name=name) for name in names]) for t in TEMPLATES]
    return normalised(2 * bare + sum(framed))


def anchors_of(categories: Sequence[Category]) -> tuple[Anchor, ...]:
    """Return the descriptions, then the examples that are read."""
    descriptions = [
        Anchor(index, "description", f"{category.name}: {category.description}")
        for index, category in enumerate(categories)
        if category.description
    ]
    return (*descriptions, *_examples_of(categories))


def _examples_of(categories: Sequence[Category]) -> list[Anchor]:
    with_any = sum(bool(category.examples) for category in categories)
    each = max(1, MAX_EXAMPLES // with_any) if with_any else 0
    return [
        Anchor(index, "example", example)
        for index, category in enumerate(categories)
        for example in category.examples[:each]
    ]


def _fit(prototypes: Floats, examples: Floats, owners: NDArray[np.int64]) -> Floats:
    """Mix prototypes with example means, then follow the gradient: (categories, d)."""
    sums = np.zeros_like(prototypes)
    np.add.at(sums, owners, examples)
    counts = np.bincount(owners, minlength=len(prototypes))
    means: Floats = np.where(counts[:, None] > 0, normalised(sums), prototypes)
    mix = _best_mix(prototypes, means, examples, owners, sums=sums, counts=counts)
    start: Floats = (1 - mix) * prototypes + mix * means
    return _descend(start, examples, owners, movable=counts > 0)


def _best_mix(
    prototypes: Floats,
    means: Floats,
    examples: Floats,
    owners: NDArray[np.int64],
    *,
    sums: Floats,
    counts: NDArray[np.int64],
) -> np.float32:
    rows = np.arange(len(owners))
    by_prototype = examples @ prototypes.T
    by_mean = examples @ means.T
    # An example must not vouch for itself: its own category's mean is taken without it.
    without = np.einsum("nd,nd->n", examples, normalised(sums[owners] - examples))
    alone = counts[owners] < 2
    by_mean[rows, owners] = np.where(alone, by_prototype[rows, owners], without)
    losses = [_log_loss((1 - mix) * by_prototype + mix * by_mean, owners) for mix in _MIXES]
    return np.float32(_MIXES[int(np.argmin(losses))])


def _log_loss(scores: Floats, owners: NDArray[np.int64]) -> float:
    return float(-np.log(_softmax(scores)[np.arange(len(owners)), owners] + 1e-12).mean())


def _softmax(scores: Floats) -> Floats:
    weights = np.exp((scores - scores.max(axis=1, keepdims=True)) / TAU)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _descend(
    start: Floats, examples: Floats, owners: NDArray[np.int64], *, movable: NDArray[np.bool_]
) -> Floats:
    weights = start.copy()
    rows = np.arange(len(owners))
    for _ in range(_STEPS):
        errors = _softmax(examples @ weights.T)
        errors[rows, owners] -= 1
        gradient = errors.T @ examples / (len(owners) * TAU) + 2 * _PULL * (weights - start)
        # Nothing is known of a category without examples but that these are not its own.
        gradient[~movable] = 0
        weights -= _RATE * gradient
    return np.asarray(weights, np.float32)
