"""`classifaily evaluate`: how good the configured model is on labelled data."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from app.cli.session import with_database
from app.domain.classification.request import check_categories
from app.domain.models.temperatures import keep_temperature
from app.domain.schemas.manage import get_any_schema
from app.engines.contract import Category, ConfidenceSource, Outcome
from app.evaluation.evaluate import answer_rows, predictions
from app.evaluation.fit import LEAST_TEXTS, fit
from app.evaluation.report import Report, report
from app.runtime import open_engine
from app.settings import load_settings

_SHOWN_CONFUSIONS = 10


@click.command()
@click.argument(
    "data", metavar="DATA.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--categories",
    "category_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSON list of names or of {"name", "description", "examples", "id"}. '
    "Without: the labels of the data.",
)
@click.option("--schema", "schema_id", type=int, help="Categories of a saved schema.")
@click.option("--model", help="The model to evaluate. Without: the configured one.")
@click.option(
    "--fit",
    "fits",
    is_flag=True,
    help="Fit the model's temperature to the data, and keep it in the database.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    data: Path,
    category_file: Path | None,
    schema_id: int | None,
    model: str | None,
    fits: bool,
    as_json: bool,
) -> None:
    """Print accuracy, macro-F1, calibration error and confusions on labelled data.

    Each line of DATA.jsonl is {"text" or "input": …, "label": …}.
    """
    if category_file is not None and schema_id is not None:
        raise click.UsageError("Give either --categories or --schema.")
    rows = _read_rows(data)
    names: dict[str, str] = {}
    if category_file is not None:
        categories, names = _read_categories(category_file)
    elif schema_id is not None:
        categories = _schema_categories(schema_id)
    else:
        categories = tuple(Category(name) for name in sorted({label for _, label in rows}))
    check_categories(categories)
    labelled = [(text, names.get(label, label)) for text, label in rows]
    unknown = {label for _, label in labelled} - {category.name for category in categories}
    if unknown:
        raise click.ClickException(f"{data}: label '{min(unknown)}' is none of the categories")
    answered = asyncio.run(_answer(labelled, categories, model))
    measured = report(predictions(answered))
    click.echo(json.dumps(asdict(measured)) if as_json else _text(measured))
    if fits:
        _fit(answered, len(categories))
    if not any(answer for _, answer in answered):
        raise click.ClickException("no row was answered")


async def _answer(
    rows: list[tuple[str, str]], categories: tuple[Category, ...], model: str | None
) -> list[tuple[str, Outcome | None]]:
    settings = load_settings() if model is None else load_settings(model=model)
    async with open_engine(settings) as engine:
        with Progress(console=Console(stderr=True)) as progress:
            bar = progress.add_task("evaluating", total=len(rows))
            return await answer_rows(
                engine, rows, categories, progress=lambda done: progress.advance(bar, done)
            )


def _fit(answered: list[tuple[str, Outcome | None]], categories: int) -> None:
    # The embedded model's constants are fitted on public data of many kinds.
    remote = [
        (truth, answer)
        for truth, answer in answered
        if answer is not None and answer.confidence_source is not ConfidenceSource.CALIBRATED
    ]
    found = fit(remote, categories=categories)
    if not found:
        raise click.ClickException(
            f"nothing to fit: it takes {LEAST_TEXTS} answers of a model that is not calibrated yet"
        )

    async def keep() -> None:
        for each in found:
            await keep_temperature(
                each.model,
                each.source,
                temperature=each.temperature,
                texts=each.texts,
                error_before=each.error_before,
                error_after=each.error_after,
            )

    with_database(keep)
    for each in found:
        click.echo(
            f"{each.model}, {each.source.value}: temperature {each.temperature:.2f} from "
            f"{each.texts} texts, calibration error {each.error_before:.4f} before and "
            f"{each.error_after:.4f} after. Servers use it from their next start.",
            err=True,
        )


def _read_rows(data: Path) -> list[tuple[str, str]]:
    rows = []
    for number, line in enumerate(_read(data).splitlines(), start=1):
        if not line.strip():
            continue
        record = _parse(line, f"{data}, line {number}")
        text = record.get("text", record.get("input")) if isinstance(record, dict) else None
        label = record.get("label") if isinstance(record, dict) else None
        if not isinstance(text, str) or not isinstance(label, str):
            raise click.ClickException(
                f'{data}, line {number}: needs {{"text" or "input": string, "label": string}}'
            )
        rows.append((text, label))
    if not rows:
        raise click.ClickException(f"{data}: holds no rows")
    return rows


def _read_categories(source: Path) -> tuple[tuple[Category, ...], dict[str, str]]:
    """Return the categories, and their names by the ids that labels may use."""
    entries = _parse(_read(source), str(source))
    if not isinstance(entries, list):
        raise click.ClickException(f"{source}: must be a JSON list")
    categories = []
    names = {}
    for entry in entries:
        if isinstance(entry, str):
            categories.append(Category(entry))
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise click.ClickException(f"{source}: each entry is a string or has a name")
        examples = tuple(entry.get("examples") or ())
        categories.append(Category(entry["name"], entry.get("description"), examples))
        if isinstance(entry.get("id"), str):
            names[entry["id"]] = entry["name"]
    return tuple(categories), names


def _schema_categories(schema_id: int) -> tuple[Category, ...]:
    return with_database(lambda: get_any_schema(schema_id)).categories


def _read(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "must be UTF-8"
        raise click.ClickException(f"{source}: {why}") from None


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise click.ClickException(f"{where}: is not JSON") from None


def _text(measured: Report) -> str:
    lines = [
        f"rows               {measured.rows}",
        f"failed             {measured.failed}",
        f"accuracy           {measured.accuracy:.4f}  "
        f"(95 %: {measured.low:.4f} to {measured.high:.4f})",
        f"macro-F1           {measured.macro_f1:.4f}",
        f"calibration error  {measured.calibration_error:.4f}",
    ]
    if measured.confusions:
        lines.append("mistaken (truth, label, times)")
        lines += [
            f"  {truth}\t{label}\t{count}"
            for truth, label, count in measured.confusions[:_SHOWN_CONFUSIONS]
        ]
    return "\n".join(lines)
