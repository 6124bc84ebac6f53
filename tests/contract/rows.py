"""The rows of the contract, as `rows.toml` holds them."""

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("rows.toml")


@dataclass(frozen=True)
class Section:
    """A table of the contract: its rows' ids and words, in order."""

    title: str
    rows: dict[str, str]


@dataclass(frozen=True)
class Contract:
    """All tables, and why some rows have no test yet, by id."""

    sections: tuple[Section, ...]
    pending: dict[str, str]

    @property
    def rows(self) -> list[str]:
        """Every id, in order."""
        return [row for section in self.sections for row in section.rows]


def load(text: str | None = None) -> Contract:
    """Read the rows.

    Raises:
        ValueError: An id stands twice, or a pending one is none.
    """
    told = tomllib.loads(SOURCE.read_text(encoding="utf-8") if text is None else text)
    sections = tuple(_section(each) for each in told["section"])
    contract = Contract(sections, {})
    twice = {row for row in contract.rows if contract.rows.count(row) > 1}
    if twice:
        raise ValueError(f"these ids stand twice: {sorted(twice)}")
    for group in told.get("pending", []):
        for pattern in group["rows"]:
            found = [row for row in contract.rows if fnmatchcase(row, pattern)]
            if not found:
                raise ValueError(f"pending names no row: {pattern}")
            contract.pending.update(dict.fromkeys(found, group["reason"]))
    return contract


def _section(told: dict[str, Any]) -> Section:
    key = told["key"]
    rows = {f"{key}.{name}": words for name, words in told.get("rows", {}).items()}
    for name, (feature, *cells) in told.get("cells", {}).items():
        for column, cell in zip(told["columns"], cells, strict=True):
            rows[f"{key}.{name}.{column}"] = f"{feature} · {column.capitalize()}: {cell}"
    return Section(told["title"], rows)
