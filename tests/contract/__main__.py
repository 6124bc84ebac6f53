"""`python -m tests.contract write` makes docs/contract.md; `check` fails when something is off."""

import sys
from pathlib import Path

from tests.contract.proofs import collect
from tests.contract.rows import load
from tests.contract.table import problems, render

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contract.md"


def main(command: str) -> None:
    """Write or check the page; end the process with what is wrong."""
    try:
        contract, proofs = load(), collect()
    except (ValueError, RuntimeError) as error:
        sys.exit(str(error))
    found = list(problems(contract, proofs))
    if found:
        sys.exit("\n".join(found))
    page = render(contract, proofs)
    if command == "write":
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page:
        sys.exit("docs/contract.md is stale: run `make contract`")


if __name__ == "__main__":
    if sys.argv[1:] not in (["write"], ["check"]):
        sys.exit("usage: python -m tests.contract write|check")
    main(sys.argv[1])
