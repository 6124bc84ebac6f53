"""How well the embedded model knows a text that belongs to none of the categories.

    python -m benchmarks.none_of_these --data DIR

Each folder in DIR is as `text_accuracy` takes it; a row whose label is null belongs to none of the
folder's categories. In each of several rounds a random part of a folder's categories is hidden, so
that their texts belong to none (*near*); texts of the other folders do so too (*far*). In every
round a third of the weight is on texts that belong to none, half of it near and half far.

Prints a row for each folder and kind, measured with constants that were fitted to the other folders
alone, and then the constants fitted to all. Those of `app/engines/text/calibration.py` come from
here: with `--encoder pair` those of `PAIR`, the means of `minilm` and `e5` those of `SINGLE`.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from app.engines.text.belonging import distances
from app.engines.text.calibration import PAIR, SINGLE, Calibration
from app.engines.text.e5 import E5Encoder
from app.engines.text.encoder import Encoder
from app.engines.text.generic import load_generic
from app.engines.text.heads import Head, build_head
from app.engines.text.minilm import MiniLmEncoder
from app.engines.text.vectors import TextVectors
from benchmarks.text_accuracy import KINDS, categories_of

ROUNDS = 5
HIDDEN = (0.2, 0.6)
FAR_PER_FOLDER = 80
BINS = 15
# The weight of texts that belong to a category, of near ones and of far ones.
MATCHING, NEAR, FAR = range(3)
SHARES = {MATCHING: 4 / 6, NEAR: 1 / 6, FAR: 1 / 6}


class Remembered:
    """Encoders that read each text once."""

    def __init__(self, vectors: TextVectors) -> None:
        self._vectors = vectors
        self._known: dict[str, np.ndarray] = {}

    def encode(self, texts: list[str]) -> np.ndarray:
        for text in texts:
            if text not in self._known:
                self._known[text] = self._vectors.encode([text])[0]
        found = [self._known[text] for text in texts]
        return np.stack(found) if found else np.zeros((0, self._vectors.dimensions), np.float32)


@dataclass(frozen=True)
class Folder:
    """A data set: `truths` are indices of `labels`, -1 for none."""

    name: str
    labels: list[dict]
    vectors: np.ndarray
    truths: np.ndarray


@dataclass(frozen=True)
class Measured:
    """Texts of all rounds: distances (texts, 3), and what happens without none."""

    distances: np.ndarray
    group: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray
    weight: np.ndarray


def main() -> None:
    """Measure, and fit, all kinds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", choices=("pair", "minilm", "e5"), default="pair")
    parser.add_argument("--prepared", type=Path, help="where models are kept between runs")
    arguments = parser.parse_args()
    with TemporaryDirectory() as scratch:
        prepared = arguments.prepared or Path(scratch)
        encoders: list[Encoder] = []
        if arguments.encoder != "e5":
            encoders.append(MiniLmEncoder(prepared))
        if arguments.encoder != "minilm":
            encoders.append(E5Encoder(prepared))
        vectors = TextVectors(encoders, prepared)
        strangers = load_generic(vectors, prepared).strangers
        known = Remembered(vectors)
        paths = sorted(path.parent for path in arguments.data.glob("*/test.jsonl"))
        folders = [read(path, known) for path in paths]
        calibration = PAIR if len(encoders) > 1 else SINGLE
        study(folders, known, strangers, calibration)


