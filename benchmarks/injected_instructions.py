"""How many orders to the model are found, how many harmless texts are taken for one, at what cost.

    python -m benchmarks.injected_instructions --data FOLDER

`injections/orders.txt` has one text a line that gives orders; the odd lines were at hand while the
patterns were written, the even ones were not looked at: those are the ones to quote.
`injections/harmless.txt` has texts that speak of ignoring, systems and instructions and mean no
model. FOLDER holds data sets, each a folder with `test.jsonl` of `{"text"}` lines.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from app.engines.instructions import gives_orders

_HERE = Path(__file__).with_name("injections")
_ROUNDS = 50


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument(
        "--missed", action="store_true", help="show what is missed of the odd lines"
    )
    options = parser.parse_args()
    orders = (_HERE / "orders.txt").read_text(encoding="utf-8").splitlines()
    seen, unseen = orders[0::2], orders[1::2]
    _tell("orders, seen while written", seen)
    _tell("orders, held out", unseen)
    _tell("harmless, but alike", (_HERE / "harmless.txt").read_text(encoding="utf-8").splitlines())
    if options.missed:
        print(*(text for text in seen if not gives_orders(text)), sep="\n")
    if options.data is None:
        return
    for folder in sorted(path.parent for path in options.data.glob("*/test.jsonl")):
        lines = (folder / "test.jsonl").read_text(encoding="utf-8").splitlines()
        _tell(folder.name, [json.loads(line)["text"] for line in lines])


def _tell(name: str, texts: Sequence[str]) -> None:
    found = sum(map(gives_orders, texts))
    started = time.process_time()
    for _ in range(_ROUNDS):
        for text in texts:
            gives_orders(text)
    micros = (time.process_time() - started) / _ROUNDS / len(texts) * 1e6
    length = sum(map(len, texts)) / len(texts)
    share = found / len(texts)
    print(
        f"{name:28} {found:4} of {len(texts):4} {share:6.1%} {micros:7.1f} µs {length:6.0f} chars"
    )


if __name__ == "__main__":
    main()
