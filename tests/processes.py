"""Processes of `classifaily`, many of them: forked from one that has imported it all.

Importing takes seconds, which is most of what a command or the start of a server takes. What runs
in the fork is `main`, with its own environment, output and exit status, as from a shell. What
starts processes of its own runs from a shell indeed: those would import anew.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parent.parent
COMMAND_TIMEOUT_S = 120
_WITH_CHILDREN = {"--workers", "--processes", "--reload"}

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.imported", __name__])


class Running(Protocol):
    """A process that was started: what `subprocess.Popen` says of it."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    def poll(self) -> int | None:
        """Return its exit status, or None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit status."""
        ...

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it still runs."""
        ...


class _Forked:
    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], stdout: Path, stderr: Path
    ) -> None:
        self._words = words
        self._process = _forks.Process(
            target=_run, args=(words, environment, stdout, stderr), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(list(self._words), timeout or 0)
        return status

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)


def start(
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdout: Path,
    stderr: Path | None = None,
) -> Running:
    """Start `classifaily …`; what it says is appended to files, to one unless there are two."""
    if not _WITH_CHILDREN.isdisjoint(words):
        with stdout.open("ab") as out, (stderr or stdout).open("ab") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "app", *words],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=err,
            )
    for output in (stdout, stderr or stdout):
        output.touch()
    return _Forked(list(words), dict(environment), stdout, stderr or stdout)


def complete(
    words: Sequence[str], *, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run `classifaily …` to its end, and return its exit status and what it said."""
    with tempfile.TemporaryDirectory() as folder:
        stdout, stderr = Path(folder) / "stdout", Path(folder) / "stderr"
        process = start(words, environment=environment, stdout=stdout, stderr=stderr)
        status = process.wait(COMMAND_TIMEOUT_S)
        said = stdout.read_text(encoding="utf-8"), stderr.read_text(encoding="utf-8")
    return subprocess.CompletedProcess(list(words), status, *said)


def _run(words: Sequence[str], environment: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for number, path in ((1, stdout), (2, stderr)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["classifaily", *words]
    from app.cli.main import main

    main()
