"""The embedded engine: classifies on the machine itself, with no key and no network."""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.engines.contract import InputType, Outcome, Task
from app.engines.errors import EngineError, ModelUnavailable, UnsupportedInput
from app.engines.text.calibration import PAIR, SINGLE
from app.engines.text.e5 import E5Encoder
from app.engines.text.encoder import Encoder
from app.engines.text.judge import TextJudge
from app.engines.text.minilm import MiniLmEncoder
from app.engines.text.own_encoder import OwnEncoder
from app.engines.text.vectors import SharedVectors, TextVectors


class EmbeddedEngine:
    """Text classification by sentence encoders.

    `prepared_dir` keeps the models in the form in which they run. `encoder` names an encoder of the
    operator's own in place of the packaged pair. `threads` bounds the texts judged at a time; as
    many as there are cores unless given.
    """

    input_types = frozenset({InputType.TEXT})

    def __init__(
        self, prepared_dir: Path, *, encoder: str | None = None, threads: int | None = None
    ) -> None:
        self._prepared_dir = prepared_dir
        self._encoder = encoder
        self._threads = threads or _cores()
        self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="engine")
        self._judge: TextJudge | None = None
        self._loading = threading.Lock()

    def load(self) -> None:
        """Load the model; the first time ever, prepare it. Blocking; twice is once.

        Raises:
            ModelUnavailable: The model is not there or not the pinned one.
        """
        self._loaded()

    @property
    def is_loaded(self) -> bool:
        """Whether an answer needs no loading first."""
        return self._judge is not None

    def close(self) -> None:
        """Let nothing more be judged. What is judged now is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def identity(self, task: Task) -> str:
        """Return the encoder's name; the packaged ones change with the version only."""
        return f"embedded {self._encoder or ''}"

    async def most_cost(self, task: Task) -> int:
        """Return 0."""
        return 0

    async def classify(self, task: Task) -> Outcome:
        """Answer one task.

        Raises:
            UnsupportedInput: The input is not text.
            ModelUnavailable: The model can't be loaded.
        """
        return await self._run(task)

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer tasks in their order; one that fails has its error in its place.

        No more than there are threads wait at a time, so that a request beside a large batch waits
        for one text and not for all. A text that several tasks are about is encoded once.
        """
        shared = self._shared(tasks)
        places = asyncio.Semaphore(self._threads)

        async def answer(task: Task) -> Outcome | EngineError:
            async with places:
                try:
                    return await self._run(task, shared.get(task.content))
                except EngineError as error:
                    return error

        return list(await asyncio.gather(*(answer(task) for task in tasks)))

    def _shared(self, tasks: Sequence[Task]) -> dict[str, SharedVectors]:
        # Before the model is loaded there is nothing to share yet: only the first call pays for it.
        judge = self._judge
        if judge is None:
            return {}
        counts = Counter(task.content for task in tasks)
        return {content: judge.share() for content, count in counts.items() if count > 1}

    async def _run(self, task: Task, shared: SharedVectors | None = None) -> Outcome:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._answer, task, shared)

    def _answer(self, task: Task, shared: SharedVectors | None) -> Outcome:
        if task.input_type not in self.input_types:
            raise UnsupportedInput(f"the embedded model can't judge {task.input_type.value}")
        return self._loaded().judge(task, shared)

    def _loaded(self) -> TextJudge:
        if self._judge is None:
            with self._loading:
                if self._judge is None:
                    self._judge = self._make_judge()
        return self._judge

    def _make_judge(self) -> TextJudge:
        try:
            if self._encoder is not None:
                own = OwnEncoder(self._encoder)
                return TextJudge(TextVectors([own], self._prepared_dir), SINGLE, self._prepared_dir)
            pair: list[Encoder] = [MiniLmEncoder(self._prepared_dir), E5Encoder(self._prepared_dir)]
            return TextJudge(TextVectors(pair, self._prepared_dir), PAIR, self._prepared_dir)
        except OSError as error:
            raise ModelUnavailable(f"the model can't be loaded: {error}") from error


def _cores() -> int:
    # The cores that this process may use, which in a container are fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
