"""Which tests say that they prove which row: asked of pytest itself, so that nothing but what it
would run counts.
"""

import contextlib
import io
from collections import defaultdict

import pytest

MARKER = "contract"
Proofs = dict[str, list[str]]
"""The tests of each row, in the order of collection."""


class _Collector:
    def __init__(self) -> None:
        self.proofs: Proofs = defaultdict(list)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            # What never runs, or may fail, proves nothing.
            if item.get_closest_marker("skip") or item.get_closest_marker("xfail"):
                continue
            for mark in item.iter_markers(MARKER):
                for row in mark.args:
                    self._note(row, _name(item, mark))

    def _note(self, row: str, name: str) -> None:
        if name not in self.proofs[row]:
            self.proofs[row].append(name)


def _name(item: pytest.Item, mark: pytest.Mark) -> str:
    """Return the test's name; with its parameters only when the mark is theirs alone."""
    name = item.nodeid.removeprefix("tests/")
    call = getattr(item, "callspec", None)
    of_parameters = call is not None and mark in call.marks
    return name if of_parameters else name.partition("[")[0]


def collect(*paths: str) -> Proofs:
    """Collect the tests, of the whole suite unless paths are given.

    Raises:
        RuntimeError: pytest can't collect them; the message is what it said.
    """
    collector = _Collector()
    said = io.StringIO()
    arguments = ["--collect-only", "-qq", "-p", "no:cacheprovider", *paths]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main(arguments, plugins=[collector])
    if code != pytest.ExitCode.OK:
        # Before the errors stands every file with its number of tests.
        raise RuntimeError(said.getvalue().rpartition(" ERRORS ")[2])
    return dict(collector.proofs)
