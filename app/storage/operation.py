"""Operations of the ledger, told once for every database.

An operation is a generator that yields queries and is sent their rows; it touches no connection.
SQLite drives it in the event loop's thread, PostgreSQL over a pool, each inside one transaction:

    @writing(durable=True)
    def revoke(account_id: int, key_id: int, *, at: datetime) -> Steps[bool]:
        rows = yield Query(_REVOKE, {"account": account_id, "key": key_id, "at": at})
        return bool(rows)

    await ledger.run(revoke(1, 2, at=now))

SQL is the subset that both databases speak, with named parameters; where PostgreSQL has to be told
to lock rows that others may want, the text says `/* lock */`, `/* lock, skip locked */`, or
`/* share */` where they may only not be changed meanwhile.
"""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

Row = Sequence[Any]
Parameters = Mapping[str, Any]

_PARAMETER = re.compile(r":([a-z_]+)")


class Rows(Enum):
    """How many rows a statement returns: then several can be asked in one go and told apart."""

    NONE = 0
    ONE = 1
    ANY = 2


class Statement:
    """SQL with named parameters, in the spelling of both databases."""

    __slots__ = ("names", "postgres", "rows", "sqlite")

    def __init__(self, text: str, rows: Rows = Rows.ANY) -> None:
        self.rows = rows
        self.sqlite = text
        self.names = tuple(dict.fromkeys(_PARAMETER.findall(text)))
        places = {name: f"${number}" for number, name in enumerate(self.names, start=1)}
        located = _PARAMETER.sub(lambda match: places[match[1]], text)
        located = located.replace("/* lock, skip locked */", "FOR UPDATE SKIP LOCKED")
        self.postgres = located.replace("/* lock */", "FOR UPDATE").replace(
            "/* share */", "FOR SHARE"
        )


@dataclass(frozen=True, slots=True)
class Query:
    """One statement; its rows are sent back."""

    statement: Statement
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Many:
    """One statement for each of several parameters; all rows are sent back, in their order."""

    statement: Statement
    parameters: Sequence[Parameters]


Steps = Generator[Query | Many, list[Row], T]


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One atomic step. `start` begins it; it may be begun again after an undone transaction.

    A `durable` one has survived a loss of power when its result is there. A `reading` one writes
    nothing. A `repeatable` one may run again after a commit of which nobody knows whether it
    happened. `name` is for those who watch.
    """

    start: Callable[[], Steps[T]]
    name: str
    reading: bool = False
    durable: bool = False
    repeatable: bool = False


def reading(steps: Callable[P, Steps[T]]) -> Callable[P, Operation[T]]:
    """Make an operation of a generator function that only reads."""

    @wraps(steps)
    def make(*args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        return Operation(
            lambda: steps(*args, **kwargs), steps.__name__, reading=True, repeatable=True
        )

    return make


def writing(
    *, durable: bool, repeatable: bool = False
) -> Callable[[Callable[P, Steps[T]]], Callable[P, Operation[T]]]:
    """Make an operation of a generator function that writes."""

    def decorate(steps: Callable[P, Steps[T]]) -> Callable[P, Operation[T]]:
        @wraps(steps)
        def make(*args: P.args, **kwargs: P.kwargs) -> Operation[T]:
            return Operation(
                lambda: steps(*args, **kwargs),
                steps.__name__,
                durable=durable,
                repeatable=repeatable,
            )

        return make

    return decorate
