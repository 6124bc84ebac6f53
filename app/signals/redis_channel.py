"""Topics over Redis' publish and subscribe: every process hears what any of them says.

All topics go through one channel. What is said while Redis is away is lost: listeners look at the
database by themselves now and then.
"""

import asyncio
import logging

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.signals.listeners import Listeners

logger = logging.getLogger(__name__)

CHANNEL = "classifaily:changes"
_RECONNECT_S = 1.0
_TIMEOUT_S = 5
# What could not be said by then is old news.
_WAITING = 10_000


class RedisChannel:
    """One process' connection to the channel. Open it and close it inside its event loop."""

    def __init__(self, url: str, listeners: Listeners) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=_TIMEOUT_S, decode_responses=True)
        self._listeners = listeners
        self._unsaid: asyncio.Queue[str] = asyncio.Queue(_WAITING)
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._say())]

    def publish(self, topic: str) -> None:
        """Say a topic soon; never waits."""
        if not self._unsaid.full():
            self._unsaid.put_nowait(topic)

    async def is_reachable(self) -> bool:
        """Tell whether Redis answers."""
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Stop hearing and saying."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._redis.aclose()

    async def _hear(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    async for message in channel.listen():
                        if message["type"] == "message":
                            self._listeners.tell(message["data"])
            except (RedisError, OSError) as error:
                logger.warning("Redis does not answer: %s", error)
            await asyncio.sleep(_RECONNECT_S)

    async def _say(self) -> None:
        while True:
            topics = {await self._unsaid.get()}
            while not self._unsaid.empty():
                topics.add(self._unsaid.get_nowait())
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for topic in topics:
                        pipeline.publish(CHANNEL, topic)
                    await pipeline.execute()
            except (RedisError, OSError) as error:
                logger.warning("Redis does not answer: %s", error)
                await asyncio.sleep(_RECONNECT_S)
