"""Sending wake-ups from an event loop: never waits for the broker, never fails."""

import logging
import threading
from collections import Counter

import dramatiq
from redis.exceptions import RedisError

from app.domain.signals import Queue
from app.workers.broker import wake_message

logger = logging.getLogger(__name__)

# So many messages wake every worker there is; those that work look for more by themselves.
MOST_AT_ONCE = 16


class Waker:
    """Owns a thread that talks to the broker. What waits while it talks is sent together."""

    def __init__(self, broker: dramatiq.Broker) -> None:
        self._broker = broker
        for queue in Queue:
            broker.declare_queue(queue.value)
        self._waiting: Counter[Queue] = Counter()
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._send_all, name="waker", daemon=True)
        self._thread.start()

    def wake(self, queue: Queue, count: int = 1) -> None:
        """Send `count` wake-ups soon."""
        with self._changed:
            self._waiting[queue] += count
            self._changed.notify()

    def close(self) -> None:
        """Stop sending. What was not sent the sweep will find."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()

    def _send_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
                if self._is_closing:
                    return
                waiting, self._waiting = self._waiting, Counter()
            try:
                for queue, count in waiting.items():
                    for _ in range(min(count, MOST_AT_ONCE)):
                        self._broker.enqueue(wake_message(queue))
            except (RedisError, OSError) as error:
                # Workers look for work by themselves; nothing is lost.
                logger.warning("the broker can't be reached: %s", error)
