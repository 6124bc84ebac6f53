"""Images, audio and video through the real LiteLLM to a provider on the wire."""

import base64
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.engines.chain import ChainEngine, Link
from app.engines.contract import (
    Basis,
    Category,
    InputType,
    Media,
    Mode,
    Outcome,
    Task,
    Truncated,
)
from app.engines.errors import EngineError, UnreadableMedia, UnsupportedInput
from app.engines.litellm_provider import close_connections
from app.engines.remote import examples
from app.engines.remote.call import Address
from app.engines.remote.engine import RemoteEngine
from app.engines.remote.turns import Turns
from app.engines.routing import RoutedEngine
from tests.inputs.samples import some
from tests.provider.completions import bytes_of, examples_of, parts_of
from tests.provider.native import NativeProvider
from tests.provider.server import Provider

CATEGORIES = (Category("cat"), Category("dog"))
ALL = frozenset(InputType)


@pytest.fixture(autouse=True)
async def _no_connection_is_left() -> AsyncIterator[None]:
    yield
    await close_connections()


@pytest.fixture(scope="module")
def heard() -> Iterator[Provider]:
    """One provider for all."""
    with Provider() as provider:
        yield provider


def engine(provider: Provider, model: str, *, believed: frozenset[InputType] = ALL) -> RemoteEngine:
    address = Address(model, timeout_s=10, api_base=provider.base_url, api_key="sk")
    made = RemoteEngine(address, turns=Turns(8), believed=believed)
    made.load()
    return made


def task(folder: Path, kind: InputType, mime: str) -> Task:
    file = folder / "content"
    file.write_bytes(some(mime, about="dog"))
    url = "https://example.com/a-cat"
    return Task(url, kind, CATEGORIES, media=Media(file, mime))


@pytest.mark.parametrize(
    "case",
    [
        ("openai/m", InputType.IMAGE, "image/png", "image_url"),
        ("openai/m", InputType.IMAGE, "image/heic", "image_url"),
        ("openai/m", InputType.AUDIO, "audio/wav", "input_audio"),
        ("openai/m", InputType.AUDIO, "audio/mpeg", "input_audio"),
        ("openai/m", InputType.AUDIO, "audio/flac", "file"),
        ("openai/m", InputType.VIDEO, "video/mp4", "video_url"),
        ("hosted_vllm/m", InputType.IMAGE, "image/webp", "image_url"),
        ("hosted_vllm/m", InputType.VIDEO, "video/webm", "video_url"),
        ("openrouter/m", InputType.IMAGE, "image/jpeg", "image_url"),
    ],
)
async def test_a_part_arrives_in_the_wires_form(
    heard: Provider, tmp_path: Path, case: tuple[str, InputType, str, str]
) -> None:
    model, kind, mime, part = case
    asked = task(tmp_path, kind, mime)
    outcome = await engine(heard, model).classify(asked)
    assert outcome.labels[0].label == "dog"
    basis = {"image": Basis.PIXELS, "audio": Basis.SOUND, "video": Basis.FRAMES}
    assert outcome.basis == (basis[kind.value],)
    request = heard.requests[-1]
    (sent,) = parts_of(request)
    assert sent["type"] == part
    assert bytes_of(sent) == some(mime, about="dog")
    assert "example.com" not in str(request)


GEMINI, CLAUDE = "gemini/gemini-2.5-flash", "anthropic/claude-sonnet-4-5"
NOVA, LLAVA = "bedrock/us.amazon.nova-pro-v1:0", "ollama_chat/llava"


def base64_of(request: Any) -> set[bytes]:
    """Return the bytes that stand in a request, wherever they do."""
    found = re.findall(r'"(?:data:[^,"]*,)?([A-Za-z0-9+/]{40,}={0,2})"', json.dumps(request))
    return {base64.b64decode(each) for each in found if len(each) % 4 == 0}


