"""The embedded engine: right on the obvious, repeatable, calm about odd input."""

import asyncio
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engines.contract import (
    Category,
    ConfidenceSource,
    InputType,
    Mode,
    Outcome,
    Task,
    Truncated,
)
from app.engines.embedded import EmbeddedEngine
from app.engines.errors import ModelUnavailable, UnsupportedInput
from app.engines.text import weights
from app.engines.text.encoder import Floats
from app.engines.text.minilm import FILE, PACKAGE, SHA256, VOCABULARY
from app.engines.text.vectors import TextVectors
from app.engines.text.windows import MAX_WINDOWS, WINDOW, read
from tests.conftest import ROOT


def named(*names: str) -> tuple[Category, ...]:
    return tuple(Category(name) for name in names)


async def best(engine: EmbeddedEngine, text: str, categories: tuple[Category, ...] | None) -> str:
    return (await engine.classify(Task(text, categories=categories))).labels[0].label


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("The striker scored twice in the final.", ("sports", "finance", "cooking"), "sports"),
        ("Simmer the onions in butter.", ("sports", "finance", "cooking"), "cooking"),
        ("Shares fell after the earnings call.", ("sports", "finance", "cooking"), "finance"),
        ("I loved every minute of this film!", ("positive", "negative"), "positive"),
        ("A dull, lifeless waste of two hours.", ("positive", "negative"), "negative"),
        ("Der Torwart hielt den Elfmeter.", ("sport", "politics"), "sport"),
        ("turn off the lights in the kitchen", ("smart home", "music", "alarm"), "smart home"),
    ],
)  # fmt: skip
async def test_the_obvious_is_right(
    engine: EmbeddedEngine, text: str, names: tuple[str, ...], expected: str
) -> None:
    assert await best(engine, text, named(*names)) == expected


async def test_examples_teach_what_names_do_not_say(engine: EmbeddedEngine) -> None:
    taught = (
        Category("alpha", examples=("where is my parcel", "the delivery is late")),
        Category("beta", examples=("I forgot my password", "can't log in")),
        Category("gamma"),
    )
    assert await best(engine, "when will my package arrive?", taught) == "alpha"
    assert await best(engine, "reset my login please", taught) == "beta"


async def test_an_answer_is_the_same_alone_in_a_batch_and_in_another_process(
    engine: EmbeddedEngine, prepared_models: Path
) -> None:
    categories = named("billing", "technical", "account")
    texts = ["I was charged twice", "a " * 300, "The app crashes", "🙂", "reset my password"]
    tasks = [Task(text, categories=categories, mode=Mode.TOP_N, explain=True) for text in texts]
    alone = [await engine.classify(task) for task in tasks]
    assert await engine.classify_many(tasks) == alone
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "from app.engines.contract import Category, Mode, Task\n"
        "from app.engines.embedded import EmbeddedEngine\n"
        f"engine = EmbeddedEngine(Path({str(prepared_models)!r}))\n"
        "categories = tuple(map(Category, ('billing', 'technical', 'account')))\n"
        "task = Task('I was charged twice', categories=categories, mode=Mode.TOP_N, explain=True)\n"
        "print(asyncio.run(engine.classify(task)))\n"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(alone[0])


async def test_many_at_once_answer_each_their_own(engine: EmbeddedEngine) -> None:
    cases = [("the goalkeeper saved it", "sports"), ("bake for an hour", "cooking")] * 20
    categories = named("sports", "cooking")
    labels = await asyncio.gather(*(best(engine, text, categories) for text, _ in cases))
    assert labels == [expected for _, expected in cases]


