"""Cached answers in Redis, which forgets them by itself: when they lapse, or for want of memory."""

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

PREFIX = "classifaily:answer:"
_TIMEOUT_S = 0.5


class RedisAnswers:
    """Answers of one process' connections. Make it and close it inside its event loop."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_connect_timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
            decode_responses=True,
        )

    async def find(self, keys: Sequence[str]) -> dict[str, str]:
        """Return those that are there.

        Raises:
            OSError: Redis can't be asked.
        """
        try:
            values = await self._redis.mget([PREFIX + key for key in keys])
        except RedisError as error:
            raise OSError(str(error)) from error
        pairs = zip(keys, values, strict=True)
        return {key: value for key, value in pairs if isinstance(value, str)}

    async def keep(self, account_id: int, answers: Mapping[str, str], *, ttl_s: int) -> None:
        """Keep answers for so long.

        Raises:
            OSError: Redis can't be asked.
        """
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key, answer in answers.items():
                    pipeline.set(PREFIX + key, answer, ex=ttl_s)
                await pipeline.execute()
        except RedisError as error:
            raise OSError(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
