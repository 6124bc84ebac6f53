"""A real server on a real socket with its own SQLite file, and accounts made by the real command.

The prepared models are shared between servers: they are the same for all, and making them takes
longer than any test.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from filelock import FileLock

from app.engines.embedded import EmbeddedEngine
from app.storage.location import Location, SqliteFile, parse_location
from tests import processes
from tests.databases import PostgresDatabases, make_sqlite
from tests.provider.server import Provider
from tests.servers import free_port, in_own_loop, start_postgres, start_redis

ROOT = processes.ROOT
START_TIMEOUT_S = 60


# Files with few tests that take long, the longest first: begun last, they would leave the other
# cores idle at the end.
LONGEST = (
    "test_schemathesis.py",
    "durability/test_kills.py",
    "test_live.py",
    "durability/test_cluster.py",
    "durability/test_webhooks.py",
    "rest/test_spending.py",
    "test_concurrency.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first. Their tests stay in order."""
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@dataclass(frozen=True)
class Site:
    """A data folder, and the command that works on it."""

    environment: dict[str, str]
    data_dir: Path

    @property
    def database(self) -> Location:
        """Where this site's database is."""
        url = self.environment.get("CLASSIFAILY_DATABASE_URL")
        return parse_location(url) if url else SqliteFile(self.data_dir / "classifaily.db")

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `classifaily …` in this site."""
        done = processes.complete(words, environment=self.environment)
        if check:
            done.check_returncode()
        return done

    def create_account(self, plan: str = "enterprise") -> int:
        """Make an account and return its id."""
        made = self.command("account", "create", "--name", f"test {plan}", "--plan", plan)
        return int(made.stdout)

    def create_key(self, account_id: int) -> str:
        """Make a key and return its secret."""
        return self.command("key", "create", "--account", str(account_id)).stdout.strip()


@dataclass
class Server:
    """A server process, which says what it says into a file: a pipe that nobody reads fills up."""

    site: Site
    base_url: str
    process: processes.Running
    log: Path

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8")

    def client(self, key: str | None = None) -> httpx.Client:
        """Return an HTTP client that sends `key`."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=60)


@dataclass(frozen=True)
class Tenant:
    """An account, one of its keys, and a client that uses it."""

    site: Site
    account_id: int
    key: str
    client: httpx.Client


@pytest.fixture(scope="session")
def prepared_models(pytestconfig: pytest.Config) -> Path:
    """The models in the form in which they run, kept with pytest's cache from run to run."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("models")
    with FileLock(folder / ".lock"):
        engine = EmbeddedEngine(folder)
        engine.load()
        engine.close()
    return folder


@pytest.fixture(scope="session")
def make_site(
    tmp_path_factory: pytest.TempPathFactory, prepared_models: Path
) -> Callable[..., Site]:
    """Return a function that makes a site with a database of its own, or with none yet."""

    def make(*, migrated: bool = True, **settings: str) -> Site:
        data_dir = tmp_path_factory.mktemp("site")
        if migrated:
            make_sqlite(data_dir)
        (data_dir / "models").symlink_to(prepared_models)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CLASSIFAILY_")}
        variables = {f"CLASSIFAILY_{name.upper()}": value for name, value in settings.items()}
        return Site({**inherited, "CLASSIFAILY_DATA_DIR": str(data_dir), **variables}, data_dir)

    return make


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Databases on the PostgreSQL server that the environment names, or on a private one."""
    named = os.environ.get("CLASSIFAILY_TEST_POSTGRES_URL")
    private = None if named else start_postgres()
    databases = PostgresDatabases(named or private.url())
    yield databases
    in_own_loop(databases.close)
    if private is not None:
        private.close()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The Redis server that the environment names, or a private one."""
    named = os.environ.get("CLASSIFAILY_TEST_REDIS_URL")
    if named:
        yield named
        return
    private = start_redis()
    yield private.url
    private.close()


@contextmanager
def running(site: Site, *options: str) -> Iterator[Server]:
    """Run a server on a free port for the length of a block."""
    port = free_port()
    log = site.data_dir / f"server-{port}.log"
    words = ("serve", "--port", str(port), *options)
    process = processes.start(words, environment=site.environment, stdout=log)
    server = Server(site, f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise


@pytest.fixture(scope="session")
def server(make_site: Callable[..., Site]) -> Iterator[Server]:
    """One server for all tests that don't need one of their own."""
    with running(make_site()) as started:
        yield started


@pytest.fixture(scope="session")
def idle_server(make_site: Callable[..., Site], redis_url: str) -> Iterator[Server]:
    """A server whose jobs wait for ever: it leaves them to workers, and there are none."""
    with running(make_site(broker_url=redis_url)) as started:
        yield started


@pytest.fixture(scope="session")
def make_tenant(server: Server) -> Iterator[Callable[..., Tenant]]:
    """Return a function that makes a tenant of the shared server."""
    with _tenants_of(server) as make:
        yield make


@pytest.fixture(scope="session")
def make_idle_tenant(idle_server: Server) -> Iterator[Callable[..., Tenant]]:
    """Return a function that makes a tenant whose jobs wait for ever."""
    with _tenants_of(idle_server) as make:
        yield make


@pytest.fixture(scope="session")
def idle_tenant(make_idle_tenant: Callable[..., Tenant]) -> Tenant:
    """An enterprise tenant whose jobs wait for ever."""
    return make_idle_tenant()


@contextmanager
def _tenants_of(server: Server) -> Iterator[Callable[..., Tenant]]:
    clients: list[httpx.Client] = []

    def make(plan: str = "enterprise") -> Tenant:
        account_id = server.site.create_account(plan)
        key = server.site.create_key(account_id)
        clients.append(server.client(key))
        return Tenant(server.site, account_id, key, clients[-1])

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider of models on loopback, which misbehaves on command."""
    with Provider() as started:
        yield started


@pytest.fixture(scope="session")
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    """An enterprise tenant for tests that don't count anything."""
    return make_tenant()


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        ended = server.process.poll()
        if ended is not None:
            raise AssertionError(f"the server ended with {ended}:\n{server.output}")
        try:
            httpx.get(f"{server.base_url}/healthz", timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start in time")
