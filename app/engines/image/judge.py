"""Judging one image: what it shows, what is written in it, labels, and what drove them."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from app.engines.contract import (
    Basis,
    Category,
    ConfidenceSource,
    Label,
    Media,
    Mode,
    Outcome,
    Task,
)
from app.engines.image.calibration import (
    distribution,
    flatness,
    independent,
    none_probability,
)
from app.engines.image.explain import Evidence, explain
from app.engines.image.fusion import MIN_LETTERS, Writing, fused
from app.engines.image.heads import ImageHead, build_head, example_media, look_at
from app.engines.image.meanings import Meanings, own_meaning
from app.engines.image.network import Network
from app.engines.image.reading import Reader, Reading, may_hold_text
from app.engines.image.shape import SIDE, Floats, Pixels
from app.engines.image.tree import Tree
from app.engines.selection import decide
from app.engines.text.cache import HeadCache
from app.engines.text.judge import TextJudge
from app.engines.text.vectors import normalised
from app.engines.text.weights import hash_of
from app.engines.wanted import Wanted, always
from app.media.decoder import Decoder, Picture
from app.media.limits import Bounds

#: As large as a picture is looked at; only to be read is it decoded larger. Half of 1280, which a
#: JPEG of that size gives in a fifth of the time, and no less than the network's square.
SEEN = Bounds(long=640, short=SIDE)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the network sees in a picture: `features` (1280,) of length 1, and `tags` (1000,)."""

    features: Floats
    tags: Floats


@dataclass(frozen=True, slots=True)
class Look:
    """An image as it was seen, whatever is asked about it.

    `reading` returns what is written in it, read when it is first asked for; None for nothing.
    """

    sight: Sight
    reading: Callable[[], Reading | None]