def read(path: Path, known: Remembered) -> Folder:
    """Read a folder and encode its texts."""
    labels = json.loads((path / "labels.json").read_text())
    lines = (path / "test.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines if line.strip()]
    index_of = {label["id"]: index for index, label in enumerate(labels)}
    return Folder(
        path.name,
        labels,
        known.encode([record["text"] for record in records]),
        np.array([index_of.get(record["label"], -1) for record in records]),
    )


def study(
    folders: list[Folder], known: Remembered, strangers: np.ndarray, calibration: Calibration
) -> None:
    """Print the table and the constants."""
    print(
        "| data set | known of them | AUROC near / far | none or not: right | false none "
        "| calibration error of p(none) | answers right, were none never said "
        "| calibration error of answers |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    fitted = {}
    for kind in KINDS:
        # Without two examples a category, there is but the distance from strangers.
        used = [1, 2] if kind == "examples" else [0]
        measured = {
            folder.name: measure(
                folder,
                folders,
                kind,
                known=known,
                strangers=strangers,
                calibration=calibration,
            )
            for folder in folders
        }
        rows = []
        for name, held_out in measured.items():
            others = [each for other, each in measured.items() if other != name]
            rows.append(figures(held_out, fit(others, used), used))
            print(line(name, kind, rows[-1]))
        print(line("mean", kind, np.mean(rows, axis=0)))
        fitted[kind] = (used, fit(list(measured.values()), used))
    for kind, (used, weights) in fitted.items():
        by_distance = dict(zip(used, weights[1:], strict=True))
        values = [weights[0], *(-by_distance.get(index, 0.0) for index in range(3))]
        print(f"\n{kind}: NoneConstants({', '.join(f'{value + 0.0:.2f}' for value in values)})")


def measure(
    folder: Folder,
    folders: list[Folder],
    kind: str,
    *,
    known: Remembered,
    strangers: np.ndarray,
    calibration: Calibration,
) -> Measured:
    """Judge a folder's texts, and others' beside them, with categories hidden."""
    random = np.random.default_rng(1)
    everything = categories_of(folder.labels, kind)
    others = [other.vectors for other in folders if other is not folder]
    rounds = []
    for _ in range(ROUNDS):
        count = len(everything)
        hidden = min(max(1, round(random.uniform(*HIDDEN) * count)), count - 1)
        kept = np.sort(random.permutation(count)[hidden:])
        head = build_head(known, [everything[index] for index in kept], strangers)
        far = [
            random.choice(each, min(FAR_PER_FOLDER, len(each)), replace=False) for each in others
        ]
        rounds.append(judge(folder, np.concatenate(far), kept, head=head, calibration=calibration))
    far_by_level, group, confidence, correct = map(np.concatenate, zip(*rounds, strict=True))
    weight = np.zeros(len(group))
    for which, share in SHARES.items():
        weight[group == which] = share / (group == which).sum()
    return Measured(far_by_level, group, confidence, correct, weight)


def judge(
    folder: Folder, far: np.ndarray, kept: np.ndarray, *, head: Head, calibration: Calibration
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the first four members of `Measured` for one round."""
    texts = np.concatenate([folder.vectors, far])
    truths = np.concatenate([folder.truths, np.full(len(far), -1)])
    group = np.where(np.isin(truths, kept), MATCHING, NEAR)
    group[len(folder.vectors) :] = FAR
    scores = texts @ head.weights.T
    nearest = (texts @ head.example_vectors.T).max(axis=1, initial=-1)
    levels = [
        distances(head.levels, best=float(top), nearest=float(near))
        for top, near in zip(scores.max(axis=1), nearest, strict=True)
    ]
    constants = calibration.for_shares(described=head.described, examples=head.exemplified)
    shifted = (scores - scores.max(axis=1, keepdims=True)) / constants.temperature
    return (
        np.array([[each.strangers, each.typical, each.nearest] for each in levels]),
        group,
        1 / np.exp(shifted).sum(axis=1),
        kept[scores.argmax(axis=1)] == truths,
    )


def fit(parts: list[Measured], used: list[int]) -> np.ndarray:
    """Return offset and weights of a logistic regression that weighs every part alike."""
    x = np.concatenate([part.distances[:, used] for part in parts])
    x = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    y = np.concatenate([part.group != MATCHING for part in parts])
    weight = np.concatenate([part.weight for part in parts]) / len(parts)
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ beta))
        step = np.linalg.solve(
            (x * (weight * p * (1 - p))[:, None]).T @ x, x.T @ (weight * (p - y))
        )
        beta -= step
        if np.abs(step).max() < 1e-9:
            break
    return beta


def figures(part: Measured, beta: np.ndarray, used: list[int]) -> list[float]:
    """Return the columns of the table."""
    none = 1 / (1 + np.exp(-(beta[0] + part.distances[:, used] @ beta[1:])))
    belongs = part.group == MATCHING
    category = (1 - none) * part.confidence
    answered = none > category
    right = np.where(answered, ~belongs, part.correct)
    return [
        auroc(none[part.group == NEAR], none[belongs]),
        auroc(none[part.group == FAR], none[belongs]),
        float((part.weight * ((none > 0.5) != belongs)).sum()),
        float(answered[belongs].mean()),
        calibration_error(none, ~belongs, part.weight),
        float((part.weight * right).sum()),
        float((part.weight * part.correct).sum()),
        calibration_error(np.where(answered, none, category), right, part.weight),
    ]


def auroc(higher: np.ndarray, lower: np.ndarray) -> float:
    """Return how often one of `higher` is above one of `lower`."""
    lower = np.sort(lower)
    below = np.searchsorted(lower, higher, "left") + np.searchsorted(lower, higher, "right")
    return float(below.mean() / (2 * len(lower)))


def calibration_error(p: np.ndarray, happened: np.ndarray, weight: np.ndarray) -> float:
    """Return the expected calibration error over equal bins."""
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=weight * (p - happened), minlength=BINS)
    return float(np.abs(gaps).sum() / weight.sum())


def line(name: str, kind: str, row: list[float]) -> str:
    """Return a row of the table."""
    near, far, decided, false, none_error, right, without, error = row
    return (
        f"| {name} | {kind} | {near:.2f} / {far:.2f} | {decided:.1%} | {false:.1%} "
        f"| {none_error:.1%} | {right:.1%}, {without:.1%} | {error:.1%} |"
    )


if __name__ == "__main__":
    main()
