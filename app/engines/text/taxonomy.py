"""The generic labels for calls without categories: `taxonomy.json`, readable and editable."""

import json
from pathlib import Path

from app.engines.contract import Category

_FILE = Path(__file__).with_name("taxonomy.json")


def _load() -> tuple[Category, ...]:
    entries = json.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Category(entry["name"], entry["description"], tuple(entry["examples"])) for entry in entries
    )


TAXONOMY = _load()
