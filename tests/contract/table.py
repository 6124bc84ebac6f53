"""The table of rows and their tests, and what is wrong with it."""

from collections.abc import Iterator

from tests.contract.proofs import Proofs
from tests.contract.rows import Contract, Section

_INTRODUCTION = """\
# The contract and its tests

Every row of the documented API, and of what was decided where it is silent, with the tests that
prove it. Made by `make contract` from `tests/contract/rows.toml` and the tests' own marks
(`@pytest.mark.contract`); `make check` fails when a row has no test, when a test names a row that
is none, when a row that waits has a test, or when this page is stale.
"""


def problems(contract: Contract, proofs: Proofs) -> Iterator[str]:
    """Yield what is wrong, a line each."""
    for row in contract.rows:
        if row in contract.pending and row in proofs:
            yield f"{row} has a test and is still pending: take it from the list in rows.toml"
        elif row not in contract.pending and row not in proofs:
            yield f"{row} has no test"
    for row in sorted(set(proofs) - set(contract.rows)):
        yield f"{row} is no row, but {proofs[row][0]} names it"


def render(contract: Contract, proofs: Proofs) -> str:
    """Return the page."""
    waiting = len(contract.pending)
    proven = len(contract.rows) - waiting
    parts = [_INTRODUCTION, f"{len(contract.rows)} rows: {proven} proven, {waiting} not yet.\n"]
    parts += [_table(section, contract, proofs) for section in contract.sections]
    return "\n".join(parts)


def _table(section: Section, contract: Contract, proofs: Proofs) -> str:
    lines = [f"## {section.title}", "", "| row | proven by |", "| --- | --- |"]
    for row, words in section.rows.items():
        if row in contract.pending:
            proof = f"**not yet**: {contract.pending[row]}"
        else:
            proof = "<br>".join(f"`{name}`" for name in proofs[row])
        lines.append(f"| {_cell(words)} | {_cell(proof)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
