"""Judging without a server: the engine, and what it takes to get images, audio and video."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from app.domain.classification.judging import Answer, judge_many
from app.domain.errors import InvalidRequest
from app.domain.media.examples import check_examples
from app.domain.media.source import check_source
from app.domain.media.sources import MediaSources, open_media
from app.engines.contract import Engine, InputType, Task
from app.outbound.client import Outbound
from app.outbound.policy import Policy
from app.runtime import open_engine
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Judge:
    """Answers tasks, by the rules that hold for requests."""

    engine: Engine
    media: MediaSources

    def check(self, task: Task) -> None:
        """Hold a task's input to the rules of its type.

        Raises:
            InvalidRequest: The model is not for it, or it is neither a URL nor a data URI.
        """
        kind = task.input_type
        if kind is InputType.TEXT:
            return
        if kind not in self.engine.input_types:
            raise InvalidRequest(("type",), f"the configured model can't judge {kind.value}")
        limit = self.media.fetcher.limits.bytes[kind]
        check_source(("input",), task.content, kind, limit=limit)
        if kind is InputType.IMAGE:
            check_examples(("categories",), task.categories or ())

    async def answer(self, tasks: Sequence[Task]) -> list[Answer]:
        """Answer tasks in their order; one that fails has its error in its place."""
        return await judge_many(self.engine, self.media, tasks)


@asynccontextmanager
async def open_judge(settings: Settings) -> AsyncIterator[Judge]:
    """Open what judging takes for the length of a block. It needs no database."""
    async with (
        open_engine(settings) as engine,
        aclosing(Outbound(Policy(private=settings.private_hosts))) as outbound,
    ):
        with open_media(settings, outbound) as media:
            yield Judge(engine, media)
