"""`classifaily classify`: without a server, an account or a database."""

import asyncio
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console
from rich.progress import Progress

from app.domain.classification.request import DEFAULT_TOP_N, ClassifyRequest, check_values
from app.domain.errors import Error
from app.domain.jobs.result import result_of
from app.engines.contract import Category, Engine, Mode, Outcome, Task
from app.engines.errors import EngineError
from app.runtime import open_engine
from app.settings import load_settings

# Enough tasks to keep every core busy, few enough that the bar moves.
CHUNK = 64
TEXT_COLUMNS = ("input", "text")


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a file: its id, and the input or what is wrong with it."""

    id: str
    input: str | None
    problem: str | None = None


@click.command()
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option("--categories", help="Names, separated by commas. Without: generic labels.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default="single")
@click.option("--top-n", type=int, help="How many labels in top_n mode.")
@click.option("--threshold", type=float, help="Least confidence, 0.0 to 1.0.")
@click.option("--explain", is_flag=True, help="Say what drove each answer.")
@click.option("--allow-none", is_flag=True, help="Allow none of the categories as the answer.")
@click.option(
    "--min-margin",
    type=float,
    help="Say unsure below this distance of the first two, 0.0 to 1.0.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
@click.option(
    "--file",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A .csv (column input or text) or .jsonl file to read.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="The .jsonl file to write."
)
def classify(
    texts: tuple[str, ...],
    categories: str | None,
    mode: str,
    top_n: int | None,
    threshold: float | None,
    explain: bool,
    allow_none: bool,
    min_margin: float | None,
    as_json: bool,
    source: Path | None,
    out: Path | None,
) -> None:
    """Classify TEXTs, or the lines of a file, with the configured model."""
    if bool(texts) == bool(source):
        raise click.UsageError("Give either TEXTs or --file.")
    if source is not None and out is None:
        raise click.UsageError("--file needs --out.")
    template = ClassifyRequest(
        input="",
        categories=_parse_categories(categories),
        mode=Mode(mode),
        top_n=top_n,
        threshold=threshold,
        explain=explain,
        allow_none=allow_none,
        min_margin=min_margin,
    )
    if source is not None and out is not None:
        failed = asyncio.run(_classify_file(source, out, template))
        raise SystemExit(1 if failed else 0)
    tasks = [_task_of(text, template) for text in texts]
    for task, outcome in zip(tasks, asyncio.run(_judge(tasks)), strict=True):
        click.echo(_line(task, outcome) if as_json else _text(outcome))


def _parse_categories(text: str | None) -> list[Category] | None:
    if text is None:
        return None
    return [Category(name=name.strip()) for name in text.split(",")]


def _task_of(text: str, template: ClassifyRequest) -> Task:
    request = replace(template, input=text)
    check_values(request)
    return Task(
        content=text,
        categories=None if request.categories is None else tuple(request.categories),
        mode=request.mode or Mode.SINGLE,
        top_n=request.top_n or DEFAULT_TOP_N,
        threshold=request.threshold or 0.0,
        explain=bool(request.explain),
        allow_none=bool(request.allow_none),
        min_margin=request.min_margin,
    )


async def _judge(tasks: list[Task]) -> list[Outcome]:
    async with open_engine(load_settings()) as engine:
        outcomes = await engine.classify_many(tasks)
    for outcome in outcomes:
        if isinstance(outcome, EngineError):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]


async def _classify_file(source: Path, out: Path, template: ClassifyRequest) -> int:
    rows = list(_read_rows(source))
    failed = 0
    async with open_engine(load_settings()) as engine:
        with (
            out.open("w", encoding="utf-8") as sink,
            Progress(console=Console(stderr=True)) as progress,
        ):
            bar = progress.add_task(source.name, total=len(rows))
            for first in range(0, len(rows), CHUNK):
                chunk = rows[first : first + CHUNK]
                failed += await _classify_chunk(engine, chunk, template, sink)
                progress.advance(bar, len(chunk))
    click.echo(f"{len(rows) - failed} classified, {failed} failed, into {out}", err=True)
    return failed


async def _classify_chunk(
    engine: Engine, rows: list[_Row], template: ClassifyRequest, sink: TextIO
) -> int:
    tasks: dict[int, Task] = {}
    problems: dict[int, str] = {}
    for position, row in enumerate(rows):
        if row.input is None:
            problems[position] = row.problem or "no input"
            continue
        try:
            tasks[position] = _task_of(row.input, template)
        except Error as error:
            problems[position] = error.message
    answers = await engine.classify_many(list(tasks.values()))
    outcomes: dict[int, Outcome] = {}
    for position, answer in zip(tasks, answers, strict=True):
        if isinstance(answer, Outcome):
            outcomes[position] = answer
        else:
            problems[position] = str(answer)
    for position, row in enumerate(rows):
        line: dict[str, Any] = {"id": row.id}
        if position in outcomes:
            line |= {"status": "completed", "result": _result(tasks[position], outcomes[position])}
        else:
            problem = {"code": "invalid_request", "message": problems[position]}
            line |= {"status": "failed", "error": problem}
        sink.write(json.dumps(line, ensure_ascii=False) + "\n")
    return len(problems)


def _read_rows(source: Path) -> Iterator[_Row]:
    with source.open(encoding="utf-8-sig", newline="") as lines:
        if source.suffix.lower() == ".csv":
            reader = csv.DictReader(lines)
            column = next((c for c in TEXT_COLUMNS if c in (reader.fieldnames or ())), None)
            if column is None:
                raise click.ClickException(f"{source}: needs a column named input or text")
            for number, record in enumerate(reader, start=1):
                yield _Row(record.get("id") or str(number), record[column])
            return
        for number, text in enumerate(lines, start=1):
            if text.strip():
                yield _parse_line(text, number)


def _parse_line(text: str, number: int) -> _Row:
    try:
        record = json.loads(text)
    except ValueError:
        return _Row(str(number), None, f"line {number} is not JSON")
    if not isinstance(record, dict):
        return _Row(str(number), None, f"line {number} is not a JSON object")
    identity = str(record.get("id", number))
    value = next((record[c] for c in TEXT_COLUMNS if c in record), None)
    if not isinstance(value, str):
        return _Row(identity, None, f"line {number}: input must be a string")
    return _Row(identity, value)


def _result(task: Task, outcome: Outcome) -> dict[str, Any]:
    return result_of(task.mode, outcome.labels, outcome.outcome)


def _line(task: Task, outcome: Outcome) -> str:
    return json.dumps({"input": task.content, "result": _result(task, outcome)}, ensure_ascii=False)


def _text(outcome: Outcome) -> str:
    lines = [] if outcome.outcome is None else [outcome.outcome.value]
    for label in outcome.labels:
        name = "-" if label.label is None else label.label
        lines.append(f"{name}\t{label.confidence:.4f}")
        if label.explanation:
            lines.append(f"  {label.explanation}")
    return "\n".join(lines) or "-"
