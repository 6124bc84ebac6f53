"""What is prepared of the judge of images at a start, and what comes prepared."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np

from app.engines.contract import InputType
from app.engines.embedded import EmbeddedEngine
from app.engines.image.tree import Tree
from app.engines.judges import Judges
from app.engines.text.encoder import Floats
from app.engines.text.heads import anchors_of
from app.engines.text.taxonomy import TAXONOMY
from app.engines.text.vectors import _generic_texts
from app.engines.text.weights import SHIPPED
from tests.conftest import ROOT

# Of many, for time's sake: a pass of the encoders takes 10 ms.
EVERY = 40
# How many of a vector's numbers are MiniLM's. Its integer products are cut off at 16 bits on
# processors without VNNI: between such a one and another a cosine of 0.977 at the least was seen.
MINILM = 384


def test_a_start_prepares_images_and_loads_nothing_of_them(
    prepared_models: Path, tmp_path: Path
) -> None:
    for file in (*prepared_models.glob("e5-*.onnx*"), *prepared_models.glob("minilm-*")):
        (tmp_path / file.name).symlink_to(file)
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from app.engines.embedded import EmbeddedEngine
        EmbeddedEngine(Path({str(tmp_path)!r})).load()
        print({{"cv2", "PIL", "rapidocr"}} & set(sys.modules))
    """)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "set()\n"
    there = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert any(name.startswith("efficientnet") for name in there)
    assert not any(name.startswith(("tree", "generic")) or "mean" in name for name in there)
    judges = Judges(tmp_path)
    judges.of(InputType.IMAGE)
    judges.close()
    assert there == {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}


def test_what_is_shipped_is_what_the_encoders_make(engine: EmbeddedEngine) -> None:
    vectors = engine._judges.text().vectors
    e5 = vectors._encoders[1]
    (mean,), (generic,), (tree,) = (
        [np.load(file) for file in SHIPPED.glob(pattern)]
        for pattern in (f"{e5.fingerprint}-mean.npy", "generic-*.npz", "tree-*.npy")
    )
    assert np.abs(e5.encode(_generic_texts()).mean(axis=0) - mean).max() < 1e-4
    anchors = [anchor.text for anchor in anchors_of(TAXONOMY)][::EVERY]
    for texts, shipped in (
        (anchors, generic["anchor_vectors"][::EVERY]),
        (Tree().names[::EVERY], tree[::EVERY].astype(np.float32)),
    ):
        made = vectors.encode(texts)
        assert np.abs(made - shipped)[:, MINILM:].max() < 1e-3
        assert cosines(made[:, :MINILM], shipped[:, :MINILM]).min() > 0.96


def cosines(one: Floats, other: Floats) -> Floats:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(axis=1) / lengths
