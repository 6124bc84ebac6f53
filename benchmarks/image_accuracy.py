"""How good the embedded image model is, and how it came to be what it is.

    python -m benchmarks.image_accuracy --packages DIR [--prepared DIR]

DIR holds the packages that `picture_sources` names. Prints two tables in Markdown. The first holds
ways from the network's tags to categories against one another, on the tuning pictures; the second
is the judge as it ships, on the evaluation pictures, which had no say in any constant: categories
by name, described, and with three example pictures each, which are then not judged.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from app.engines.contract import Category, Media, Mode
from app.engines.image.heads import build_head, look_at
from app.engines.image.judge import SEEN, ImageJudge, Sight
from app.engines.image.shape import Floats
from app.engines.text.calibration import PAIR
from app.engines.text.e5 import E5Encoder
from app.engines.text.judge import TextJudge
from app.engines.text.minilm import MiniLmEncoder
from app.engines.text.vectors import TextVectors
from app.evaluation.report import Prediction, report
from app.media.decoder import Decoder
from benchmarks.picture_sources import PictureSet, load_sets

SHOTS = 3
ROUNDS = 5
# Larger sets have a picture or two a category.
MOST_SHOWN = 12
MIME = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg"}
# Ridge on 1,000 vectors of 768 dimensions: from 0.1 to 3 it was best at 0.3.
RIDGE = 0.3

Score = Callable[["Seen", Floats], Floats]


@dataclass(frozen=True)
class Seen:
    """A set with what the network sees in its pictures; `truth` (pictures,) are categories."""

    pictures: PictureSet
    sights: tuple[Sight, ...]
    truth: np.ndarray

    @property
    def tags(self) -> Floats:
        """The tags of each picture: (pictures, 1000)."""
        return np.stack([sight.tags for sight in self.sights])

    @property
    def features(self) -> Floats:
        """The features of each picture: (pictures, 1280)."""
        return np.stack([sight.features for sight in self.sights])


class Study:
    """The judge, taken apart."""

    def __init__(self, prepared: Path, decoder: Decoder) -> None:
        pair = [MiniLmEncoder(prepared), E5Encoder(prepared)]
        self.text = TextJudge(TextVectors(pair, prepared), PAIR, prepared)
        self.judge = ImageJudge(self.text, decoder, prepared)
        self.names = self.text.vectors.encode([tag.name for tag in self.judge.tags])
        self._decoder = decoder

    def see(self, pictures: PictureSet) -> Seen:
        """Look at all pictures of a set."""
        files = [(c, file) for c, own in enumerate(pictures.pictures) for file in own]
        sights = tuple(
            self.judge.see(self._decoder.image(Media(file, MIME[file.suffix]), SEEN).frames)
            for _, file in files
        )
        return Seen(pictures, sights, np.array([category for category, _ in files]))

    def vectors(self, categories: tuple[Category, ...]) -> Floats:
        """Return the text engine's vectors of categories."""
        return self.text.head(categories).weights

    def plain(self, seen: Seen, vectors: Floats) -> Floats:
        """Tags weighted by the cosine of their names and the category."""
        return seen.tags @ (vectors @ self.names.T).T

    def standardised(self, seen: Seen, vectors: Floats) -> Floats:
        """The same with each category's cosines brought to mean 0 and deviation 1."""
        cosines = vectors @ self.names.T
        cosines -= cosines.mean(axis=1, keepdims=True)
        return seen.tags @ (cosines / cosines.std(axis=1, keepdims=True)).T

    def mapped(self, seen: Seen, vectors: Floats) -> Floats:
        """A linear map from names' vectors to the weights of the network's last layer."""
        weights = self.judge.network.weight
        x, y = self.names - self.names.mean(axis=0), weights - weights.mean(axis=0)
        to = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)
        made = (vectors - self.names.mean(axis=0)) @ to
        return seen.features @ (made / np.linalg.norm(made, axis=1, keepdims=True)).T

    def tree(self, seen: Seen, vectors: Floats) -> Floats:
        """What ships: names matched to tags and the groups above them."""
        return np.log(seen.tags @ self.judge.meanings.translate(vectors).shares.T + 1e-4)

    def both(self, seen: Seen, vectors: Floats) -> Floats:
        """The tree and the map, each brought to deviation 1."""
        a, b = self.tree(seen, vectors), self.mapped(seen, vectors)
        return (a - a.mean()) / a.std() + (b - b.mean()) / b.std() / 2


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, help="where models are kept between runs")
    arguments = parser.parse_args()
    decoder = Decoder(children=1)
    with TemporaryDirectory() as scratch:
        prepared = arguments.prepared or Path(scratch) / "prepared"
        try:
            study = Study(prepared, decoder)
            seen = [study.see(s) for s in load_sets(arguments.packages, Path(scratch))]
        finally:
            decoder.close()
    compare(study, [s for s in seen if s.pictures.split == "tuning"])
    measure(study, [s for s in seen if s.pictures.split == "evaluation"])


