"""Ids in arguments: what can't be one names nothing."""

import strawberry

MAX_DIGITS = 18


def integer_id(value: strawberry.ID | str) -> int | None:
    """Read an id that is an integer; None when it can't be one."""
    if not value.isascii() or not value.isdigit() or len(value) > MAX_DIGITS:
        return None
    return int(value)
