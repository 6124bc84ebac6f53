"""A schema: a saved, named set of categories."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.engines.contract import Category, InputType, Mode


class SchemaType(StrEnum):
    """The kind of content a schema is for."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    ANY = "any"

    @property
    def input_type(self) -> InputType | None:
        """The one input type that it takes; None for any."""
        return None if self is SchemaType.ANY else InputType(self.value)


@dataclass(frozen=True, slots=True)
class Schema:
    """A saved set of categories, and the defaults that go with it.

    `model` is the choice of models for it; None leaves that to the account. `total_uses` counts
    completed classifications.
    """

    id: int
    account_id: int
    name: str
    description: str | None
    type: SchemaType
    mode: Mode
    model: str | None
    categories: tuple[Category, ...]
    total_uses: int
    created_at: datetime
    updated_at: datetime


def dump_categories(categories: tuple[Category, ...]) -> list[dict[str, Any]]:
    """Write categories as storage keeps them."""
    return [
        {"name": c.name, "description": c.description, "examples": list(c.examples)}
        for c in categories
    ]


def load_categories(stored: list[dict[str, Any]]) -> tuple[Category, ...]:
    """Read categories as storage keeps them."""
    return tuple(Category(c["name"], c["description"], tuple(c["examples"])) for c in stored)
