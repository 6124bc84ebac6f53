"""How good the embedded model is: accuracy, calibration, time, on a folder of data sets.

    python -m benchmarks.text_accuracy --data DIR

Each folder in DIR holds `test.jsonl` ({"text", "label"} a line) and `labels.json` (a list of
{"id", "name", "description", "examples"}). Three rows a data set: category names only, names with
descriptions, and all with examples. Prints a table in Markdown.
"""

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from app.engines.contract import Category, Task
from app.engines.embedded import EmbeddedEngine
from app.evaluation.evaluate import predict
from app.evaluation.report import report

KINDS = ("names", "described", "examples")


def main() -> None:
    """Measure every data set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, help="where models are kept between runs")
    arguments = parser.parse_args()
    with TemporaryDirectory() as scratch:
        engine = EmbeddedEngine(arguments.prepared or Path(scratch), threads=1)
        engine.load()
        try:
            folders = sorted(path.parent for path in arguments.data.glob("*/test.jsonl"))
            asyncio.run(measure(engine, folders))
        finally:
            engine.close()


async def measure(engine: EmbeddedEngine, folders: list[Path]) -> None:
    """Print a row for each data set and kind, then the means, then the time of one text."""
    print(
        "| data set | categories | known of them | accuracy (95 %) | macro-F1 | calibration error |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    accuracies: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for folder in folders:
        labels = json.loads((folder / "labels.json").read_text())
        name_of = {label["id"]: label["name"] for label in labels}
        lines = (folder / "test.jsonl").read_text().splitlines()
        records = [json.loads(line) for line in lines if line.strip()]
        rows = [(record["text"], name_of[record["label"]]) for record in records]
        for kind in KINDS:
            measured = report(await predict(engine, rows, categories_of(labels, kind)))
            accuracies[kind].append(measured.accuracy)
            print(
                f"| {folder.name} | {len(labels)} | {kind} | {measured.accuracy:.1%} "
                f"({measured.low:.1%} to {measured.high:.1%}) | {measured.macro_f1:.3f} "
                f"| {measured.calibration_error:.1%} |"
            )
    for kind, values in accuracies.items():
        print(f"| mean | | {kind} | {statistics.mean(values):.1%} | | |")
    await measure_time(engine)


def categories_of(labels: list[dict], kind: str) -> tuple[Category, ...]:
    """Return the categories with as much as `kind` says."""
    return tuple(
        Category(
            label["name"],
            None if kind == "names" else label["description"],
            tuple(label["examples"]) if kind == "examples" else (),
        )
        for label in labels
    )


async def measure_time(engine: EmbeddedEngine) -> None:
    """Print the median time of a warm answer to a short text, on one thread."""
    task = Task(
        "How do I change the address on my account, please?",
        categories=tuple(map(Category, ("billing", "technical", "account", "general"))),
    )
    times = []
    for _ in range(220):
        started = time.perf_counter()
        await engine.classify(task)
        times.append(time.perf_counter() - started)
    print(f"\nA warm short text, one thread: {statistics.median(times[20:]) * 1000:.1f} ms median.")


if __name__ == "__main__":
    main()
