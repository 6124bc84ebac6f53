"""What stands between a task and the engine: places, and what is never fetched in vain."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.classification.judging import judge, judge_many
from app.domain.media.sources import MediaSources, open_media
from app.engines.contract import ConfidenceSource, InputType, Outcome, Task
from app.engines.errors import EngineBusy, EngineError, UnreadableMedia, UnsupportedInput
from app.outbound.client import Outbound
from app.outbound.policy import Policy
from app.settings import Settings
from tests.inputs.samples import PNG, data_uri, some

IMAGE = Task(data_uri(PNG), InputType.IMAGE)
VIDEO = Task(data_uri(some("video/mp4")), InputType.VIDEO)


class Slow:
    """An engine that answers when it is let, and sees whether the file is there."""

    input_types = frozenset({InputType.TEXT, InputType.IMAGE, InputType.VIDEO})

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked: asyncio.Queue[Task] = asyncio.Queue()
        self.files: list[Path] = []
        self.most = 0
        self.now = 0

    async def classify(self, task: Task) -> Outcome:
        """Answer when it is let."""
        if task.media is not None:
            assert task.media.path.exists()
            self.files.append(task.media.path)
        self.asked.put_nowait(task)
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        self.now -= 1
        return Outcome((), 0, ConfidenceSource.MEASURED, "slow")

    async def classify_many(self, tasks: list[Task]) -> list[Outcome | EngineError]:
        """Answer each."""
        return [await self.classify(task) for task in tasks]


@pytest.fixture
async def media() -> AsyncIterator[MediaSources]:
    async with aclosing(Outbound(Policy())) as outbound:
        with open_media(Settings(_env_file=None), outbound) as sources:
            yield sources


async def test_so_many_are_held_and_whoever_comes_then_waits_for_a_while(
    media: MediaSources,
) -> None:
    engine = Slow()
    asked = [asyncio.create_task(judge(engine, media, VIDEO)) for _ in range(16)]
    for _ in asked:
        await engine.asked.get()
    with pytest.raises(EngineBusy):
        await judge(engine, media, VIDEO, patience_s=0.05)
    # Other kinds have places of their own.
    other = asyncio.create_task(judge(engine, media, IMAGE))
    waiting = asyncio.create_task(judge(engine, media, VIDEO, patience_s=5))
    await asyncio.sleep(0.05)
    engine.go.set()
    await asyncio.gather(*asked, waiting, other)
    assert engine.most == 17
    assert not any(file.exists() for file in engine.files)


async def test_a_canceled_task_leaves_no_file_and_no_place(media: MediaSources) -> None:
    engine = Slow()
    for _ in range(20):
        asked = asyncio.create_task(judge(engine, media, VIDEO))
        await engine.asked.get()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    assert not any(file.exists() for file in engine.files)


async def test_nothing_is_fetched_for_a_model_that_does_not_take_it(media: MediaSources) -> None:
    engine = Slow()
    engine.go.set()
    audio = Task("http://10.0.0.1/", InputType.AUDIO)
    answers = await judge_many(engine, media, [audio, Task("x"), IMAGE])
    assert [type(answer) for answer in answers] == [UnsupportedInput, Outcome, Outcome]
    # What models that a task names take is theirs to say.
    (named,) = await judge_many(engine, media, [replace(audio, model="other")])
    assert type(named).__name__ == "MediaUnavailable"


async def test_what_the_engine_can_not_read_is_the_callers(media: MediaSources) -> None:
    class Unreadable(Slow):
        async def classify(self, task: Task) -> Outcome:
            raise UnreadableMedia("is cut short")

        async def classify_many(self, tasks: list[Task]) -> list[Outcome | EngineError]:
            return [UnreadableMedia("is cut short") for _ in tasks]

    (answer,) = await judge_many(Unreadable(), media, [IMAGE])
    assert str(answer) == "input: is cut short"
    assert (type(answer).__name__, getattr(answer, "lasting", None)) == ("MediaUnavailable", True)
