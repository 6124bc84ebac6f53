"""The signals of one process: wake-ups by the broker, topics in memory or over Redis."""

from contextlib import AbstractContextManager

import dramatiq

from app.domain.signals import Listener, Queue
from app.signals.listeners import Listeners
from app.signals.redis_channel import RedisChannel
from app.workers.waker import Waker


class ProcessSignals:
    """Made and closed inside the process' event loop."""

    def __init__(self, broker: dramatiq.Broker, *, redis_url: str | None) -> None:
        self._waker = Waker(broker)
        self._listeners = Listeners()
        self._channel = None if redis_url is None else RedisChannel(redis_url, self._listeners)

    def wake(self, queue: Queue, count: int = 1) -> None:
        """Tell workers that `count` more things wait."""
        self._waker.wake(queue, count)

    def publish(self, topic: str) -> None:
        """Tell all processes that something about the topic changed."""
        if self._channel is None:
            self._listeners.tell(topic)
        else:
            self._channel.publish(topic)

    def listen(self, topic: str) -> AbstractContextManager[Listener]:
        """Listen to a topic for the length of a block."""
        return self._listeners.listen(topic)

    async def is_reachable(self) -> bool:
        """Tell whether the broker answers; the embedded one always does."""
        return self._channel is None or await self._channel.is_reachable()

    async def close(self) -> None:
        """Stop sending and hearing."""
        self._waker.close()
        if self._channel is not None:
            await self._channel.close()
