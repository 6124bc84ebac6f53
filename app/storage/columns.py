"""Columns whose values the two databases hand over differently."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

#: The greatest value of an INTEGER column on PostgreSQL; SQLite takes more.
MAX_INTEGER = 2**31 - 1


def integer_key(key: int) -> int:
    """Return what to look for in an INTEGER column for a key that may be beyond it.

    There is no such row, and that is what the search must find.
    """
    return max(min(key, MAX_INTEGER), -1)


def dump_json(value: object) -> str:
    """Write a JSON column."""
    return msgspec.json.encode(value).decode()


def load_json(value: str | Sequence[Any] | dict[str, Any]) -> Any:
    """Read a JSON column: text from the ledger, decoded from the ORM."""
    return msgspec.json.decode(value) if isinstance(value, str) else value


def read_time(value: str | datetime) -> datetime:
    """Read a moment: SQLite keeps text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
