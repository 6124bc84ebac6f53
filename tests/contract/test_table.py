"""The table fails where it should."""

from pathlib import Path

import pytest

from tests.contract.proofs import collect
from tests.contract.rows import load
from tests.contract.table import problems, render

ROWS = """
[[section]]
title = "Things"
key = "thing"
columns = ["free", "pro"]
[section.rows]
size = "`size`: small | large"
colour = "`colour`"
[section.cells]
count = ["Things", "1", "—"]

[[pending]]
reason = "paint"
rows = ["thing.col*"]
"""
PROVEN = {row: ["test_x.py::test"] for row in ("thing.size", "thing.count.free", "thing.count.pro")}


def test_all_is_well() -> None:
    contract = load(ROWS)
    assert list(problems(contract, PROVEN)) == []
    page = render(contract, PROVEN)
    assert "4 rows: 3 proven, 1 not yet." in page
    assert "| `size`: small \\| large | `test_x.py::test` |" in page
    assert "| `colour` | **not yet**: paint |" in page
    assert "| Things · Pro: — | `test_x.py::test` |" in page


@pytest.mark.parametrize(
    ("proofs", "said"),
    [
        ({"thing.size": None}, "thing.size has no test"),
        ({"thing.colour": ["test_x.py::test"]}, "thing.colour has a test and is still pending"),
        ({"thing.weight": ["test_x.py::test"]}, "thing.weight is no row, but test_x.py::test"),
    ],
)
def test_a_gap_is_told(proofs: dict[str, list[str] | None], said: str) -> None:
    changed = {row: tests for row, tests in {**PROVEN, **proofs}.items() if tests}
    (problem,) = problems(load(ROWS), changed)
    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ROWS.replace("thing.col*", "thing.nothing"), "pending names no row: thing.nothing"),
        (ROWS + ROWS.replace("[[pending]]", "[[ignored]]"), "these ids stand twice"),
    ],
)
def test_a_bad_list_is_told(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load(text)


SUITE = """
import pytest

@pytest.mark.contract("a", "b")
@pytest.mark.parametrize("n", [
    pytest.param(1, marks=pytest.mark.contract("one"), id="one"), 2,
])
def test_it(n): pass

@pytest.mark.skip
@pytest.mark.contract("skipped")
def test_skipped(): pass

@pytest.mark.xfail
@pytest.mark.contract("failing")
def test_failing(): pass
"""


def collect_in(folder: Path, name: str, suite: str) -> dict[str, list[str]]:
    (folder / name).write_text(suite, encoding="utf-8")
    settings = "asyncio_default_fixture_loop_scope = function\nmarkers = contract(*rows): rows\n"
    (folder / "pytest.ini").write_text(f"[pytest]\n{settings}", encoding="utf-8")
    return collect(str(folder), "-c", str(folder / "pytest.ini"))


def test_only_what_runs_proves_and_a_case_proves_its_own(tmp_path: Path) -> None:
    assert collect_in(tmp_path, "test_suite.py", SUITE) == {
        "a": ["test_suite.py::test_it"],
        "b": ["test_suite.py::test_it"],
        "one": ["test_suite.py::test_it[one]"],
    }


def test_what_can_not_be_collected_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="nothing_of_this_name"):
        collect_in(tmp_path, "test_broken.py", "import nothing_of_this_name")