async def test_a_text_that_tasks_share_is_encoded_once(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "The refund is late. The app is slow."
    sets = [named("billing", "technical"), named("angry", "calm"), named("refund", "speed")]
    tasks = [Task(text, categories=categories, explain=True) for categories in sets]
    alone = [await engine.classify(task) for task in tasks]
    encoded: Counter[str] = Counter()
    encode = TextVectors.encode

    def counting(vectors: TextVectors, texts: Sequence[str]) -> Floats:
        encoded.update(texts)
        return encode(vectors, texts)

    monkeypatch.setattr(TextVectors, "encode", counting)
    assert await engine.classify_many(tasks) == alone
    assert encoded[text] == encoded["The refund is late."] == 1


async def test_the_source_and_the_model_are_said(engine: EmbeddedEngine) -> None:
    outcome = await engine.classify(Task("hello", categories=named("a", "b")))
    assert outcome.confidence_source is ConfidenceSource.CALIBRATED
    assert outcome.model == "embedded/minilm+e5"
    assert outcome.tokens == 1


async def test_an_explanation_tells_what_drove_the_answer(engine: EmbeddedEngine) -> None:
    categories = (
        Category("billing", "Payments and refunds", ("my refund is late", "charged twice")),
        Category("technical", "Bugs and errors", ("getting a 500 error", "login is broken")),
    )
    text = "Hello there. My refund has not arrived after two weeks. Have a nice day."
    outcome = await engine.classify(Task(text, categories=categories, explain=True))
    explanation = outcome.labels[0].explanation or ""
    assert "“my refund is late”" in explanation
    assert "“My refund has not arrived after two weeks.”" in explanation
    assert "“technical”" in explanation
    other = await engine.classify(Task("charged two times", categories=categories, explain=True))
    assert "“charged twice”" in (other.labels[0].explanation or "")


async def test_a_single_category_is_judged_on_its_own_in_multi(engine: EmbeddedEngine) -> None:
    def ask(text: str) -> Task:
        return Task(text, categories=(Category("sports", "Games, matches"),), mode=Mode.MULTI)

    about = (await engine.classify(ask("The striker scored twice in the final."))).labels[0]
    other = (await engine.classify(ask("Preheat the oven to 180 degrees."))).labels[0]
    assert about.confidence > 0.5 > other.confidence


async def test_confidence_is_honest_on_text_of_our_own(engine: EmbeddedEngine) -> None:
    rows = [
        ("The match went to penalties", "sports"), ("She broke the national record", "sports"),
        ("The coach praised the defence", "sports"), ("Tickets for the derby sold out", "sports"),
        ("Stir in the cream and season", "cooking"), ("Knead the dough until smooth", "cooking"),
        ("Roast the carrots with honey", "cooking"), ("Whisk the eggs with sugar", "cooking"),
        ("The bank cut its lending rate", "finance"), ("Inflation eased in October", "finance"),
        ("The fund returned nine percent", "finance"), ("Bond yields rose again", "finance"),
    ]  # fmt: skip
    categories = named("sports", "cooking", "finance")
    outcomes = await engine.classify_many([Task(text, categories=categories) for text, _ in rows])
    labels = [outcome.labels[0] for outcome in outcomes if isinstance(outcome, Outcome)]
    right = [label.label == truth for label, (_, truth) in zip(labels, rows, strict=True)]
    sure = sum(label.confidence for label in labels) / len(labels)
    assert sum(right) / len(rows) >= 11 / 12
    assert abs(sum(right) / len(rows) - sure) < 0.2


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "\ud800", "\ud83d\ude42", "🙂" * 500, "שלום", "a" * 5000]
)
async def test_odd_text_is_answered(engine: EmbeddedEngine, text: str) -> None:
    outcome = await engine.classify(Task(text, categories=named("a", "b"), explain=True))
    assert 0 <= outcome.labels[0].confidence <= 1


def test_any_text_is_answered(engine: EmbeddedEngine) -> None:
    @settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.text(st.characters(), max_size=300))
    def answer(text: str) -> None:
        task = Task(text, categories=named("a", "b"), mode=Mode.TOP_N, explain=True)
        outcome = asyncio.run(engine.classify(task))
        assert sum(label.confidence for label in outcome.labels) == pytest.approx(1, abs=0.001)

    answer()


async def test_hundreds_of_categories_work(engine: EmbeddedEngine) -> None:
    categories = named("volcanoes", *(f"code {number}" for number in range(399)))
    assert await best(engine, "Lava flowed down from the crater.", categories) == "volcanoes"


async def test_a_text_of_too_many_windows_is_said_to_be_cut(engine: EmbeddedEngine) -> None:
    categories = (Category("sport"), Category("finance"))
    long = Task("The striker scored twice. " * 3_000, categories=categories)
    assert (await engine.classify(long)).truncated == (Truncated.INPUT,)
    short = Task("The striker scored twice. " * 100, categories=categories)
    assert (await engine.classify(short)).truncated == ()


