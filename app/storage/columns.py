"""Columns whose values the two databases hand over differently."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec


def dump_json(value: object) -> str:
    """Write a JSON column."""
    return msgspec.json.encode(value).decode()


def load_json(value: str | Sequence[Any] | dict[str, Any]) -> Any:
    """Read a JSON column: text from the ledger, decoded from the ORM."""
    return msgspec.json.decode(value) if isinstance(value, str) else value


def read_time(value: str | datetime) -> datetime:
    """Read a moment: SQLite keeps text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
