"""Relay connections over keys: pages stay stable while rows arrive.

A cursor is the row's id, wrapped so that nobody builds one. https://relay.dev/graphql/connections.htm
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, Protocol, TypeVar

import strawberry

from app.domain.errors import InvalidRequest

DEFAULT_SIZE = 20
MAX_SIZE = 100

First = Annotated[
    int | None,
    strawberry.argument(
        description=f"The first so many, up to {MAX_SIZE}. Default {DEFAULT_SIZE}."
    ),
]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[
    int | None, strawberry.argument(description=f"The last so many, up to {MAX_SIZE}.")
]
Before = Annotated[
    str | None, strawberry.argument(description="Only what comes before this cursor.")
]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(description="Whether more come before.")
    start_cursor: str | None = strawberry.field(
        description="The cursor of the page's first entry; null for an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the page's last entry; null for an empty page."
    )


@dataclass(frozen=True, slots=True)
class Window:
    """What part of a list is asked for."""

    size: int
    after: int | None
    before: int | None
    backward: bool


class HasId(Protocol):
    """A row with a key."""

    @property
    def id(self) -> int:
        """The key."""
        ...


Row = TypeVar("Row", bound=HasId)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, and whether there are more on either side."""

    rows: Sequence[Row]
    info: PageInfo


def window(*, first: int | None, after: str | None, last: int | None, before: str | None) -> Window:
    """Read the arguments of a connection.

    Raises:
        InvalidRequest: One is out of its range, or a cursor is none of ours.
    """
    if first is not None and last is not None:
        raise InvalidRequest(("last",), "can't be given together with first")
    for name, value in (("first", first), ("last", last)):
        if value is not None and not 0 <= value <= MAX_SIZE:
            raise InvalidRequest((name,), f"must be from 0 to {MAX_SIZE}, got {value}")
    size = last if last is not None else first
    return Window(
        size=DEFAULT_SIZE if size is None else size,
        after=_read_cursor("after", after),
        before=_read_cursor("before", before),
        backward=last is not None,
    )


async def load_page(asked: Window, load: Callable[[int], Awaitable[list[Row]]]) -> Page[Row]:
    """Load one row more than asked for, to tell whether there are more."""
    rows = await load(asked.size + 1)
    more = len(rows) > asked.size
    if more:
        rows = rows[1:] if asked.backward else rows[: asked.size]
    ahead = asked.before is not None if asked.backward else more
    behind = more if asked.backward else asked.after is not None
    info = PageInfo(
        has_next_page=ahead,
        has_previous_page=behind,
        start_cursor=cursor(rows[0].id) if rows else None,
        end_cursor=cursor(rows[-1].id) if rows else None,
    )
    return Page(rows, info)


def cursor(key: int) -> str:
    """Wrap a key."""
    return base64.urlsafe_b64encode(f"k:{key}".encode()).decode().rstrip("=")


def _read_cursor(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        kind, _, key = base64.urlsafe_b64decode(padded.encode()).decode().partition(":")
        if kind == "k" and key.isascii() and key.isdigit() and len(key) <= 18:
            return int(key)
    except (binascii.Error, ValueError):
        pass
    raise InvalidRequest((name,), "must be a cursor that this list gave")
