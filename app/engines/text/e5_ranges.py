"""How far each channel of multilingual-e5-small's activations swings.

The model gives its first token, `<s>`, a few channels up to 50 times the size of all others. One
step size for a whole tensor would then leave everything else two or three bits, so the graph
needs to know which channels those are. A float32 pass over a handful of texts tells: the channels
depend on the weights, hardly on the text.
"""

from dataclasses import dataclass

import numpy as np

from app.engines.text.e5_file import EPSILON, HEADS, HIDDEN, Layer, Linear, Norm
from app.engines.text.encoder import Floats

#: Ordinary sentences of several kinds, lengths and scripts.
SAMPLES = (
    "How do I change the address on my account?",
    "Prime minister meets trade unions as talks over rail strike enter a third week",
    "a warm, funny film that never quite decides what it wants to be",
    "The patient was given 20 mg twice a day and reported no side effects after two weeks.",
    "turn the lights off in the kitchen at 10 pm please",
    "Ich habe mein Passwort vergessen und komme nicht mehr hinein.",
    "Le match a été reporté en raison de la pluie, selon l'organisateur.",
    "今天的股市因为科技公司的业绩而上涨。",
    "أين يمكنني شراء تذاكر القطار؟",
    "Worst purchase ever!!! It broke after 2 days, and support (https://example.com) ignores me :(",
)


@dataclass(frozen=True, slots=True)
class Ranges:
    """The greatest magnitude of each channel at the inputs of three of a layer's products."""

    attend: Floats  # (384,)
    widen: Floats  # (384,)
    narrow: Floats  # (1536,)


def normalised(x: Floats, norm: Norm) -> Floats:
    """Layer normalisation of each row of `x`."""
    centred = x - x.mean(axis=1, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + EPSILON)
    return np.asarray(centred / deviation * norm.weight + norm.bias, np.float32)


def through(layer: Layer, texts: list[Floats]) -> tuple[list[Floats], Ranges]:
    """Run one layer over the hidden states of several texts, each (tokens, 384)."""
    attended = [
        normalised(
            x + _product(_attention(_product(x, layer.attend)), layer.merge), layer.merge_norm
        )
        for x in texts
    ]
    widened = [_gelu(_product(y, layer.widen)) for y in attended]
    after = [
        normalised(y + _product(wide, layer.narrow), layer.narrow_norm)
        for y, wide in zip(attended, widened, strict=True)
    ]
    return after, Ranges(_reach(texts), _reach(attended), _reach(widened))


def _product(x: Floats, linear: Linear) -> Floats:
    return np.asarray(x @ linear.weight.T + linear.bias, np.float32)


def _attention(projected: Floats) -> Floats:
    tokens = len(projected)
    # (tokens, 1152) to (3, heads, tokens, 32)
    query, key, value = projected.reshape(tokens, 3, HEADS, -1).transpose(1, 2, 0, 3)
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.float32(HIDDEN // HEADS))
    weights = np.exp(scores - scores.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    return np.asarray((weights @ value).transpose(1, 0, 2).reshape(tokens, HIDDEN), np.float32)


def _gelu(x: Floats) -> Floats:
    # The tanh form, within 0.001 of the exact one: these values only decide on step sizes.
    inner = np.sqrt(2 / np.pi).astype(np.float32) * (x + np.float32(0.044715) * x**3)
    return np.asarray(0.5 * x * (1 + np.tanh(inner)), np.float32)


def _reach(tensors: list[Floats]) -> Floats:
    return np.asarray(np.max([np.abs(x).max(axis=0) for x in tensors], axis=0), np.float32)
