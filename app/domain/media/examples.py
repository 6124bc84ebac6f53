"""Examples that are images: of the categories of a task about an image.

An example that is an http or https URL or a data URI is got as the input is; any other is text and
stays it. Requests that come one after another mostly name the same examples, so what was fetched is
remembered for a short while. A failure is not.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from app.domain.errors import FieldPath, InvalidRequest, MediaUnavailable
from app.domain.media.data_uri import is_data_uri
from app.domain.media.fetching import MediaFetcher
from app.domain.media.source import check_source, is_url
from app.engines.contract import Category, InputType, Media, Task

#: Of all categories of a task together.
MAX_EXAMPLES = 40
#: Of one example.
MAX_BYTES = 5_000_000
#: What is remembered, in seconds and bytes.
REMEMBERED_S = 60.0
REMEMBERED_BYTES = 64_000_000
_AT_ONCE = 8
_CATEGORIES: FieldPath = ("categories",)


@dataclass(frozen=True, slots=True)
class _Remembered:
    content: bytes
    mime: str
    until: float


def is_image(example: str) -> bool:
    """Tell whether an example of a task about an image is one itself."""
    return is_url(example) or is_data_uri(example)


def check_examples(path: FieldPath, categories: tuple[Category, ...]) -> None:
    """Hold the examples that are images to their form and number; `path` is the categories'.

    Raises:
        InvalidRequest: One is malformed or too large, or there are too many.
    """
    for count, (place, example) in enumerate(_images(path, categories), start=1):
        if count > MAX_EXAMPLES:
            raise InvalidRequest(
                place, f"must be text: at most {MAX_EXAMPLES} examples in all may be images"
            )
        check_source(place, example, InputType.IMAGE, limit=MAX_BYTES)


class ExampleImages:
    """Gets the examples of tasks; one per process and event loop."""

    def __init__(self, fetcher: MediaFetcher) -> None:
        self._fetcher = fetcher
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, task: Task) -> AsyncIterator[Task]:
        """Give a task whose categories have their images, which are there within the block.

        Raises:
            MediaUnavailable: One can't be had; it names the category and the example.
        """
        categories = task.categories or ()
        wanted = _images(_CATEGORIES, categories)
        if task.input_type is not InputType.IMAGE or not wanted:
            yield task
            return
        async with AsyncExitStack() as stack:
            found = await self._get_all(wanted, stack)
            yield replace(
                task,
                categories=tuple(
                    _with_media(category, index, found) for index, category in enumerate(categories)
                ),
            )

    async def _get_all(
        self, wanted: list[tuple[FieldPath, str]], stack: AsyncExitStack
    ) -> dict[FieldPath, Media]:
        found: dict[FieldPath, Media] = {}
        places = asyncio.Semaphore(_AT_ONCE)

        async def get(path: FieldPath, example: str) -> None:
            async with places:
                found[path] = await stack.enter_async_context(self._example(path, example))

        deadline_s = self._fetcher.limits.deadline_s
        try:
            async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as group:
                for path, example in wanted:
                    group.create_task(get(path, example))
        except TimeoutError:
            path = next(path for path, _ in wanted if path not in found)
            problem = f"could not be fetched with all others within {deadline_s:g} seconds"
            raise MediaUnavailable(path, problem, lasting=False) from None
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return found

    @asynccontextmanager
    async def _example(self, path: FieldPath, example: str) -> AsyncIterator[Media]:
        async with AsyncExitStack() as stack:
            async with self._locks.setdefault(example, asyncio.Lock()):
                known = self._recall(example)
                if known is None:
                    fetching = self._fetcher.fetched(
                        example, InputType.IMAGE, path=path, limit=MAX_BYTES
                    )
                    media = await stack.enter_async_context(fetching)
                    self._remember(example, media)
                else:
                    copying = self._fetcher.copied(known.content, known.mime)
                    media = stack.enter_context(copying)
            yield media

    def _recall(self, example: str) -> _Remembered | None:
        known = self._remembered.get(example)
        return known if known is not None and time.monotonic() < known.until else None

    def _remember(self, example: str, media: Media) -> None:
        if is_data_uri(example):
            return
        until = time.monotonic() + REMEMBERED_S
        self._remembered.pop(example, None)
        self._remembered[example] = _Remembered(media.path.read_bytes(), media.mime, until)
        held = sum(len(each.content) for each in self._remembered.values())
        while held > REMEMBERED_BYTES:
            _, oldest = self._remembered.popitem(last=False)
            held -= len(oldest.content)


def _images(at: FieldPath, categories: tuple[Category, ...]) -> list[tuple[FieldPath, str]]:
    return [
        ((*at, index, "examples", place), example)
        for index, category in enumerate(categories)
        for place, example in enumerate(category.examples)
        if is_image(example)
    ]


def _with_media(category: Category, index: int, found: dict[FieldPath, Media]) -> Category:
    paths = [(*_CATEGORIES, index, "examples", n) for n in range(len(category.examples))]
    return replace(
        category,
        examples=tuple(
            example
            for path, example in zip(paths, category.examples, strict=True)
            if path not in found
        ),
        media=tuple(found[path] for path in paths if path in found),
    )