@pytest.mark.parametrize(
    ("model", "mime", "native"),
    [
        (GEMINI, "image/png", '"inline_data"'),
        (GEMINI, "audio/wav", '"mime_type": "audio/wav"'),
        (GEMINI, "audio/flac", '"mime_type": "audio/flac"'),
        (GEMINI, "video/mp4", '"mime_type": "video/mp4"'),
        (CLAUDE, "image/png", '"type": "image", "source": {"type": "base64"'),
        (NOVA, "image/png", '"image": {"source": {"bytes"'),
        (NOVA, "video/mp4", '"video": {"source": {"bytes"'),
        (LLAVA, "image/png", '"images": ['),
    ],
)
async def test_a_part_reaches_providers_with_wires_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, mime: str, native: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_REGION_NAME", "us-east-1")
    heard = NativeProvider("dog")
    async with heard as base_url:
        address = Address(model, timeout_s=10, api_base=base_url, api_key="sk")
        made = RemoteEngine(address, turns=Turns(8), believed=ALL)
        made.load()
        asked = task(tmp_path, InputType(mime.partition("/")[0]), mime)
        outcome = await made.classify(asked)
        await close_connections()
    assert (outcome.labels[0].label, outcome.tokens) == ("dog", 110)
    (request,) = heard.requests
    assert some(mime, about="dog") in base64_of(request)
    assert native in json.dumps(request)


@pytest.mark.parametrize(
    ("model", "mime"),
    [(NOVA, "image/heic"), (NOVA, "video/x-matroska")],
)
async def test_what_can_not_reach_a_provider_is_not_asked_about(
    heard: Provider, tmp_path: Path, model: str, mime: str
) -> None:
    made = engine(heard, model)
    with pytest.raises(UnreadableMedia, match=f"takes no {mime}"):
        await made.classify(task(tmp_path, InputType(mime.partition("/")[0]), mime))


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        # LiteLLM leaves recordings and videos out, whoever says that the model takes them.
        (CLAUDE, {"text", "image"}),
        (LLAVA, {"text", "image"}),
        (NOVA, {"text", "image", "video"}),
        (GEMINI, {"text", "image", "audio", "video"}),
    ],
)
def test_what_reaches_no_provider_is_not_believed(
    heard: Provider, model: str, kinds: set[str]
) -> None:
    assert {kind.value for kind in engine(heard, model).input_types} == kinds


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ("openai/unheard-of", {"text"}),
        ("openai/gpt-3.5-turbo", {"text"}),
        ("openai/gpt-4o-mini", {"text", "image"}),
        ("gemini/gemini-2.5-flash", {"text", "image", "audio"}),
    ],
)
async def test_what_a_model_takes_is_known_or_said(
    heard: Provider, tmp_path: Path, model: str, kinds: set[str]
) -> None:
    made = engine(heard, model, believed=frozenset())
    assert {kind.value for kind in made.input_types} == kinds
    told = engine(heard, model, believed=frozenset({InputType.VIDEO}))
    assert {kind.value for kind in told.input_types} == {*kinds, "video"}
    with pytest.raises(UnsupportedInput):
        await made.classify(task(tmp_path, InputType.VIDEO, "video/mp4"))


def with_examples(folder: Path, *images: tuple[str, int, int]) -> tuple[Category, ...]:
    """Return categories, each with so many examples of so many bytes."""
    categories = []
    for name, count, size in images:
        files = [folder / f"{name}-{number}" for number in range(count)]
        for file in files:
            file.write_bytes(some("image/jpeg", about=file.name, size=size))
        media = tuple(Media(file, "image/jpeg") for file in files)
        categories.append(Category(name, examples=("in words",), media=media))
    return tuple(categories)


