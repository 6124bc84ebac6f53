"""A file of lines, judged without a server: the same lines in, the same lines out.

The answers stand in the file's order, so a second run can keep those that completed and judge only
the others.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console
from rich.progress import Progress

from app.cli.judging import Judge, open_judge
from app.domain.batches.batch import BatchItemRequest
from app.domain.classification.request import DEFAULT_TOP_N, ClassifyRequest, check_values
from app.domain.errors import Error, ErrorCode, InvalidRequest, MediaUnavailable
from app.domain.files.file import FileFormat
from app.domain.files.lines import Line, read_lines
from app.domain.jobs.result import result_of
from app.engines.contract import InputType, Mode, Outcome, Task
from app.engines.errors import EngineError, Unfit, UnsupportedInput
from app.settings import load_settings

# Enough tasks to keep every core busy, few enough that the bar moves.
CHUNK = 64

Answer = dict[str, Any]


async def classify_file(
    source: Path, out: Path, template: ClassifyRequest, *, keep_completed: bool
) -> int:
    """Judge the lines of `source` into `out`, and return how many failed.

    With `keep_completed`, what `out` has completed already stays as it is.

    Raises:
        ClickException: The file can't be read, or `out` is not of it.
    """
    lines = _read(source)
    kept = _completed(out, lines) if keep_completed else {}
    # What was kept is not to be lost when this run is cut short.
    written = out.with_name(f"{out.name}.part") if kept else out
    failed = 0
    async with open_judge(load_settings()) as judge:
        with (
            _opened(written) as sink,
            Progress(console=Console(stderr=True)) as progress,
        ):
            bar = progress.add_task(source.name, total=len(lines))
            for first in range(0, len(lines), CHUNK):
                chunk = range(first, min(first + CHUNK, len(lines)))
                open_lines = [lines[place] for place in chunk if place not in kept]
                judged = iter(await _judge(judge, open_lines, template))
                for place in chunk:
                    answer = kept[place] if place in kept else next(judged)
                    failed += answer["status"] == "failed"
                    sink.write(json.dumps(answer, ensure_ascii=False) + "\n")
                progress.advance(bar, len(chunk))
    written.replace(out)
    click.echo(f"{len(lines) - failed} classified, {failed} failed, into {out}", err=True)
    return failed


def _opened(out: Path) -> TextIO:
    try:
        return out.open("w", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} can't be written: {error.strerror}") from None


def task_of(request: ClassifyRequest) -> Task:
    """Make the task that a request asks for, without an account and its schemas.

    Raises:
        InvalidRequest: A value is out of its range.
    """
    check_values(request)
    return Task(
        content=request.input,
        input_type=request.type or InputType.TEXT,
        categories=None if request.categories is None else tuple(request.categories),
        mode=request.mode or Mode.SINGLE,
        top_n=request.top_n or DEFAULT_TOP_N,
        threshold=request.threshold or 0.0,
        explain=bool(request.explain),
        allow_none=bool(request.allow_none),
        min_margin=request.min_margin,
        patience_s=math.inf,
    )


def result_in(task: Task, outcome: Outcome) -> Answer:
    """Return a result in the documented shape of the task's mode."""
    return result_of(task.mode, outcome.labels, outcome.outcome)


def _read(source: Path) -> list[Line]:
    file_format = FileFormat.CSV if source.suffix.lower() == ".csv" else FileFormat.JSONL
    try:
        return list(read_lines(source.read_bytes(), file_format))
    except InvalidRequest as error:
        raise click.ClickException(f"{source}: {error.problem}") from None


def _completed(out: Path, lines: Sequence[Line]) -> dict[int, Answer]:
    """Return what has completed, by its place."""
    kept: dict[int, Answer] = {}
    if not out.exists():
        return kept
    for place, text in enumerate(out.read_text(encoding="utf-8").splitlines()):
        try:
            answer = json.loads(text)
            line_id, status = answer["id"], answer["status"]
        except (ValueError, KeyError, TypeError):
            # The last line of a run that was cut short.
            continue
        if place >= len(lines) or lines[place].id != line_id:
            raise click.ClickException(f"{out} has the answers to another file: see {line_id}")
        if status == "completed":
            kept[place] = answer
    return kept


async def _judge(judge: Judge, lines: Sequence[Line], template: ClassifyRequest) -> list[Answer]:
    tasks: dict[int, Task] = {}
    problems: dict[int, tuple[ErrorCode, str]] = {}
    for place, line in enumerate(lines):
        try:
            task = _task_of_line(line, template)
            judge.check(task)
            tasks[place] = task
        except Error as error:
            problems[place] = (error.error_code, f"Line {line.number}: {error.message}")
    outcomes: dict[int, Outcome] = {}
    for place, answer in zip(tasks, await judge.answer(list(tasks.values())), strict=True):
        if isinstance(answer, Outcome):
            outcomes[place] = answer
        else:
            problems[place] = (_code_of(answer), str(answer))
    return [
        _completed_line(line, tasks[place], outcomes[place])
        if place in outcomes
        else {"id": line.id, "status": "failed", "error": _error(*problems[place])}
        for place, line in enumerate(lines)
    ]


def _completed_line(line: Line, task: Task, outcome: Outcome) -> Answer:
    answer: Answer = {"id": line.id, "status": "completed", "result": result_in(task, outcome)}
    return {**answer, "basis": list(outcome.basis)} if outcome.basis else answer


def _task_of_line(line: Line, template: ClassifyRequest) -> Task:
    item = line.item
    if not isinstance(item, BatchItemRequest):
        raise item
    if item.schema is not None:
        raise InvalidRequest(("schema",), "schemas are kept by a server; give categories")
    categories = template.categories if item.categories is None else item.categories
    return task_of(
        replace(template, input=item.input, type=item.type or template.type, categories=categories)
    )


def _code_of(failure: EngineError | MediaUnavailable) -> ErrorCode:
    if isinstance(failure, MediaUnavailable):
        return failure.error_code
    if isinstance(failure, UnsupportedInput | Unfit):
        return ErrorCode.INVALID_REQUEST
    return ErrorCode.MODEL_UNAVAILABLE


def _error(code: ErrorCode, message: str) -> Answer:
    return {"code": code.value, "message": message}
