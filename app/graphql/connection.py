"""Relay connections over keys: pages stay stable while rows arrive.

A cursor is the row's key, wrapped so that nobody builds one. Most rows are keyed by an integer id;
others bring their own `Keys`. https://relay.dev/graphql/connections.htm
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


Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Window(Generic[Key]):
    """What part of a list is asked for."""

    size: int
    after: Key | None
    before: Key | None
    backward: bool


@dataclass(frozen=True, slots=True)
class Keys(Generic[Key]):
    """How keys of one kind are written into cursors, and read: None for what is none of them."""

    kind: str
    write: Callable[[Key], str]
    read: Callable[[str], Key | None]


class HasId(Protocol):
    """A row with an integer key."""

    @property
    def id(self) -> int:
        """The key."""
        ...


Row = TypeVar("Row")
Numbered = TypeVar("Numbered", bound=HasId)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, and whether there are more on either side."""

    rows: Sequence[Row]
    info: PageInfo


def window(
    *, first: int | None, after: str | None, last: int | None, before: str | None
) -> Window[int]:
    """Read the arguments of a connection over integer ids.

    Raises:
        InvalidRequest: One is out of its range, or a cursor is none of ours.
    """
    return window_of(IDS, first=first, after=after, last=last, before=before)


def window_of(
    keys: Keys[Key], *, first: int | None, after: str | None, last: int | None, before: str | None
) -> Window[Key]:
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
        after=_read_cursor(keys, "after", after),
        before=_read_cursor(keys, "before", before),
        backward=last is not None,
    )


async def load_page(
    asked: Window[int], load: Callable[[int], Awaitable[list[Numbered]]]
) -> Page[Numbered]:
    """Load one row more than asked for, to tell whether there are more."""
    return cut_page(asked, await load(asked.size + 1), cursor=lambda row: cursor(row.id))


def cut_page(asked: Window[Key], rows: list[Row], *, cursor: Callable[[Row], str]) -> Page[Row]:
    """Make a page of one row more than asked for, if there were so many."""
    more = len(rows) > asked.size
    if more:
        rows = rows[1:] if asked.backward else rows[: asked.size]
    ahead = asked.before is not None if asked.backward else more
    behind = more if asked.backward else asked.after is not None
    info = PageInfo(
        has_next_page=ahead,
        has_previous_page=behind,
        start_cursor=cursor(rows[0]) if rows else None,
        end_cursor=cursor(rows[-1]) if rows else None,
    )
    return Page(rows, info)


def cursor(key: int) -> str:
    """Wrap an integer id."""
    return write_cursor(IDS, key)


def write_cursor(keys: Keys[Key], key: Key) -> str:
    """Wrap a key."""
    return base64.urlsafe_b64encode(f"{keys.kind}:{keys.write(key)}".encode()).decode().rstrip("=")


def _read_cursor(keys: Keys[Key], name: str, text: str | None) -> Key | None:
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        kind, _, rest = base64.urlsafe_b64decode(padded.encode()).decode().partition(":")
        key = keys.read(rest) if kind == keys.kind else None
    except (binascii.Error, ValueError):
        key = None
    if key is None:
        raise InvalidRequest((name,), "must be a cursor that this list gave")
    return key


def read_integer(text: str) -> int | None:
    """Read a whole number that every database can hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


IDS = Keys("k", str, read_integer)
