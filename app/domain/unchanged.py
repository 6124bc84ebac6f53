"""The difference between a field that was left out and one that was set to null."""

from enum import Enum


class Unchanged(Enum):
    """The value of a field that was left out."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
