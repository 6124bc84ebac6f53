"""`classifaily classify`: without a server, an account or a database."""

import asyncio
import base64
import json
from dataclasses import replace
from pathlib import Path

import click

from app.cli.classify_file import classify_file, result_in, task_of
from app.cli.judging import open_judge
from app.domain.classification.request import ClassifyRequest, check_values
from app.domain.media.data_uri import is_data_uri
from app.domain.media.source import is_url
from app.engines.contract import Category, InputType, Mode, Outcome, Task
from app.settings import load_settings


@click.command()
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option(
    "--type",
    "kind",
    type=click.Choice([kind.value for kind in InputType]),
    default="text",
    help="What TEXTs are: of image, audio or video a file, a URL or a data URI each.",
)
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
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Keep what --out has completed already, and classify only the other lines.",
)
def classify(
    texts: tuple[str, ...],
    kind: str,
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
    retry_failed: bool,
) -> None:
    """Classify TEXTs, or the lines of a file, with the configured model.

    With --type image, audio or video each TEXT is a file, a URL or a data URI.
    """
    if bool(texts) == bool(source):
        raise click.UsageError("Give either TEXTs or --file.")
    if source is not None and out is None:
        raise click.UsageError("--file needs --out.")
    if retry_failed and source is None:
        raise click.UsageError("--retry-failed needs --file.")
    template = ClassifyRequest(
        input="",
        type=InputType(kind),
        categories=_parse_categories(categories),
        mode=Mode(mode),
        top_n=top_n,
        threshold=threshold,
        explain=explain,
        allow_none=allow_none,
        min_margin=min_margin,
    )
    if source is not None and out is not None:
        check_values(replace(template, input="x"))
        failed = asyncio.run(classify_file(source, out, template, keep_completed=retry_failed))
        raise SystemExit(1 if failed else 0)
    tasks = [task_of(replace(template, input=_content(text, kind))) for text in texts]
    for text, task, outcome in zip(texts, tasks, asyncio.run(_judge(tasks)), strict=True):
        click.echo(_line(text, task, outcome) if as_json else _text(outcome))


def _parse_categories(text: str | None) -> list[Category] | None:
    if text is None:
        return None
    return [Category(name=name.strip()) for name in text.split(",")]


def _content(text: str, kind: str) -> str:
    """Return a text, URL or data URI as it is, and a file as a data URI."""
    if kind == InputType.TEXT or is_url(text) or is_data_uri(text):
        return text
    try:
        content = Path(text).read_bytes()
    except (OSError, ValueError):
        raise click.ClickException(
            f"{text} is neither a file that can be read nor a URL nor a data URI"
        ) from None
    return f"data:;base64,{base64.b64encode(content).decode('ascii')}"


async def _judge(tasks: list[Task]) -> list[Outcome]:
    async with open_judge(load_settings()) as judge:
        for task in tasks:
            judge.check(task)
        outcomes = await judge.answer(tasks)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]


def _line(text: str, task: Task, outcome: Outcome) -> str:
    result = {"input": text, "result": result_in(task, outcome)}
    if outcome.basis:
        result["basis"] = list(outcome.basis)
    return json.dumps(result, ensure_ascii=False)


def _text(outcome: Outcome) -> str:
    lines = [] if outcome.outcome is None else [outcome.outcome.value]
    for label in outcome.labels:
        name = "-" if label.label is None else label.label
        lines.append(f"{name}\t{label.confidence:.4f}")
        if label.explanation:
            lines.append(f"  {label.explanation}")
    return "\n".join(lines) or "-"
