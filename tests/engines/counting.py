"""Counting how often a real part is asked."""

from collections.abc import Callable
from typing import Any


def counted(method: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    """Return a method that does the same, and notes its name in `calls`."""

    def noting(*given: Any, **named: Any) -> Any:
        calls.append(method.__name__)
        return method(*given, **named)

    return noting
