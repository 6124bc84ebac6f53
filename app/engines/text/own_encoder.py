"""An encoder of the operator's own: a folder, or a hub's id, of ONNX with its tokenizer.

The folder holds `tokenizer.json` and `model.onnx` (or `onnx/model.onnx`), as sentence-transformers
and Optimum export them. A pooled output (`sentence_embedding`) is taken as it is, otherwise the
mean over the tokens of the first output.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from app.engines.errors import ModelUnavailable
from app.engines.text.encoder import Floats
from app.engines.text.onnx_session import open_session
from app.engines.text.unicode import encodable
from app.engines.text.weights import hash_of

_POOLED = "sentence_embedding"
# What most sentence encoders were trained to read, where the folder does not say.
_DEFAULT_POSITIONS = 256


class OwnEncoder:
    """Text to vectors by the operator's model. Safe to share between threads."""

    centred = True

    def __init__(self, location: str) -> None:
        folder = _folder_of(location)
        graph = _first(folder, "model.onnx", "onnx/model.onnx")
        tokenizer = _first(folder, "tokenizer.json")
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
            self._session = open_session(graph)
        except Exception as error:
            # Neither library has a base for what it raises of a bad file.
            raise ModelUnavailable(f"the text encoder {location} can't be read: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._inputs = {each.name for each in self._session.get_inputs()}
        outputs = [each.name for each in self._session.get_outputs()]
        self._output = _POOLED if _POOLED in outputs else outputs[0]
        self._positions = _positions_of(folder)
        self.name = folder.name
        self.fingerprint = f"own-{hash_of(graph)[:12]}"
        self.max_tokens = self._positions - 2
        self.dimensions = len(self._vector("dimensions"))

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 a text: (len(texts), dimensions)."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            vector = self._vector(text)
            vectors[row] = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return vectors

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters of `text` that each of its tokens covers, as (start, end)."""
        encoding = self._tokenizer.encode(encodable(text), add_special_tokens=False)
        spans: list[tuple[int, int]] = encoding.offsets
        return spans

    def _vector(self, text: str) -> Floats:
        ids = self._tokenizer.encode(encodable(text)).ids
        if len(ids) > self._positions:
            ids = [*ids[: self._positions - 1], ids[-1]]
        tokens = np.array([ids], np.int64)
        offered = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
        }
        inputs = {name: value for name, value in offered.items() if name in self._inputs}
        (output,) = self._session.run([self._output], inputs)
        pooled = output[0] if output.ndim == 2 else output[0].mean(axis=0)
        return np.asarray(pooled, np.float32)


def _folder_of(location: str) -> Path:
    folder = Path(location).expanduser()
    if folder.is_dir():
        return folder
    # Imported here: only an operator who names a hub's id needs it, and it takes a second.
    from huggingface_hub import snapshot_download  # noqa: PLC0415

    try:
        files = ["tokenizer.json", "*config.json", "model.onnx", "onnx/model.onnx"]
        return Path(snapshot_download(location, allow_patterns=files))
    except Exception as error:
        raise ModelUnavailable(
            f"the text encoder {location} is neither a folder nor on a hub that can be reached"
        ) from error


def _first(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ModelUnavailable(f"the text encoder's folder {folder} holds no {' or '.join(names)}")


def _positions_of(folder: Path) -> int:
    for name, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("config.json", "max_position_embeddings"),
    ):
        if (folder / name).is_file():
            value = json.loads((folder / name).read_text(encoding="utf-8")).get(key)
            if isinstance(value, int) and value > 2:
                return min(value, 512)
    return _DEFAULT_POSITIONS
