"""What judges ask for: the frames of an image or a video, the sound of a recording."""

import os
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engines.contract import Media
from app.engines.errors import ModelUnavailable
from app.media.limits import LARGEST, Bounds
from app.media.process import Child, NotTaken

Pixels = NDArray[np.uint8]
Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image: `frames` are (height, width, 3) of RGB, one unless it is an animation.

    They are upright, over white, and scaled down to the bounds that were asked for; `width` and
    `height` are those of the file.
    """

    frames: tuple[Pixels, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame of a video, as `Picture` has them, and its time from the start in seconds."""

    seconds: float
    frame: Pixels


@dataclass(frozen=True, slots=True)
class Footage:
    """The frames of a video that show what there is to see, in the order of time: 1 to 16."""

    moments: tuple[Moment, ...]
    seconds: float
    has_sound: bool


class Decoder:
    """Decodes files in child processes, which start when first needed and are kept.

    At most `children` idle ones of each kind are kept; as many work at a time as threads call.
    Blocking; safe to share between threads.
    """

    def __init__(self, *, children: int | None = None) -> None:
        self._children = children or len(_cores())
        self._idle: dict[str, list[Child]] = {"image": [], "sound": [], "video": []}
        self._busy: set[Child] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def image(self, media: Media, bounds: Bounds = LARGEST) -> Picture:
        """Decode an image, scaled down to bounds: a JPEG then takes a fraction of the time.

        Raises:
            UnreadableMedia: It can't be decoded within the limits.
            ModelUnavailable: No child can be started.
        """
        parts = list(self._parts("image", media, {"long": bounds.long, "short": bounds.short}))
        facts = parts[0][0]
        return Picture(tuple(frame for _, frame in parts), facts["width"], facts["height"])

    @contextmanager
    def sound(self, media: Media) -> Iterator[Iterator[Samples]]:
        """Decode sound for the length of a block: chunks of up to 30 s, one after another.

        They are one channel of 16,000 samples a second. No more than a chunk is held at a time,
        however long the recording. The iterator raises what `image` does.
        """
        with closing(self._parts("sound", media)) as parts:
            yield (samples for _, samples in parts)

    def video(self, media: Media) -> Footage:
        """Decode the frames of a video.

        Raises:
            UnreadableMedia: It can't be decoded within the limits.
            ModelUnavailable: No child can be started.
        """
        parts = list(self._parts("video", media))
        facts = parts[0][0]
        moments = tuple(Moment(part["at"], frame) for part, frame in parts)
        return Footage(moments, facts["seconds"], facts["has_sound"])

    def close(self) -> None:
        """End all children. What they are at fails."""
        with self._lock:
            self._is_closed = True
            children = [*self._busy, *(child for idle in self._idle.values() for child in idle)]
            self._idle = {kind: [] for kind in self._idle}
        for child in children:
            child.end()

    def _parts(
        self, kind: str, media: Media, asked: Mapping[str, int] = MappingProxyType({})
    ) -> Generator[tuple[dict[str, Any], NDArray[Any]]]:
        """Decode a file, with a new child where a kept one had ended before it took the file."""
        try:
            with self._child(kind) as child:
                yield from child.decode(media.path, media.mime, asked)
            return
        except NotTaken:
            pass
        try:
            with self._child(kind, is_new=True) as child:
                yield from child.decode(media.path, media.mime, asked)
        except NotTaken:
            raise ModelUnavailable(f"the process that decodes {kind} ends at once") from None

    @contextmanager
    def _child(self, kind: str, *, is_new: bool = False) -> Iterator[Child]:
        child = self._start(kind) if is_new else self._take(kind)
        try:
            yield child
        finally:
            self._give_back(child)

    def _take(self, kind: str) -> Child:
        while True:
            with self._lock:
                if self._is_closed:
                    raise ModelUnavailable("the server is stopping")
                child = self._idle[kind].pop() if self._idle[kind] else None
                if child is not None and child.is_fit:
                    self._busy.add(child)
                    return child
            if child is not None:
                child.end()
                continue
            return self._start(kind)

    def _start(self, kind: str) -> Child:
        child = Child(kind)
        with self._lock:
            if not self._is_closed:
                self._busy.add(child)
                return child
        child.end()
        raise ModelUnavailable("the server is stopping")

    def _give_back(self, child: Child) -> None:
        with self._lock:
            self._busy.discard(child)
            idle = self._idle[child.kind]
            keep = not self._is_closed and child.is_fit and len(idle) < self._children
            if keep:
                idle.append(child)
        if not keep:
            child.end()


def _cores() -> set[int]:
    # Those that this process may use, which in a container are fewer than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))