def compare(study: Study, sets: list[Seen]) -> None:
    """Print how often each way is right on the tuning pictures, by name."""
    ways: dict[str, Score] = {
        "cosine": study.plain,
        "cosine, standardised": study.standardised,
        "linear map to the last layer": study.mapped,
        "tree": study.tree,
        "tree and map": study.both,
    }
    heads = [f"{s.pictures.name.split(': ')[1]} ({len(s.truth)})" for s in sets]
    print("| way | " + " | ".join(heads) + " | mean |")
    print("| --- |" + " --- |" * (len(sets) + 1))
    for name, way in ways.items():
        right = [
            float((way(s, study.vectors(named(s))).argmax(axis=1) == s.truth).mean()) for s in sets
        ]
        cells = [f"{share:.0%}" for share in right]
        print(f"| {name} | " + " | ".join(cells) + f" | {np.mean(right):.1%} |")


def named(seen: Seen) -> tuple[Category, ...]:
    """Return the categories by name."""
    return tuple(Category(name) for name, _ in seen.pictures.categories)


def measure(study: Study, sets: list[Seen]) -> None:
    """Print a row for each evaluation set and what is known of its categories."""
    print(
        "\n| pictures | categories | known of them | judged | accuracy (95 %) | macro-F1 "
        "| calibration error |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for seen in sets:
        described = tuple(Category(*category) for category in seen.pictures.categories)
        everything = np.arange(len(seen.truth))
        show(seen, "names", everything, rows(study, seen, named(seen), everything, ()))
        if any(category.description for category in described):
            show(seen, "described", everything, rows(study, seen, described, everything, ()))
        if len(described) <= MOST_SHOWN:
            show_examples(study, seen, described)


def show_examples(study: Study, seen: Seen, categories: tuple[Category, ...]) -> None:
    """Print a row for rounds with random example pictures, as many as leave one to be judged."""
    generator = np.random.default_rng(0)
    answers, judged = [], []
    for _ in range(ROUNDS):
        shown: list[int] = []
        for category in range(len(categories)):
            own = generator.permutation(np.flatnonzero(seen.truth == category))
            shown += list(own[: min(SHOTS, len(own) - 1)])
        rest = np.setdiff1d(np.arange(len(seen.truth)), shown)
        answers += rows(study, seen, categories, rest, tuple(shown))
        judged += list(rest)
    show(seen, f"{SHOTS} pictures", np.array(judged), answers)


def rows(
    study: Study,
    seen: Seen,
    categories: tuple[Category, ...],
    which: np.ndarray,
    shown: tuple[int, ...],
) -> list[tuple[str, float]]:
    """Return (label, confidence) of the pictures `which`, with those `shown` as examples."""
    meaning = study.judge.meanings.translate(study.vectors(categories))
    sights = iter(seen.sights[index] for index in shown)

    def next_one(_: Media) -> tuple[Floats, Floats]:
        sight = next(sights)
        return sight.features, sight.tags

    found = [(int(seen.truth[index]), 0, Media(Path(), "")) for index in shown]
    head = build_head(meaning, look_at(found, next_one))
    answers = []
    for index in which:
        probabilities, _ = study.judge.weigh(seen.sights[index], head, Mode.SINGLE)
        best = int(probabilities.argmax())
        answers.append((categories[best].name, float(probabilities[best])))
    return answers


def show(seen: Seen, known: str, which: np.ndarray, answers: list[tuple[str, float]]) -> None:
    """Print one row."""
    names = [name for name, _ in seen.pictures.categories]
    measured = report(
        [
            Prediction(names[seen.truth[i]], label, confidence)
            for i, (label, confidence) in zip(which, answers, strict=True)
        ]
    )
    print(
        f"| {seen.pictures.name} | {len(names)} | {known} | {len(which)} "
        f"| {measured.accuracy:.0%} ({measured.low:.0%} to {measured.high:.0%}) "
        f"| {measured.macro_f1:.2f} | {measured.calibration_error:.0%} |"
    )


if __name__ == "__main__":
    main()
