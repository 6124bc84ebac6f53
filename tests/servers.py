"""Private PostgreSQL and Redis servers on free ports, that tests may kill and start again.

A server named by `CLASSIFAILY_TEST_POSTGRES_URL` or `CLASSIFAILY_TEST_REDIS_URL` is used by those
tests that need not restart it. Without one and without the binaries such tests are skipped, unless
`CLASSIFAILY_TEST_REQUIRE` names the server: then they fail.
"""

import asyncio
import contextlib
import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
import redis

T = TypeVar("T")

START_TIMEOUT_S = 30


def missing(server: str, why: str) -> None:
    """Skip a test for want of a server, or fail it where the server is required."""
    if server in os.environ.get("CLASSIFAILY_TEST_REQUIRE", "").split(","):
        pytest.fail(f"{server} is required: {why}")
    pytest.skip(f"needs {server}: {why}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def find_binary(name: str) -> str | None:
    """Return a program of the path or of Debian's PostgreSQL."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(versions[0]) if versions else shutil.which(name)


class PrivateServer:
    """A server process with a folder and a port of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="classifaily-test-"))
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Return what starts the server."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Tell whether the server answers."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, start_new_session=True, **self.identity()
            )
        wait_until(self.answers)

    def identity(self) -> dict[str, str]:
        """Return as whom to run."""
        return {}

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the server in order."""
        self._end(signal.SIGINT)

    def restart(self) -> None:
        """End the server in order and start it again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            # PostgreSQL's own processes leave its group, and would answer for a while without it.
            orphans = children_of(self._process.pid) if number is signal.SIGKILL else []
            os.killpg(self._process.pid, number)
            for orphan in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(orphan, number)
            self._process.wait(timeout=30)
            self._process = None


def children_of(pid: int) -> list[int]:
    """Return the ids of the processes that a process started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


def is_running(pid: int) -> bool:
    """Tell whether a process has not ended; one that nobody has waited for yet has."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


class PrivatePostgres(PrivateServer):
    """A PostgreSQL server whose only database user needs no password."""

    def __init__(self, initdb: str, postgres: str, *, fsync: bool = False) -> None:
        super().__init__()
        self._postgres = postgres
        # What the system holds survives a killed process; only a loss of power needs the disk.
        self._fsync = fsync
        # The server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        if os.geteuid() == 0:
            owner = pwd.getpwnam(self._user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        subprocess.run(
            [
                *(initdb, "--pgdata", str(self.data), "--username", "postgres"),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C"),
                *("--no-sync", "--no-instructions"),
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **self.identity(),
        )

    @property
    def data(self) -> Path:
        """The folder of the data."""
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def identity(self) -> dict[str, str]:
        """Return as whom to run."""
        return {"user": self._user} if os.geteuid() == 0 else {}

    def command(self) -> list[str]:
        """Return what starts the server."""
        fsync = "on" if self._fsync else "off"
        options = [f"fsync={fsync}", "max_connections=200", "unix_socket_directories="]
        switches = [word for option in options for word in ("-c", option)]
        return [self._postgres, "-D", str(self.data), "-p", str(self.port), *switches]

    def answers(self) -> bool:
        """Tell whether the server answers."""
        return can_connect(self.url())


class PrivateRedis(PrivateServer):
    """A Redis server that keeps nothing on disk."""

    def __init__(self, binary: str) -> None:
        super().__init__()
        self._binary = binary

    @property
    def url(self) -> str:
        """The URL of the first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """Return what starts the server."""
        return [
            self._binary,
            *("--port", str(self.port)),
            *("--bind", "127.0.0.1"),
            *("--save", ""),
            *("--appendonly", "no"),
            *("--dir", str(self.folder)),
        ]

    def answers(self) -> bool:
        """Tell whether the server answers."""
        try:
            return bool(redis.Redis.from_url(self.url).ping())
        except redis.ConnectionError:
            return False

    def flush(self) -> None:
        """Forget everything."""
        redis.Redis.from_url(self.url).flushall()


def start_postgres() -> PrivatePostgres:
    """Start a private PostgreSQL server, or skip the test."""
    initdb, postgres = find_binary("initdb"), find_binary("postgres")
    if initdb is None or postgres is None:
        missing("postgres", "no initdb and postgres on this machine")
        raise AssertionError
    server = PrivatePostgres(initdb, postgres)
    server.start()
    return server


def start_redis() -> PrivateRedis:
    """Start a private Redis server, or skip the test."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        missing("redis", "no redis-server on this machine")
        raise AssertionError
    server = PrivateRedis(binary)
    server.start()
    return server


def can_connect(url: str) -> bool:
    """Tell whether PostgreSQL answers at a URL."""

    async def connect() -> None:
        connection = await asyncpg.connect(url, timeout=5)
        await connection.close()

    try:
        in_own_loop(connect)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    return True


def in_own_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in a loop of its own, although this thread may be inside one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


def wait_until(condition: Callable[[], bool], *, timeout_s: float = START_TIMEOUT_S) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
