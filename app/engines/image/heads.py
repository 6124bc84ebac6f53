"""What is known of a set of categories: their meaning in tags, and the pictures given of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.engines.contract import Category, Media
from app.engines.image.calibration import EPSILON, SCALE, SINGLE_EXAMPLES, STRANGERS
from app.engines.image.meanings import Meaning
from app.engines.image.shape import FEATURES, Floats
from app.engines.text.vectors import normalised

#: Example pictures looked at per set of categories; of more, each category keeps as many.
MAX_EXAMPLES = 200
_MIXES = (0.0, 0.1, 0.2, 0.33, 0.5, 0.7, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Examples:
    """Example pictures: `features` (pictures, 1280) of length 1, and the category of each.

    `tags` (pictures, 1000) are the network's probabilities; `places` say which of the category's
    examples each is.
    """

    features: Floats
    tags: Floats
    owners: NDArray[np.int64]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ImageHead:
    """What images are held against.

    `prototypes` (categories, 1280) are of length 1, zeros for a category without examples.

    `baselines` (categories,) is what any picture scores; `weight` is the examples' say.
    """

    meaning: Meaning
    baselines: Floats
    examples: Examples
    prototypes: Floats
    has_examples: NDArray[np.bool_]
    weight: float
    size: int

    def by_tags(self, tags: Floats) -> Floats:
        """Return s: (…, categories)."""
        return np.asarray(np.log(tags @ self.meaning.shares.T + EPSILON), np.float32)

    def by_examples(self, features: Floats) -> Floats:
        """Return e of features of length 1: (…, categories), 0 without examples."""
        scores = SCALE * (features @ self.prototypes.T - STRANGERS)
        return np.where(self.has_examples, scores, np.float32(0))


def build_head(meaning: Meaning, examples: Examples) -> ImageHead:
    """Make a head; the examples decide by their own leave-one-out loss how much they say."""
    categories = len(meaning.shares)
    sums = np.zeros((categories, FEATURES), np.float32)
    np.add.at(sums, examples.owners, examples.features)
    counts = np.bincount(examples.owners, minlength=categories)
    baselines = np.log(meaning.shares.mean(axis=1) + EPSILON)
    head = ImageHead(
        meaning=meaning,
        baselines=baselines,
        examples=examples,
        prototypes=normalised(sums),
        has_examples=counts > 0,
        weight=0.0,
        size=meaning.shares.nbytes + sums.nbytes + examples.features.nbytes + examples.tags.nbytes,
    )
    return _weighed(head, sums, counts)


def _weighed(head: ImageHead, sums: Floats, counts: NDArray[np.int64]) -> ImageHead:
    examples = head.examples
    owners = examples.owners
    if not len(owners):
        return head
    weight = SINGLE_EXAMPLES
    several = counts[owners] > 1
    if several.any():
        rows = np.arange(len(owners))
        by_examples = head.by_examples(examples.features)
        # An example must not vouch for itself.
        without = normalised(sums[owners] - examples.features)
        own = np.einsum("nd,nd->n", examples.features, without)
        by_examples[rows, owners] = SCALE * (own - STRANGERS)
        by_tags = head.by_tags(examples.tags)
        losses = [
            _log_loss(((1 - mix) * by_tags + mix * by_examples)[several], owners[several])
            for mix in _MIXES
        ]
        weight = _MIXES[int(np.argmin(losses))]
    return replace(head, weight=weight)


def _log_loss(scores: Floats, owners: NDArray[np.int64]) -> float:
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(owners)), owners].mean())


def example_media(categories: Sequence[Category]) -> list[tuple[int, int, Media]]:
    """Return (category, place, media) of the example pictures that are looked at."""
    with_any = sum(bool(category.media) for category in categories)
    each = max(1, MAX_EXAMPLES // with_any) if with_any else 0
    return [
        (index, place, media)
        for index, category in enumerate(categories)
        for place, media in enumerate(category.media[:each])
    ]


def look_at(
    found: Sequence[tuple[int, int, Media]],
    see: Callable[[Media], tuple[Floats, Floats]],
) -> Examples:
    """Return the example pictures; `see` gives features and tags of one."""
    seen = [see(media) for _, _, media in found]
    features = np.array([f for f, _ in seen], np.float32).reshape(len(seen), FEATURES)
    return Examples(
        features=normalised(features),
        tags=np.array([t for _, t in seen], np.float32),
        owners=np.array([category for category, _, _ in found], np.int64),
        places=tuple(place for _, place, _ in found),
    )
