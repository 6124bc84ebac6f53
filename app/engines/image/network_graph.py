"""EfficientNet-Lite2 as an ONNX graph of 8-bit integer products: a picture to features.

    x            (1, 3, 260, 260), red, green and blue from 0 to 255
    features     (1, 1280), the average over the picture

The weights were 32 bits and become 8 with a step size a channel, activations 8 bits with a fixed
step size a tensor. The network was made for that: what its ReLU6 lets through is from 0 to 6, which
is then the range of the 8 bits, and nothing is left to do for the ReLU6 itself. The other tensors
have the ranges of `LINEAR`. Every convolution takes its batch normalisation into its weights, and
the first one the scaling of pixels, (x − 127) / 128. The last layer is left out: it is one product,
and more than tags is made of the features.

Architecture: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from app.engines.image.ranges import LINEAR
from app.engines.image.shape import FEATURES, SIDE, Floats

Weights = Mapping[str, Floats]

_REPEATS = (1, 3, 3, 4, 4, 5, 1)
_STRIDES = (1, 2, 2, 2, 1, 2, 1)
_EPSILON = 1e-3  # of the batch normalisations
_MEAN, _SCALE = 127, 128
_TOP = 6.0
_LEVELS = 255
# Without VNNI, x86 adds the products of two neighbouring inputs in 16 bits: with 7 bits they fit.
_WEIGHT_LEVELS = 63
_OPSET, _IR_VERSION = 17, 8


def build(weights: Weights, *, quantised: bool = True) -> ModelProto:
    """Return the graph of the weights in a state dictionary.

    Without `quantised`, for measuring, it computes in 32 bits and has the tensors that `LINEAR`
    has ranges of as further outputs.
    """
    graph = _Graph(weights, quantised=quantised)
    x = graph.stem("x")
    side = _halved(SIDE)
    number = count()
    for repeats, stage_stride in zip(_REPEATS, _STRIDES, strict=True):
        for at in range(repeats):
            stride = 1 if at else stage_stride
            y = graph.block(x, f"_blocks.{next(number)}", side, stride)
            x = graph.sum(x, y) if at else y
            side = -(-side // stride)
    x = graph.convolve(x, "_conv_head", "_bn1", side)
    return graph.model(x)


def _halved(side: int) -> int:
    return -(-side // 2)


class _Graph:
    """Collects the nodes and the constants."""

    def __init__(self, weights: Weights, *, quantised: bool) -> None:
        self._weights = weights
        self._quantised = quantised
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._linear: list[str] = []

    def stem(self, x: str) -> str:
        """Add the first convolution, whose padding is of the colour that becomes 0."""
        kernel, bias = self._folded("_conv_stem", "_bn0")
        bias = bias - kernel.sum(axis=(1, 2, 3)) * np.float32(_MEAN / _SCALE)
        kernel = kernel / np.float32(_SCALE)
        before, after = _padding(SIDE, 3, 2)
        edges = np.array([0, 0, before, before, 0, 0, after, after], np.int64)
        # Pixels are whole numbers up to 255: their 8 bits are exact.
        x = self._rounded(x, 0.0, float(_LEVELS))
        mean = self._constant(np.array(_MEAN, np.float32))
        x = self._rounded(self._node("Pad", [x, self._constant(edges), mean]), 0.0, float(_LEVELS))
        return self._limited(self._convolved(x, kernel, bias, stride=2, pads=(0, 0)))

    def block(self, x: str, name: str, side: int, stride: int) -> str:
        """Add an inverted residual block, without its sum."""
        if f"{name}._expand_conv.weight" in self._weights:
            x = self.convolve(x, f"{name}._expand_conv", f"{name}._bn0", side)
        x = self.convolve(x, f"{name}._depthwise_conv", f"{name}._bn1", side, stride=stride)
        kernel, bias = self._folded(f"{name}._project_conv", f"{name}._bn2")
        return self._kept(self._convolved(x, kernel, bias, stride=1, pads=(0, 0)))

    def convolve(
        self, x: str, convolution: str, normalisation: str, side: int, *, stride: int = 1
    ) -> str:
        """Add a convolution padded as TensorFlow does, and its ReLU6."""
        kernel, bias = self._folded(convolution, normalisation)
        pads = _padding(side, kernel.shape[-1], stride)
        return self._limited(self._convolved(x, kernel, bias, stride=stride, pads=pads))

    def sum(self, x: str, y: str) -> str:
        """Add a block's input to its output."""
        return self._kept(self._node("Add", [x, y]))

    def model(self, x: str) -> ModelProto:
        """Return the graph that ends with the average of `x` over the picture."""
        average = self._node("GlobalAveragePool", [x])
        self._nodes.append(helper.make_node("Flatten", [average], ["features"]))
        outputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, FEATURES])]
        if not self._quantised:
            outputs += [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                for name in self._linear
            ]
        picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
        graph = helper.make_graph(self._nodes, "network", [picture], outputs, self._constants)
        opset = helper.make_opsetid("", _OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)

    def _folded(self, convolution: str, normalisation: str) -> tuple[Floats, Floats]:
        """Return a convolution's kernel and bias with the batch normalisation in them."""
        part = {
            name: self._weights[f"{normalisation}.{name}"]
            for name in ("weight", "bias", "running_mean", "running_var")
        }
        scale = part["weight"] / np.sqrt(part["running_var"] + np.float32(_EPSILON))
        kernel = self._weights[f"{convolution}.weight"] * scale[:, None, None, None]
        return kernel, part["bias"] - part["running_mean"] * scale

    def _convolved(
        self, x: str, kernel: Floats, bias: Floats, *, stride: int, pads: tuple[int, int]
    ) -> str:
        size = kernel.shape[-1]
        before, after = pads
        return self._node(
            "Conv",
            [x, self._small(kernel), self._constant(bias)],
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[before, before, after, after],
            # A kernel over one channel is a depthwise convolution's.
            group=1 if kernel.shape[1] > 1 else kernel.shape[0],
        )

    def _small(self, kernel: Floats) -> str:
        """Return a kernel in 8 bits, with a step size a channel."""
        if not self._quantised:
            return self._constant(kernel)
        steps = np.abs(kernel).max(axis=(1, 2, 3)) / np.float32(_WEIGHT_LEVELS)
        steps = np.maximum(steps, np.float32(1e-12))
        whole = np.rint(kernel / steps[:, None, None, None]).astype(np.int8)
        zeros = self._constant(np.zeros(len(steps), np.int8))
        inputs = [self._constant(whole), self._constant(steps), zeros]
        return self._node("DequantizeLinear", inputs, axis=0)

    def _limited(self, x: str) -> str:
        if self._quantised:
            return self._rounded(x, 0.0, _TOP)
        low, high = (self._constant(np.array(end, np.float32)) for end in (0, _TOP))
        return self._node("Clip", [x, low, high])

    def _kept(self, x: str) -> str:
        """Round a tensor that no ReLU6 limits."""
        self._linear.append(x)
        if not self._quantised:
            return x
        low, high = LINEAR[len(self._linear) - 1]
        return self._rounded(x, low, high)

    def _rounded(self, x: str, low: float, high: float) -> str:
        """Round to 8 bits between `low` and `high`; what lies beyond is cut off."""
        if not self._quantised:
            return x
        step = (high - low) / _LEVELS
        inputs = [
            self._constant(np.array(step, np.float32)),
            self._constant(np.array(round(-low / step), np.uint8)),
        ]
        return self._node("DequantizeLinear", [self._node("QuantizeLinear", [x, *inputs]), *inputs])

    def _constant(self, value: NDArray[Any]) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name


def _padding(side: int, size: int, stride: int) -> tuple[int, int]:
    total = max((-(-side // stride) - 1) * stride + size - side, 0)
    return total // 2, total - total // 2
