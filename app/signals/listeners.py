"""Who listens to what in this process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Ear:
    """One listener. What is said twice before it is heard is heard once."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    def hear(self) -> None:
        """Note that something was said."""
        self._heard.set()

    async def wait(self, timeout_s: float) -> None:
        """Return when something was said since the last call, or when the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._heard.wait()
        self._heard.clear()


class Listeners:
    """The listeners of a process, by topic. Used inside one event loop."""

    def __init__(self) -> None:
        self._ears: dict[str, set[Ear]] = {}

    @contextmanager
    def listen(self, topic: str) -> Iterator[Ear]:
        """Listen to a topic for the length of a block."""
        ear = Ear()
        self._ears.setdefault(topic, set()).add(ear)
        try:
            yield ear
        finally:
            ears = self._ears[topic]
            ears.discard(ear)
            if not ears:
                del self._ears[topic]

    def tell(self, topic: str) -> None:
        """Let everybody who listens to a topic hear."""
        for ear in self._ears.get(topic, ()):
            ear.hear()