class ImageJudge:
    """Scores images against categories. Blocking; safe to share between threads."""

    def __init__(self, text: TextJudge, decoder: Decoder, prepared_dir: Path) -> None:
        self._text = text
        self._decoder = decoder
        self.network = Network(prepared_dir)
        tree = Tree()
        #: The labels without categories: the network's own tags.
        self.tags = tuple(Category(name) for name in tree.tags)
        self.meanings = Meanings(text.vectors, tree, prepared_dir)
        self._own = build_head(own_meaning(len(tree.tags)), look_at([], self._look))
        self._heads: HeadCache[ImageHead] = HeadCache()
        self._reader: Reader | None = None
        self._starting = threading.Lock()
        self.model = f"embedded/{self.network.name}+{text.vectors.name}"

    def perceive(self, media: Media, *, wanted: Wanted = always) -> Look:
        """Look at an image.

        Raises:
            UnreadableMedia: It can't be decoded.
        """
        shown = self._decoder.image(media, SEEN)
        return Look(self.see(shown.frames), cache(lambda: self._read(media, shown)))

    def judge(self, task: Task, look: Look) -> Outcome:
        """Answer one task about what was seen.

        Raises:
            UnreadableMedia: An example can't be decoded.
        """
        categories = self.tags if task.categories is None else task.categories
        head = self._head(categories)
        sight = look.sight
        probabilities, none = self.weigh(sight, head, task.mode)
        writing, tokens = (None, 0) if categories is self.tags else self._written(look, task)
        if writing is not None:
            probabilities = fused(probabilities, writing, task.mode)
            none = (1 - writing.share) * none + writing.share * writing.none
        with_none = task.allow_none and task.mode is not Mode.MULTI
        if with_none:
            probabilities = (1 - none) * probabilities
        selection = decide(probabilities.tolist(), task, none=none if with_none else None)
        chosen = [index for index, _ in selection.entries]
        explanations: list[str] | list[None] = [None] * len(chosen)
        if task.explain and chosen:
            evidence = Evidence(
                features=sight.features,
                tags=sight.tags,
                probabilities=probabilities,
                names=tuple(category.name for category in categories),
                tag_names=tuple(tag.name for tag in self.tags),
                head=head,
                writing=writing,
            )
            explanations = explain(evidence, chosen)
        return Outcome(
            labels=tuple(
                Label(None if index is None else categories[index].name, confidence, explanation)
                for (index, confidence), explanation in zip(
                    selection.entries, explanations, strict=True
                )
            ),
            tokens=tokens,
            confidence_source=ConfidenceSource.CALIBRATED,
            model=self.model,
            outcome=selection.outcome,
            basis=(Basis.PIXELS,) if writing is None else (Basis.PIXELS, Basis.OCR),
        )

    def frame_probabilities(
        self, frames: Sequence[Sight], categories: tuple[Category, ...] | None, mode: Mode
    ) -> tuple[Floats, Floats]:
        """Return a probability of each category in each frame of a video: (frames, categories).

        And with them that of none of the categories: (frames,).

        They rest on what the frames show; what is written in them is not read. Without categories
        they are those of `tags`.
        """
        head = self._head(self.tags if categories is None else categories)
        weighed = [self.weigh(frame, head, mode) for frame in frames]
        return (
            np.stack([probabilities for probabilities, _ in weighed]),
            np.array([none for _, none in weighed], np.float32),
        )

    def see(self, frames: Sequence[Pixels]) -> Sight:
        """Look at the frames of one image; what they show is averaged."""
        features = np.stack([self.network.features(frame) for frame in frames])
        tags = np.stack([self.network.tags(seen) for seen in features])
        return Sight(normalised(features.mean(axis=0)), tags.mean(axis=0))

    def _look(self, media: Media) -> tuple[Floats, Floats]:
        sight = self.see(self._decoder.image(media, SEEN).frames)
        return sight.features, sight.tags

    def _head(self, categories: tuple[Category, ...]) -> ImageHead:
        if categories is self.tags:
            return self._own
        examples = example_media(categories)
        # A file's name says nothing: the same example is fetched into another one each time.
        digests = tuple((index, hash_of(media.path)) for index, _, media in examples)
        bare = named_and_described(categories)

        def make() -> ImageHead:
            vectors = self._text.head(bare).weights
            return build_head(self.meanings.translate(vectors), look_at(examples, self._look))

        return self._heads.get((bare, digests), make)

    def weigh(self, sight: Sight, head: ImageHead, mode: Mode) -> tuple[Floats, float]:
        """Return a probability of each category, and that of none of them."""
        weight = head.weight
        by_tags = head.by_tags(sight.tags)
        by_examples = head.by_examples(sight.features)
        margins = (1 - weight) * (by_tags - head.baselines) + weight * by_examples
        none = none_probability(margins)
        if mode is Mode.MULTI:
            return independent(margins, weight=weight), none
        scores = (1 - weight) * by_tags + weight * by_examples
        nearness = float(head.meaning.nearness.mean())
        flat = flatness(sight.tags)
        return distribution(scores, nearness=nearness, flat=flat, weight=weight), none

    def _read(self, media: Media, shown: Picture) -> Reading | None:
        """Return what is written in a picture, if it is enough to ask."""
        picture = shown.frames[0]
        if not may_hold_text(picture):
            return None
        reader = self._loaded_reader()
        if not reader.glance(picture):
            return None
        if max(shown.width, shown.height) > max(picture.shape):
            # What is seen in a small copy takes a large one to be read.
            picture = self._decoder.image(media).frames[0]
        reading = reader.read(picture)
        return None if reading.letters < MIN_LETTERS else reading

    def _written(self, look: Look, task: Task) -> tuple[Writing | None, int]:
        """Return what the text engine makes of what is written in a picture, and its tokens."""
        reading = None if task.categories is None else look.reading()
        if task.categories is None or reading is None:
            return None, 0
        weighed = self._text.weigh(
            Task(
                reading.text,
                categories=in_words(task.categories),
                mode=task.mode,
                allow_none=task.allow_none,
            )
        )
        none = weighed.none or 0.0
        return Writing(reading, weighed.probabilities / (1 - none), none), weighed.tokens

    def _loaded_reader(self) -> Reader:
        if self._reader is None:
            with self._starting:
                if self._reader is None:
                    self._reader = Reader()
        return self._reader


def named_and_described(categories: tuple[Category, ...]) -> tuple[Category, ...]:
    """Return categories without their examples."""
    return tuple(Category(category.name, category.description) for category in categories)


def in_words(categories: tuple[Category, ...]) -> tuple[Category, ...]:
    """Return categories without the examples that are images; those in words stay."""
    return tuple(replace(category, media=()) for category in categories)
