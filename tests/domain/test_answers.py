"""What is cached, under which key, and what becomes of a cache that fails."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from app.domain.answers import find_cached, keep_answered
from app.domain.classification.admission import Admitted
from app.domain.sealing import Seal
from app.domain.services import Services
from app.engines.contract import (
    Category,
    ConfidenceSource,
    InputType,
    Label,
    Media,
    Outcome,
    Task,
)
from app.storage.errors import DatabaseUnavailable

TASK = Task("x", categories=(Category("a"), Category("b")))
OUTCOME = Outcome(
    (Label("a", 0.9, "why"),), 110, ConfidenceSource.MEASURED, "m", completion_tokens=10, cost=7
)


class Memory:
    """A cache in memory, which may fail in some way."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.failure: Exception | None = None

    async def find(self, keys: Sequence[str]) -> dict[str, str]:
        if self.failure:
            raise self.failure
        return {key: self.kept[key] for key in keys if key in self.kept}

    async def keep(self, _account: int, answers: Mapping[str, str], *, ttl_s: int) -> None:
        assert ttl_s == 60
        if self.failure:
            raise self.failure
        self.kept.update(answers)


class Named:
    """Stands where an engine stands, for its name alone."""

    name = "one"

    async def identity(self, _task: Task) -> str:
        return self.name


class Parts:
    """The parts of a process that the cache needs."""

    def __init__(self) -> None:
        self.answers = Memory()
        self.engine = Named()
        self.seal = Seal(["passphrase"])

    async def keep(self, task: Task, outcome: object = OUTCOME, *, store: bool = True) -> None:
        admitted = [Admitted(task=task, schema_id=None, store=store)]
        await keep_answered(cast("Services", self), 1, admitted, [outcome], ttl_s=60)

    async def find(
        self, task: Task, *, account: int = 1, store: bool = True, ttl_s: int | None = 60
    ) -> Outcome | None:
        admitted = [Admitted(task=task, schema_id=None, store=store)]
        (found,) = await find_cached(cast("Services", self), account, admitted, ttl_s=ttl_s)
        return found


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def test_an_exact_repeat_is_found_and_took_nothing(parts: Parts) -> None:
    assert await parts.find(TASK) is None
    await parts.keep(TASK)
    free = replace(OUTCOME, tokens=0, completion_tokens=0, cost=0, cached=True)
    assert await parts.find(TASK) == free
    (key,) = parts.answers.kept
    assert len(key) == 64
    assert TASK.content not in key + parts.answers.kept[key].replace("explanation", "")


@pytest.mark.parametrize(
    "change",
    [
        {"content": "y"},
        {"categories": (Category("b"), Category("a"))},
        {"categories": (Category("a", "described"), Category("b"))},
        {"categories": None},
        {"threshold": 0.5},
        {"explain": True},
        {"allow_none": True},
        {"min_margin": 0.1},
        {"top_n": 4},
    ],
)
async def test_another_task_is_not(parts: Parts, change: dict[str, Any]) -> None:
    await parts.keep(TASK)
    assert await parts.find(replace(TASK, **change)) is None


async def test_nor_another_account_model_passphrase_or_time(parts: Parts) -> None:
    await parts.keep(TASK)
    assert await parts.find(TASK, account=2) is None
    assert await parts.find(TASK, ttl_s=None) is None
    assert await parts.find(TASK, store=False) is None
    parts.engine.name = "two"
    assert await parts.find(TASK) is None
    parts.engine.name = "one"
    parts.seal = Seal(["another"])
    assert await parts.find(TASK) is None


async def test_what_is_not_to_be_kept(parts: Parts) -> None:
    await parts.keep(TASK, store=False)
    await parts.keep(TASK, replace(OUTCOME, fell_back=True))
    await parts.keep(TASK, replace(OUTCOME, cached=True))
    await parts.keep(TASK, ValueError())
    assert parts.answers.kept == {}


async def test_media_are_cached_by_what_they_hold_and_not_by_where_they_are(parts: Parts) -> None:
    uri = "data:image/png;base64,AAAA"
    found = Media(Path("one"), "image/png")
    image = replace(TASK, content=uri, input_type=InputType.IMAGE, media=found)
    await parts.keep(image)
    elsewhere = replace(image, media=Media(Path("two"), "image/png"))
    assert await parts.find(elsewhere) is not None
    parts.answers.kept.clear()
    await parts.keep(replace(image, content="https://example.com/x.png"))
    linked = (Category("a", examples=("https://example.com/x.png",)),)
    await parts.keep(replace(image, categories=linked))
    assert parts.answers.kept == {}


@pytest.mark.parametrize(
    "failure", [DatabaseUnavailable("x"), ConnectionError("x"), TimeoutError()]
)
async def test_a_cache_that_fails_is_a_miss(parts: Parts, failure: Exception) -> None:
    parts.answers.failure = failure
    await parts.keep(TASK)
    assert await parts.find(TASK) is None
    parts.answers.failure = None
    await parts.keep(TASK)
    for key in parts.answers.kept:
        parts.answers.kept[key] = "{}"
    assert await parts.find(TASK) is None
