"""The embedded engine: classifies on the machine itself, with no key and no network."""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.engines.contract import ConfidenceSource, InputType, Outcome, Task
from app.engines.errors import EngineError, UnsupportedInput
from app.engines.judges import RECORDINGS, Judge, Judges, cores, judged_types
from app.engines.text.vectors import SharedVectors
from app.engines.wanted import Wanted

Answer = Outcome | EngineError


class EmbeddedEngine:
    """Classification by a judge for each type of input.

    `prepared_dir` keeps the models in the form in which they run. `encoder` names an encoder of the
    operator's own in place of the packaged pair. `threads` bounds the texts and images judged at a
    time; as many as there are cores unless given.
    """

    def __init__(
        self, prepared_dir: Path, *, encoder: str | None = None, threads: int | None = None
    ) -> None:
        self._encoder = encoder
        self._judges = Judges(prepared_dir, encoder=encoder)
        self._threads = threads or cores()
        self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="engine")
        # Threads of their own: a text need not wait for an hour of speech.
        self._recordings = ThreadPoolExecutor(RECORDINGS, thread_name_prefix="recordings")
        #: The types of input for which everything is installed.
        self.input_types = judged_types()

    def load(self) -> None:
        """Load the model of text; the first time ever, prepare it and all others.

        Blocking; twice is once. The others are loaded when they are first asked: a server for text
        has no use for them.

        Raises:
            ModelUnavailable: The model is not there or not the pinned one.
        """
        self._judges.text()
        self._judges.prepare()

    @property
    def is_loaded(self) -> bool:
        """Whether an answer about text needs no loading first."""
        return self._judges.loaded_text is not None

    @property
    def confidence_source(self) -> ConfidenceSource:
        """Where its confidence comes from: its constants are fitted to labelled data."""
        return ConfidenceSource.CALIBRATED

    def close(self) -> None:
        """Let nothing more be judged. What is judged now is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._recordings.shutdown(wait=False, cancel_futures=True)
        self._judges.close()

    async def identity(self, task: Task) -> str:
        """Return the encoder's name; the packaged ones change with the version only."""
        return f"embedded {self._encoder or ''}"

    async def most_cost(self, task: Task) -> int:
        """Return 0."""
        return 0

    async def classify(self, task: Task) -> Outcome:
        """Answer one task.

        Raises:
            UnsupportedInput: What the type of input needs is not installed.
            UnreadableMedia: The image, recording or video can't be decoded within the limits.
            ModelUnavailable: The model can't be loaded.
        """
        (answer,) = await self._run([task])
        if isinstance(answer, EngineError):
            raise answer
        return answer

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer tasks in their order; one that fails has its error in its place.

        No more than there are threads wait at a time, so that a request beside a large batch waits
        for one text and not for all. A text that several tasks are about is encoded once, and a
        file is looked at and heard once.
        """
        shared = self._shared(tasks)
        places = asyncio.Semaphore(self._threads)
        answers: dict[int, Answer] = {}

        async def answer(lot: Sequence[int]) -> None:
            about = [tasks[index] for index in lot]
            async with places:
                try:
                    judged = await self._run(about, shared.get(about[0].content))
                except EngineError as error:
                    judged = [error] * len(lot)
            answers.update(zip(lot, judged, strict=True))

        await asyncio.gather(*(answer(lot) for lot in _lots(tasks)))
        return [answers[index] for index in range(len(tasks))]

    def _shared(self, tasks: Sequence[Task]) -> dict[str, SharedVectors]:
        # Before the model is loaded there is nothing to share yet: only the first call pays for it.
        judge = self._judges.loaded_text
        if judge is None:
            return {}
        counts = Counter(task.content for task in tasks if task.input_type is InputType.TEXT)
        return {content: judge.share() for content, count in counts.items() if count > 1}

    async def _run(
        self, tasks: Sequence[Task], shared: SharedVectors | None = None
    ) -> Sequence[Answer]:
        """Answer one task, or several about one file."""
        task = tasks[0]
        if task.input_type not in self.input_types:
            raise UnsupportedInput(f"the embedded model can't judge {task.input_type.value}")
        loop = asyncio.get_running_loop()
        is_long = task.input_type in {InputType.AUDIO, InputType.VIDEO}
        given_up = threading.Event()
        try:
            return await loop.run_in_executor(
                self._recordings if is_long else self._executor,
                self._answer,
                tasks,
                shared,
                lambda: not given_up.is_set(),
            )
        finally:
            # Who was waiting may have been canceled: what is still worked on ends early.
            given_up.set()

    def _answer(
        self, tasks: Sequence[Task], shared: SharedVectors | None, wanted: Wanted
    ) -> Sequence[Answer]:
        task = tasks[0]
        if task.input_type is InputType.TEXT:
            text = self._judges.text()
            return [text.judge(task, shared) for task in tasks]
        if task.media is None:
            raise UnsupportedInput(f"there is no {task.input_type.value} to judge")
        judge = self._judges.of(task.input_type)
        perceived = judge.perceive(task.media, wanted=wanted)
        return [_judged(judge, task, perceived) for task in tasks]


def _lots(tasks: Sequence[Task]) -> list[list[int]]:
    """Return the places of tasks: those about one file together, each text by itself."""
    lots: dict[object, list[int]] = {}
    for index, task in enumerate(tasks):
        key = index if task.media is None else (task.input_type, task.media)
        lots.setdefault(key, []).append(index)
    return list(lots.values())


def _judged(judge: Judge[Any], task: Task, perceived: object) -> Answer:
    try:
        return judge.judge(task, perceived)
    except EngineError as error:
        # An example of this task's: the others are answered.
        return error
