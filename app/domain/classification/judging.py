"""Asking the engine, once what a task is about is there.

Callers who wait, workers and batches all come this way. What is fetched lives as long as the
engine is asked about it, and no longer.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from app.domain.errors import MediaUnavailable
from app.domain.media.sources import MediaSources
from app.engines.contract import Engine, InputType, Outcome, Task
from app.engines.errors import EngineError, UnreadableMedia, UnsupportedInput

#: Images, recordings and videos of one batch that are fetched and judged at a time.
AT_ONCE = 16
#: How long a caller waits until there is room for one (seconds).
PATIENCE_S = 30.0

Answer = Outcome | EngineError | MediaUnavailable


async def judge(
    engine: Engine, media: MediaSources, task: Task, *, patience_s: float = PATIENCE_S
) -> Outcome:
    """Answer one task; a place among the files that are held is waited for so long.

    Raises:
        MediaUnavailable: What it is about can't be had, or can't be read.
        EngineError: Any other of the tree.
    """
    if task.input_type is InputType.TEXT:
        return await engine.classify(task)
    (answer,) = await _judge_one_content(engine, media, [task], patience_s=patience_s)
    if isinstance(answer, Outcome):
        return answer
    raise answer


async def judge_many(
    engine: Engine,
    media: MediaSources,
    tasks: Sequence[Task],
    *,
    patience_s: float = PATIENCE_S,
) -> list[Answer]:
    """Answer tasks in their order; one that fails has its error in its place.

    What several are about is fetched once. A place is waited for as in `judge`.
    """
    contents: dict[tuple[InputType, str], list[int]] = {}
    texts: list[int] = []
    for index, task in enumerate(tasks):
        if task.input_type is InputType.TEXT:
            texts.append(index)
        else:
            contents.setdefault((task.input_type, task.content), []).append(index)
    answers: dict[int, Answer] = {}
    places = asyncio.Semaphore(AT_ONCE)

    async def judge_texts() -> None:
        judged = await engine.classify_many([tasks[index] for index in texts])
        answers.update(zip(texts, judged, strict=True))

    async def judge_content(indexes: Sequence[int]) -> None:
        async with places:
            about = [tasks[index] for index in indexes]
            judged = await _judge_one_content(engine, media, about, patience_s=patience_s)
        answers.update(zip(indexes, judged, strict=True))

    if not contents:
        await judge_texts()
    else:
        async with asyncio.TaskGroup() as group:
            if texts:
                group.create_task(judge_texts())
            for indexes in contents.values():
                group.create_task(judge_content(indexes))
    return [answers[index] for index in range(len(tasks))]


async def _judge_one_content(
    engine: Engine, media: MediaSources, tasks: Sequence[Task], *, patience_s: float
) -> list[Answer]:
    """Answer tasks that are about the same content."""
    first = tasks[0]
    chosen = any(task.model is not None for task in tasks)
    if not chosen and first.input_type not in engine.input_types:
        # It may have been promised while another model was there. Nothing is fetched in vain.
        return [UnsupportedInput(f"the model can't judge {first.input_type.value}")] * len(tasks)
    try:
        async with (
            media.fetcher.place(first.input_type, within_s=patience_s),
            media.fetcher.fetched(first.content, first.input_type, path=("input",)) as found,
        ):
            having = [replace(task, media=found) for task in tasks]
            return await _judge_with_examples(engine, media, having)
    except (MediaUnavailable, EngineError) as failure:
        return [failure] * len(tasks)


async def _judge_with_examples(
    engine: Engine, media: MediaSources, tasks: Sequence[Task]
) -> list[Answer]:
    answers: dict[int, Answer] = {}
    async with AsyncExitStack() as stack:
        ready: dict[int, Task] = {}
        for index, task in enumerate(tasks):
            try:
                ready[index] = await stack.enter_async_context(media.examples.of(task))
            except MediaUnavailable as failure:
                answers[index] = failure
        judged = await engine.classify_many(list(ready.values()))
        answers.update(zip(ready, map(_readable, judged), strict=True))
    return [answers[index] for index in range(len(tasks))]


def _readable(answer: Outcome | EngineError) -> Answer:
    if isinstance(answer, UnreadableMedia):
        return MediaUnavailable(("input",), str(answer), lasting=True)
    return answer