@pytest.mark.parametrize("mode", Mode)
async def test_examples_that_are_images_come_before_the_content(
    heard: Provider, tmp_path: Path, mode: Mode
) -> None:
    categories = with_examples(tmp_path, ("cat", 2, 0), ("dog", 1, 0), ('x "y"', 0, 0))
    asked = task(tmp_path, InputType.IMAGE, "image/png")
    asked = replace(asked, categories=categories, mode=mode)
    outcome = await engine(heard, "openai/gpt-4o-mini").classify(asked)
    assert outcome.labels[0].label == "dog"
    assert outcome.truncated == ()
    request = heard.requests[-1]
    assert [role["role"] for role in request["messages"]] == ["system", "user"]
    assert examples_of(request) == [
        (f'An example of "{name.partition("-")[0]}":', some("image/jpeg", about=name))
        for name in ("cat-0", "cat-1", "dog-0")
    ]
    (content,) = parts_of(request)
    assert bytes_of(content) == some("image/png", about="dog")
    told = request["messages"][0]["content"]
    assert "pictures that are examples" in told
    assert told.count("in words") == 3


@pytest.mark.parametrize(
    ("model", "images", "shown"),
    [
        # All of 19; of more as many of each.
        ("openai/gpt-4o-mini", [("cat", 10, 0), ("dog", 9, 0)], {"cat": 10, "dog": 9}),
        ("openai/gpt-4o-mini", [("cat", 10, 0), ("dog", 10, 0)], {"cat": 9, "dog": 9}),
        ("openai/gpt-4o-mini", [("cat", 30, 0), ("dog", 2, 0)], {"cat": 17, "dog": 2}),
        ("openai/gpt-4o-mini", [(str(n), 1, 0) for n in range(20)], {}),
        # 8 kB in all.
        (
            "openai/gpt-4o-mini",
            [("cat", 2, 3_000), ("dog", 1, 2_000)],
            {"cat": 2, "dog": 1},
        ),
        (
            "openai/gpt-4o-mini",
            [("cat", 2, 3_000), ("dog", 1, 2_001)],
            {"cat": 1, "dog": 1},
        ),
        ("openai/gpt-4o-mini", [("cat", 1, 5_000), ("dog", 1, 5_000)], {}),
        # Of a model that nothing is known of, a context of 8,192 tokens.
        ("openai/m", [("cat", 1, 0)], {"cat": 1}),
        ("openai/m", [("cat", 1, 0), ("dog", 1, 0)], {}),
    ],
)
async def test_no_more_examples_are_sent_than_fit_and_it_is_said(
    heard: Provider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    model: str,
    images: list[tuple[str, int, int]],
    shown: dict[str, int],
) -> None:
    # A thousandth, for time's sake.
    monkeypatch.setattr(examples, "MAX_BYTES", examples.MAX_BYTES // 1_000)
    asked = task(tmp_path, InputType.IMAGE, "image/png")
    asked = replace(asked, categories=with_examples(tmp_path, *images))
    outcome = await engine(heard, model).classify(asked)
    told = Counter(told.split('"')[1] for told, _ in examples_of(heard.requests[-1]))
    assert dict(told) == shown
    is_whole = shown == {name: count for name, count, _ in images}
    assert outcome.truncated == (() if is_whole else (Truncated.CATEGORIES,))
    assert ("pictures that are examples" in str(heard.requests[-1])) is bool(shown)


@pytest.mark.parametrize(
    ("model", "mime"),
    [
        (GEMINI, "image/jpeg"),
        (CLAUDE, "image/jpeg"),
        (NOVA, "image/jpeg"),
        # These are not sent: it has no such format, and the other no order of pictures and words.
        (NOVA, "image/avif"),
        (LLAVA, "image/jpeg"),
    ],
)
async def test_examples_keep_their_places_on_other_wires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, mime: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_REGION_NAME", "us-east-1")
    heard = NativeProvider("dog")
    categories = with_examples(tmp_path, ("cat", 1, 0), ("dog", 1, 0))
    (cat,), (dog,) = ([replace(one, mime=mime) for one in each.media] for each in categories)
    async with heard as base_url:
        address = Address(model, timeout_s=10, api_base=base_url, api_key="sk")
        made = RemoteEngine(address, turns=Turns(8), believed=ALL, context=100_000)
        made.load()
        asked = task(tmp_path, InputType.IMAGE, "image/png")
        categories = (Category("cat", media=(cat,)), Category("dog", media=(dog,)))
        outcome = await made.classify(replace(asked, categories=categories))
        await close_connections()
    (request,) = heard.requests
    sent = json.dumps(request)
    contents = [cat.path.read_bytes(), dog.path.read_bytes(), some("image/png", about="dog")]
    places = [sent.find(base64.b64encode(each).decode()) for each in contents]
    if (model, mime) in {(NOVA, "image/avif"), (LLAVA, "image/jpeg")}:
        assert places[:2] == [-1, -1]
        assert outcome.truncated == (Truncated.CATEGORIES,)
        return
    told = [sent.find(each) for each in ('\\"cat\\":"', '\\"dog\\":"', '"<content-')]
    order = [place for pair in zip(told, places, strict=True) for place in pair]
    assert -1 not in order
    assert order == sorted(order)
    assert outcome.truncated == ()


class Stand:
    """A model of one kind of content that answers, or raises what it is told to."""

    is_loaded = True

    def __init__(self, *kinds: InputType, error: EngineError | None = None) -> None:
        self.input_types = frozenset(kinds)
        self.error = error
        self.asked = 0
        self.closed = 0

    def load(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Count."""
        self.closed += 1

    async def classify(self, task: Task) -> Outcome:
        """Answer or fail."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return Outcome((), 0, model=str(id(self)), confidence_source="measured")  # type: ignore[arg-type]

    async def classify_many(self, tasks: list[Task]) -> list[Outcome | EngineError]:
        """Answer each."""
        return [await self.classify(task) for task in tasks]


IMAGE = Task("x", InputType.IMAGE, CATEGORIES)
TEXT = replace(IMAGE, input_type=InputType.TEXT)


def chain(*stands: Stand) -> ChainEngine:
    return ChainEngine([Link(str(n), stand) for n, stand in enumerate(stands)])


async def test_a_chain_passes_over_models_that_do_not_take_the_type() -> None:
    blind, seeing = Stand(InputType.TEXT), Stand(InputType.TEXT, InputType.IMAGE)
    both = chain(blind, seeing)
    await both.classify(IMAGE)
    assert (blind.asked, seeing.asked) == (0, 1)
    with pytest.raises(UnsupportedInput):
        await chain(blind).classify(IMAGE)


async def test_what_one_model_can_not_read_another_may() -> None:
    unreadable = Stand(InputType.IMAGE, error=UnreadableMedia("is cut short"))
    reads = Stand(InputType.IMAGE)
    await chain(unreadable, reads).classify(IMAGE)
    assert reads.asked == 1
    for _ in range(8):
        with pytest.raises(UnreadableMedia, match="is cut short"):
            await chain(unreadable).classify(IMAGE)


async def test_each_type_goes_to_its_own_model() -> None:
    reader, seer = Stand(InputType.TEXT), Stand(InputType.IMAGE)
    routed = RoutedEngine(
        {
            InputType.TEXT: reader,
            InputType.IMAGE: seer,
            InputType.AUDIO: reader,
            InputType.VIDEO: reader,
        }
    )
    assert routed.input_types == {InputType.TEXT, InputType.IMAGE}
    answers = await routed.classify_many([IMAGE, TEXT, IMAGE, TEXT, TEXT])
    models = [answer.model for answer in answers if isinstance(answer, Outcome)]
    assert models == [str(id(stand)) for stand in (seer, reader, seer, reader, reader)]
    assert (reader.asked, seer.asked) == (3, 2)
    routed.close()
    assert (reader.closed, seer.closed) == (1, 1)
