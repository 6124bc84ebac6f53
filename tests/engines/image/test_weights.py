"""The network's weights: read without running them, and the same in 8 bits."""

import pickle
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

from app.engines.errors import ModelUnavailable
from app.engines.image.judge import ImageJudge
from app.engines.image.network import fitted
from app.engines.image.network_graph import build
from app.engines.image.prepared import FILE, PACKAGE, SHA256
from app.engines.image.torch_file import read_tensors
from app.engines.text.weights import packaged_file
from tests.engines.image.conftest import PICTURES

MAGIC = 0x1950A86A20F9469CFC6C


class Evil:
    """What a file from a stranger could hold."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> object:
        return Path.touch, (self._path,)


def test_a_file_that_calls_anything_is_refused_and_nothing_is_called(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    parts = (MAGIC, 1001, {}, {"weight": Evil(touched)}, [])
    (tmp_path / "evil.pth").write_bytes(b"".join(pickle.dumps(p, protocol=2) for p in parts))
    with pytest.raises(ModelUnavailable, match="no place among weights"):
        read_tensors(tmp_path / "evil.pth")
    assert not touched.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", pickle.dumps(5, protocol=2)])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.pth").write_bytes(content)
    with pytest.raises(ModelUnavailable, match="can't be read"):
        read_tensors(tmp_path / "other.pth")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    whole = packaged_file(PACKAGE, FILE, sha256=SHA256).read_bytes()
    (tmp_path / "short.pth").write_bytes(whole[:-100])
    with pytest.raises(ModelUnavailable, match="another length"):
        read_tensors(tmp_path / "short.pth")


def test_8_bits_see_what_32_bits_see(judge: ImageJudge) -> None:
    tensors = read_tensors(packaged_file(PACKAGE, FILE, sha256=SHA256))
    exact = ort.InferenceSession(build(tensors, quantised=False).SerializeToString())
    for file in sorted(PICTURES.glob("*.jpg")):
        with Image.open(file) as image:
            picture = np.asarray(image.convert("RGB"))
        pixels = fitted(picture).transpose(2, 0, 1)[None].astype(np.float32)
        (wanted,) = exact.run(["features"], {"x": pixels})
        found = judge.network.features(picture)
        cosine = wanted[0] @ found / np.linalg.norm(wanted[0]) / np.linalg.norm(found)
        assert cosine > 0.93
        tags = [judge.network.tags(features) for features in (wanted[0], found)]
        assert tags[0].argmax() == tags[1].argmax()
