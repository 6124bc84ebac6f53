"""Server and worker processes that a test may kill, stop and start again."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httpx

from tests import processes
from tests.conftest import Site
from tests.servers import free_port, wait_until

START_TIMEOUT_S = 90


@dataclass
class Process:
    """One process of ours. What it says goes to a file in the site's folder."""

    site: Site
    words: Sequence[str]
    name: str
    url: str | None = None
    _process: processes.Running | None = field(default=None, repr=False)
    _said_before: int = field(default=0, repr=False)

    @property
    def pid(self) -> int:
        """The running process' id."""
        assert self._process is not None
        return self._process.pid

    @property
    def address(self) -> str:
        """Where a web process answers."""
        assert self.url is not None
        return self.url

    @property
    def output(self) -> str:
        """All that it said so far, over all its lives."""
        return (self.site.data_dir / f"{self.name}.log").read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it; does not wait."""
        log = self.site.data_dir / f"{self.name}.log"
        self._said_before = len(self.output) if log.exists() else 0
        self._process = processes.start(self.words, environment=self.site.environment, stdout=log)

    def wait_until_ready(self) -> None:
        """Wait until a web process answers; a worker says that it is ready."""
        wait_until(self.is_ready, timeout_s=START_TIMEOUT_S)

    def is_ready(self) -> bool:
        """Tell whether it is ready in its present life. It must not have ended."""
        assert self._process is not None
        assert self._process.poll() is None, self.output
        if self.url is None:
            return "The worker is ready." in self.output[self._said_before :]
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        return False

    def keep_up(self) -> None:
        """Start it anew if it has ended, as what runs it in production does."""
        assert self._process is not None
        if self._process.poll() is not None:
            self.start()

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def terminate(self) -> float:
        """Ask it to end, and return how many seconds that took."""
        began = time.monotonic()
        self._end(signal.SIGTERM)
        return time.monotonic() - began

    def freeze(self) -> None:
        """Stop it in its tracks."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            # A frozen process hears of its end only once it goes on.
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(timeout=60)
            self._process = None


def web(site: Site, name: str = "web", *options: str) -> Process:
    """Return a web process, not started."""
    port = free_port()
    words = ("serve", "--port", str(port), *options)
    return Process(site, words, name, url=f"http://127.0.0.1:{port}")


def worker(site: Site, name: str = "worker") -> Process:
    """Return a worker process, not started."""
    return Process(site, ("worker",), name)


@contextlib.contextmanager
def started(*processes: Process) -> Iterator[None]:
    """Run processes for the length of a block."""
    try:
        for process in processes:
            process.start()
        for process in processes:
            process.wait_until_ready()
        yield
    finally:
        for process in processes:
            process.kill()