async def test_another_input_type_is_refused(engine: EmbeddedEngine) -> None:
    task = Task("x", input_type=InputType.IMAGE)
    with pytest.raises(UnsupportedInput):
        await engine.classify(task)
    (answer,) = await engine.classify_many([task])
    assert isinstance(answer, UnsupportedInput)


def test_windows_cover_the_whole_text_and_are_bounded(prepared_models: Path) -> None:
    from app.engines.text.minilm import MiniLmEncoder

    encoder = MiniLmEncoder(prepared_models)
    text = "".join(f"Sentence number {number} stands here. " for number in range(300))
    reading = read(encoder, text)
    assert len(reading.windows) > 5
    assert all(weight <= WINDOW for weight in reading.weights)
    joined = " ".join(reading.windows)
    assert all(f"number {number} stands" in joined for number in range(300))
    assert all(window.startswith("Sentence") for window in reading.windows)
    assert reading.tokens == len(encoder.spans(text))
    assert len(read(encoder, text * 20).windows) == MAX_WINDOWS


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    package = weights.packaged_file(PACKAGE, FILE, sha256=SHA256)
    changed = tmp_path / FILE
    shutil.copy(package, changed)
    with changed.open("r+b") as file:
        file.seek(1000)
        file.write(b"\x00\x01\x02")
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        weights.check_hash(changed, SHA256)
    with pytest.raises(ModelUnavailable, match="not installed"):
        weights.packaged_file("no_such_package", FILE, sha256=SHA256)


def test_a_damaged_prepared_file_is_made_again(tmp_path: Path) -> None:
    made = []

    def build(target: Path) -> None:
        made.append(target)
        target.write_bytes(b"content")

    path = weights.prepared_file(tmp_path, "x.bin", build)
    assert weights.prepared_file(tmp_path, "x.bin", build) == path
    assert len(made) == 1
    path.write_bytes(b"damaged")
    assert weights.prepared_file(tmp_path, "x.bin", build).read_bytes() == b"content"
    assert sorted(each.name for each in tmp_path.glob("[!.]*")) == ["x.bin", "x.bin.sha256"]


def test_of_several_that_need_a_prepared_file_one_makes_it(tmp_path: Path) -> None:
    made = []

    def build(target: Path) -> None:
        made.append(target)
        time.sleep(0.2)
        target.write_bytes(b"content")

    with ThreadPoolExecutor(4) as threads:
        paths = threads.map(lambda _: weights.prepared_file(tmp_path, "x.bin", build), range(4))
    assert {path.read_bytes() for path in paths} == {b"content"}
    assert len(made) == 1


async def test_an_encoder_of_the_operators_own(prepared_models: Path, tmp_path: Path) -> None:
    from app.engines.text.minilm import MiniLmEncoder

    folder = tmp_path / "my-encoder"
    folder.mkdir()
    shutil.copy(prepared_models / f"{MiniLmEncoder.fingerprint}.onnx", folder / "model.onnx")
    MiniLmEncoder(prepared_models)._tokenizer.save(str(folder / "tokenizer.json"))
    engine = EmbeddedEngine(tmp_path / "prepared", encoder=str(folder))
    try:
        outcome = await engine.classify(
            Task("The striker scored twice.", categories=named("sports", "cooking"))
        )
    finally:
        engine.close()
    assert outcome.labels[0].label == "sports"
    assert outcome.model == "embedded/my-encoder"


@pytest.mark.parametrize("location", ["no/such-model-anywhere", "{tmp}"])
def test_a_missing_encoder_is_said_plainly(tmp_path: Path, location: str) -> None:
    named_location = location.format(tmp=tmp_path)
    engine = EmbeddedEngine(tmp_path / "prepared", encoder=named_location)
    with pytest.raises(ModelUnavailable, match="text encoder"):
        engine.load()
    engine.close()


def test_the_vocabulary_is_berts() -> None:
    lines = VOCABULARY.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 30_522
    assert lines[101:103] == ["[CLS]", "[SEP]"]
