"""What `/metrics` answers: the counts of this process, or of all processes of one command.

A command that runs several processes shares a folder among them, one file a process, as
prometheus_client's multiprocess mode wants it
(https://prometheus.github.io/client_python/multiprocess/). The library reads the folder's name from
the environment when it is first imported, so the parent sets it before it starts a child. Any
process then answers for all.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from prometheus_client import REGISTRY, CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_LOCK = "alive.lock"


@contextmanager
def shared_between_processes(data_dir: Path, command: str) -> Iterator[None]:
    """Let the processes started in a block count together; for their parent.

    The folder is new at each start, below `<data_dir>/metrics`. Those of parents that were killed
    are removed: a lock that the parent holds tells them from those in use.
    """
    base = data_dir / "metrics"
    base.mkdir(parents=True, exist_ok=True)
    # A folder that is made but not locked yet would look abandoned to another parent.
    with FileLock(base / _LOCK):
        _remove_abandoned(base)
        folder = Path(tempfile.mkdtemp(prefix=f"{command}-", dir=base))
        alive = FileLock(folder / _LOCK)
        alive.acquire()
    os.environ[_FOLDER_VARIABLE] = str(folder)
    try:
        yield
    finally:
        os.environ.pop(_FOLDER_VARIABLE, None)
        alive.release()
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(base: Path) -> None:
    for folder in filter(Path.is_dir, base.iterdir()):
        with suppress(Timeout, OSError), FileLock(folder / _LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)


def render(accept: str) -> tuple[bytes, str]:
    """Return the metrics in the text format that `accept` asks for, and its media type."""
    encoder, media_type = choose_encoder(accept)
    return encoder(_registry()), media_type


@contextmanager
def serving_metrics(port: int, *, host: str) -> Iterator[None]:
    """Answer `/metrics` from a thread for the length of a block, in a process that has no web."""
    server, thread = start_http_server(port, addr=host, registry=_registry())
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _registry() -> CollectorRegistry:
    folder = os.environ.get(_FOLDER_VARIABLE)
    if folder is None:
        return REGISTRY
    registry = CollectorRegistry()
    registry.register(_Processes(Path(folder)))
    return registry


class _Processes(Collector):
    """The sum over the folder's files, and the standard process metrics of each that lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Read all files."""
        living = []
        for pid in sorted({_pid_of(path) for path in self._folder.glob("*.db")}):
            if Path(f"/proc/{pid}").exists():
                living.append(pid)
            else:
                # What it counted stays; what it had in flight is gone with it.
                mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]
        yield from MultiProcessCollector(None, str(self._folder)).collect()  # type: ignore[no-untyped-call]
        yield from _by_process(living)


def _pid_of(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def _by_process(pids: Iterable[int]) -> Iterable[Metric]:
    merged: dict[str, Metric] = {}
    for pid in pids:
        for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
            whole = merged.setdefault(
                metric.name, Metric(metric.name, metric.documentation, metric.type)
            )
            for sample in metric.samples:
                whole.add_sample(sample.name, {"pid": str(pid)}, sample.value)
    return merged.values()
