"""The generic labels made ready: vectors that depend on the encoders alone, kept between starts."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from app.engines.text.encoder import Floats
from app.engines.text.heads import Head, anchors_of, build_head, name_vectors
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


def load_generic(vectors: TextVectors, prepared_dir: Path) -> Generic:
    """Return the generic labels, whose vectors are made once: a pass for each text."""
    names = tuple(category.name for category in TAXONOMY)

    def build(target: Path) -> None:
        head = build_head(vectors, TAXONOMY)
        with target.open("wb") as file:
            np.savez(
                file,
                weights=head.weights,
                anchor_vectors=head.anchor_vectors,
                bank=name_vectors(vectors, names),
            )

    contents = f"{vectors.fingerprint}|{REVISION}|{TAXONOMY}"
    digest = sha256(contents.encode()).hexdigest()[:12]
    with np.load(prepared_file(prepared_dir, f"generic-{digest}.npz", build)) as stored:
        head = Head(
            weights=stored["weights"],
            anchors=anchors_of(TAXONOMY),
            anchor_vectors=stored["anchor_vectors"],
            described=1.0,
            exemplified=1.0,
        )
        return Generic(head, names, stored["bank"])
