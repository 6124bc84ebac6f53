"""Whether an answer is still wanted: long work asks now and then."""

from collections.abc import Callable

Wanted = Callable[[], bool]


def always() -> bool:
    """Say that it is, for work that nobody takes back."""
    return True
