"""Processes that share a PostgreSQL and a Redis server of their own."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Site
from tests.servers import PrivatePostgres, PrivateRedis, start_postgres, start_redis
from tests.webhooks.receiver import Receiver

LEASE_S = 3


@pytest.fixture
def postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL server of this test's own."""
    server = start_postgres()
    yield server
    server.close()


@pytest.fixture
def redis() -> Iterator[PrivateRedis]:
    """A Redis server of this test's own."""
    server = start_redis()
    yield server
    server.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint that is told of what ends."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def cluster_site(
    make_site: Callable[..., Site], postgres: PrivatePostgres, redis: PrivateRedis
) -> Site:
    """A site whose processes share PostgreSQL and Redis."""
    site = make_site(database_url=postgres.url(), broker_url=redis.url, lease_seconds=str(LEASE_S))
    site.command("migrate")
    return site
