"""The generic labels made ready: vectors that depend on the encoders alone, kept between starts."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from app.engines.text.encoder import Floats
from app.engines.text.heads import Head, assemble, name_vectors, weigh
from app.engines.text.taxonomy import TAXONOMY
from app.engines.text.vectors import TextVectors
from app.engines.text.weights import prepared_file

#: Grows whenever the same taxonomy would get other vectors.
REVISION = 1


@dataclass(frozen=True, slots=True)
class Generic:
    """The head of the taxonomy, and its names as rivals in `multi`: `bank` is (labels, d)."""

    head: Head
    names: tuple[str, ...]
    bank: Floats

    @property
    def strangers(self) -> Floats:
        """Texts of many kinds, none of them a caller's: the taxonomy's examples, (texts, d)."""
        return self.head.example_vectors


def load_generic(vectors: TextVectors, prepared_dir: Path) -> Generic:
    """Return the generic labels, whose vectors are made once: a pass for each text."""
    names = tuple(category.name for category in TAXONOMY)

    def build(target: Path) -> None:
        weights, anchor_vectors = weigh(vectors, TAXONOMY)
        with target.open("wb") as file:
            np.savez(
                file,
                weights=weights,
                anchor_vectors=anchor_vectors,
                bank=name_vectors(vectors, names),
            )

    contents = f"{vectors.fingerprint}|{REVISION}|{TAXONOMY}"
    digest = sha256(contents.encode()).hexdigest()[:12]
    with np.load(prepared_file(prepared_dir, f"generic-{digest}.npz", build)) as stored:
        anchor_vectors = stored["anchor_vectors"]
        head = assemble(
            TAXONOMY,
            stored["weights"],
            anchor_vectors,
            strangers=anchor_vectors[-sum(len(category.examples) for category in TAXONOMY) :],
        )
        return Generic(head, names, stored["bank"])
