"""Getting what a task is about: a URL is fetched, a data URI decoded, each into a file.

The file is there for as long as a block runs, and so is a place: so many of a kind are held at a
time by one process, whatever is asked of it, so that its disk has a bound. What comes is held to a
limit of bytes and of time, and to the formats that are accepted, by its first bytes.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from app.domain.errors import FieldPath, MediaUnavailable
from app.domain.media.data_uri import decode_data_uri, is_data_uri
from app.domain.media.folder import MediaFolder
from app.domain.media.signatures import ACCEPTED, HEAD_BYTES, is_markup, mime_of
from app.domain.media.source import NAMES, too_large
from app.engines.contract import InputType, Media
from app.engines.errors import EngineBusy
from app.observability import metrics
from app.outbound.client import Outbound
from app.outbound.errors import (
    BadAnswer,
    OutboundError,
    Refused,
    TimedOut,
    TooLarge,
    UnknownName,
)

#: Longer data URIs are decoded in a thread (characters).
_LONG = 100_000
# With the default limits, 1.3 GB of images and 3.2 GB of recordings and videos.
_PLACES = {InputType.IMAGE: 64, InputType.AUDIO: 16, InputType.VIDEO: 16}
# Statuses of a client's fault that may pass by themselves.
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """The most bytes by type of input, and how long a fetch may take in all (seconds)."""

    bytes: dict[InputType, int]
    deadline_s: float


class MediaFetcher:
    """One per process and event loop."""

    def __init__(self, outbound: Outbound, folder: MediaFolder, limits: MediaLimits) -> None:
        self.limits = limits
        self._outbound = outbound
        self._folder = folder
        self._places = {kind: asyncio.Semaphore(count) for kind, count in _PLACES.items()}

    @asynccontextmanager
    async def place(self, input_type: InputType, *, within_s: float) -> AsyncIterator[None]:
        """Wait for a place among the files of a kind, and hold it for the length of a block.

        Raises:
            EngineBusy: None came free in time.
        """
        places = self._places[input_type]
        try:
            async with asyncio.timeout(within_s):
                await places.acquire()
        except TimeoutError:
            raise EngineBusy(f"too much {input_type.value} is being judged") from None
        try:
            yield
        finally:
            places.release()

    @asynccontextmanager
    async def fetched(
        self, content: str, input_type: InputType, *, path: FieldPath, limit: int | None = None
    ) -> AsyncIterator[Media]:
        """Get a URL's or a data URI's content into a file, which is there within the block.

        `path` leads to the field that holds it; `limit` is the most bytes, if not the type's.

        Raises:
            MediaUnavailable: It can't be had, is too large or not of the type.
        """
        limit = self.limits.bytes[input_type] if limit is None else limit
        with self._folder.new_file() as file:
            try:
                size = await self._get(content, input_type, file, limit=limit)
                mime = _mime_in(file, input_type)
            except OutboundError as error:
                metrics.media_failed(input_type.value, reason=_reason_of(error))
                problem = _problem_of(error, input_type, limit)
                raise MediaUnavailable(path, problem, lasting=_is_lasting(error)) from error
            except _NotAccepted as error:
                metrics.media_failed(input_type.value, reason="wrong_type")
                raise MediaUnavailable(path, str(error), lasting=True) from None
            metrics.media_fetched(input_type.value, size=size)
            yield Media(file, mime)

    @contextmanager
    def copied(self, content: bytes, mime: str) -> Iterator[Media]:
        """Put what was fetched before into a file for the length of a block."""
        with self._folder.new_file() as file:
            file.write_bytes(content)
            yield Media(file, mime)

    async def _get(self, content: str, input_type: InputType, file: Path, *, limit: int) -> int:
        with file.open("wb") as opened:
            if not is_data_uri(content):
                deadline_s = self.limits.deadline_s
                downloaded = await self._outbound.download(
                    content, opened, max_bytes=limit, deadline_s=deadline_s
                )
                return downloaded.size
            decode = partial(_decode, content, input_type, opened)
            return await asyncio.to_thread(decode) if len(content) > _LONG else decode()


def _decode(content: str, input_type: InputType, file: BinaryIO) -> int:
    return file.write(decode_data_uri(content, input_type))


class _NotAccepted(Exception):
    """It is not of the type. The message says so, after the field's name."""


def _mime_in(file: Path, input_type: InputType) -> str:
    with file.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
    accepted = ACCEPTED[input_type]
    mime = mime_of(head)
    if mime is not None and mime in accepted:
        return mime
    *most, last = accepted.values()
    seems = f"is {_found(head, mime)}, not {NAMES[input_type]} in a format that is accepted"
    raise _NotAccepted(f"{seems}: {', '.join(most)} or {last}")


def _found(head: bytes, mime: str | None) -> str:
    if mime is not None:
        return next(names[mime] for names in ACCEPTED.values() if mime in names)
    if not head:
        return "empty"
    return "a web page, an SVG or a playlist" if is_markup(head) else "something else"


def _problem_of(error: OutboundError, input_type: InputType, limit: int) -> str:
    if isinstance(error, TooLarge):
        return too_large(input_type, limit)
    return f"could not be fetched. {error}"


def _is_lasting(error: OutboundError) -> bool:
    # A name that nobody knows lasts as a private one does: else the time that a job takes would
    # tell the two apart.
    if isinstance(error, BadAnswer):
        status = error.status or 0
        return status < 500 and status not in _PASSING
    return isinstance(error, Refused | TooLarge | UnknownName)


def _reason_of(error: OutboundError) -> str:
    reasons = {
        Refused: "refused",
        UnknownName: "refused",
        BadAnswer: "bad_answer",
        TooLarge: "too_large",
        TimedOut: "timed_out",
    }
    return reasons.get(type(error), "unreachable")
