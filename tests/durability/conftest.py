"""Processes that share a PostgreSQL and a Redis server, which a module's tests may kill."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Site
from tests.databases import PostgresDatabases
from tests.servers import (
    PrivatePostgres,
    PrivateRedis,
    in_own_loop,
    start_postgres,
    start_redis,
)
from tests.webhooks.receiver import Receiver

LEASE_S = 3


@pytest.fixture(scope="module")
def postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL server of this module's own."""
    server = start_postgres()
    yield server
    server.close()


@pytest.fixture(scope="module")
def databases(postgres: PrivatePostgres) -> PostgresDatabases:
    """Databases on it."""
    return PostgresDatabases(postgres.url())


@pytest.fixture(scope="module")
def redis() -> Iterator[PrivateRedis]:
    """A Redis server of this module's own."""
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
    make_site: Callable[..., Site], databases: PostgresDatabases, redis: PrivateRedis
) -> Site:
    """A site whose processes share a database on PostgreSQL, and Redis."""
    redis.flush()
    url = in_own_loop(databases.make).url
    return make_site(database_url=url, broker_url=redis.url, lease_seconds=str(LEASE_S))
