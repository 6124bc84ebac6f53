"""multilingual-e5-small as an ONNX graph of 8-bit integer products.

Input `x`: (1, tokens, 384), what the first layer normalisation reads. Output `mean`: (1, 384),
the mean over the tokens of the last layer, not normalised. The weights were 4 bits in blocks of
32 and become 8 bits with a step size a row; activations become 8 bits with a step size a tensor,
chosen as the graph runs. Two devices keep that last step size small:

- *Moving*: where a channel is wide and its weights are small, the channel is divided and the
  weights are multiplied by the same power of two (SmoothQuant, arXiv 2211.10438).
- *Splitting*: a channel of the inner layer that reaches beyond `_SPLIT_AT` is computed several
  times over, and each copy carries its share (outlier channel splitting, arXiv 1901.09504).

Without VNNI, x86 adds the products of two neighbouring inputs in 16 bits, and what does not fit is
cut off. So the step size of a row is such that no two neighbours can overflow, and no machine
loses what another keeps.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from app.engines.text.e5_file import EPSILON, HEADS, HIDDEN, LAYERS, E5File, Layer, Norm
from app.engines.text.e5_ranges import SAMPLES, Ranges, normalised, through
from app.engines.text.e5_tokens import E5Tokenizer
from app.engines.text.encoder import Floats

# With rounding a pair comes to 128, and 255 · 128 still fits 16 bits.
_PAIR_STEPS = 127
_SPLIT_AT = 5.0  # most channels of the inner layer stay within 1.5
# Between 0.6 and 0.8 the result hardly moves; at 0.5 wide channels remain, at 1 weights suffer.
_MOVED_SHARE = 0.6
_ONNX_OPSET = 18
_IR_VERSION = 10
_CONTRIB = "com.microsoft"


class E5Graph:
    """Collects the nodes and the weights, one layer at a time."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []

    def norm(self, x: str, norm: Norm, out: str) -> str:
        """Layer normalisation."""
        weight = self._constant(out + ".weight", norm.weight)
        bias = self._constant(out + ".bias", norm.bias)
        return self._node("LayerNormalization", [x, weight, bias], out, axis=-1, epsilon=EPSILON)

    def layer(self, x: str, layer: Layer, ranges: Ranges, name: str) -> str:
        """One transformer layer."""
        moved = _moved(ranges.attend, layer.attend.weight)
        product = self._product(x, layer.attend.weight, layer.attend.bias, name + "attend", moved)
        attended = self._attention(product, name)
        merged = self._product(attended, layer.merge.weight, layer.merge.bias, name + "merge")
        sum_ = self._node("Add", [x, merged], name + "merge.sum")
        y = self.norm(sum_, layer.merge_norm, name + "merge.norm")

        copies = _copies(ranges.narrow)
        chosen = np.repeat(np.arange(len(copies)), copies)
        moved = _moved(ranges.widen, layer.widen.weight)
        wide, wide_bias = layer.widen.weight[chosen], layer.widen.bias[chosen]
        inner = self._product(y, wide, wide_bias, name + "widen", moved)
        inner = self._node("Gelu", [inner], name + "gelu", _CONTRIB)
        if len(chosen) > len(copies):
            share = 1 / copies[chosen].astype(np.float32)
            share_name = self._constant(name + "share", share)
            inner = self._node("Mul", [inner, share_name], name + "shared")
        narrow = layer.narrow.weight[:, chosen]
        out = self._product(inner, narrow, layer.narrow.bias, name + "narrow")
        sum_ = self._node("Add", [y, out], name + "narrow.sum")
        return self.norm(sum_, layer.narrow_norm, name + "narrow.norm")

    def model(self, x: str) -> ModelProto:
        """The graph that ends with the mean of `x` over the tokens."""
        axes = self._constant("tokens", np.array([1], np.int64))
        self._node("ReduceMean", [x, axes], "mean", keepdims=0)
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "tokens", HIDDEN])
        answer = helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, HIDDEN])
        graph = helper.make_graph(self._nodes, "e5", [given], [answer], self._weights)
        opsets = [helper.make_opsetid("", _ONNX_OPSET), helper.make_opsetid(_CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)

    def _attention(self, product: str, name: str) -> str:
        sizes = self._constant(name + "sizes", np.array([HIDDEN] * 3, np.int64))
        parts = [name + part for part in ("query", "key", "value")]
        self._nodes.append(helper.make_node("Split", [product, sizes], parts, axis=-1))
        return self._node("MultiHeadAttention", parts, name + "heads", _CONTRIB, num_heads=HEADS)

    def _product(
        self, x: str, weight: Floats, bias: Floats, name: str, moved: Floats | None = None
    ) -> str:
        """x · weightᵀ + bias in integers, after moving `moved` from `x` to the weights."""
        if moved is not None:
            weight = weight * moved
            x = self._node("Mul", [x, self._constant(name + ".by", 1 / moved)], name + ".moved")
        steps = _steps(weight)
        inputs = [
            x,
            self._constant(name + ".weight", np.rint(weight / steps[:, None]).astype(np.int8).T),
            self._constant(name + ".steps", steps),
            "",  # the weights' zero point: they are symmetric
            self._constant(name + ".bias", bias),
        ]
        return self._node("DynamicQuantizeMatMul", inputs, name, _CONTRIB)

    def _node(
        self, kind: str, inputs: list[str], out: str, domain: str = "", **settings: Any
    ) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [out], domain=domain, **settings))
        return out

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name


def build(file: E5File, tokenizer: E5Tokenizer) -> ModelProto:
    """Build the graph from the weight file: about two seconds, and 100 MB while it lasts."""
    norm = file.first_norm
    states = []
    for sample in SAMPLES:
        tokens = tokenizer.tokens("query: " + sample, 100)
        states.append(normalised(file.embed([file.begin, *tokens, file.end]), norm))
    graph = E5Graph()
    x = graph.norm("x", norm, "embedded")
    for index in range(LAYERS):
        layer = file.layer(index)
        states, ranges = through(layer, states)
        x = graph.layer(x, layer, ranges, f"{index}.")
    return graph.model(x)


def _copies(reach: Floats) -> NDArray[np.int64]:
    """Return how many times to compute each channel of the inner layer, even in sum."""
    copies = np.asarray(np.ceil(np.maximum(reach / _SPLIT_AT, 1)), np.int64)
    copies[np.argmax(reach)] += copies.sum() % 2
    return copies


def _moved(reach: Floats, weight: Floats) -> Floats:
    """Return by how much to divide each channel: powers of two around 1, shape (in,)."""
    # The floors keep a channel that is all zero from dividing by nothing.
    wide = np.maximum(reach, 1e-3) ** _MOVED_SHARE
    small = np.maximum(np.abs(weight).max(axis=0), 1e-4) ** (1 - _MOVED_SHARE)
    exponents = np.log2(wide / small)
    return np.asarray(np.exp2(np.rint(exponents - exponents.mean())), np.float32)


def _steps(weight: Floats) -> Floats:
    """Return the step size of each row: (out,)."""
    # Inputs are multiplied and added in twos: (0, 1), (2, 3), … Their number is even.
    pairs = weight.reshape(len(weight), -1, 2)
    rising = np.maximum(pairs, 0).sum(axis=2).max(axis=1)
    falling = np.maximum(-pairs, 0).sum(axis=2).max(axis=1)
    return np.asarray(np.maximum(rising, falling) / _PAIR_STEPS, np.float32)
