"""The broker and its actors.

A message carries nothing: it says that something waits, and whoever gets it takes up what is due
first. So a message may be lost, doubled or late, and a wiped broker loses no work.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

from app.domain.signals import Queue

NAMESPACE = "classifaily"
# Messages of a worker that died are of no use to anybody, but must not stay for ever.
HEARTBEAT_TIMEOUT_MS = 30_000
# Of a million commands, so many look for dead workers.
MAINTENANCE_CHANCE = 10_000
_TIMEOUT_S = 5

Poke = Callable[[], None]


def make_broker(url: str) -> dramatiq.Broker:
    """Return the broker of a URL: `memory://` or `redis://…`. It does not connect yet."""
    # No middleware: time limits, retries and what can't be done are the database's matter. A
    # message that fails says nothing that would be lost.
    if urlsplit(url).scheme == "memory":
        return StubBroker(middleware=[])
    # Dramatiq has no types for this class.
    return RedisBroker(  # type: ignore[no-untyped-call]
        client=_client_of(url),
        middleware=[],
        namespace=NAMESPACE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=MAINTENANCE_CHANCE,
    )


def ping(url: str) -> None:
    """Ask the Redis at a URL whether it is there.

    Raises:
        ConnectionError: It is not; the message says why.
    """
    try:
        _client_of(url).ping()
    except (redis.RedisError, ValueError) as error:
        raise ConnectionError(str(error)) from None


def _client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=_TIMEOUT_S, socket_timeout=_TIMEOUT_S)


def declare_actors(broker: dramatiq.Broker, pokes: Mapping[Queue, Poke]) -> None:
    """Declare an actor for each queue, which pokes this process' pump of it."""
    for queue, poke in pokes.items():
        declare = dramatiq.actor(
            actor_name=_actor_name(queue), queue_name=queue.value, broker=broker
        )
        declare(poke)


def wake_message(queue: Queue) -> dramatiq.Message[None]:
    """Return a message that wakes a worker of a queue."""
    return dramatiq.Message(
        queue_name=queue.value, actor_name=_actor_name(queue), args=(), kwargs={}, options={}
    )


def _actor_name(queue: Queue) -> str:
    return f"take_up_{queue.value}"
