"""Fitting the categories and the content into a model's context, by counting tokens.

The content keeps at least half of the room. Of categories, examples go first, then descriptions;
names stay, for a label that was not shown could not be chosen. Of the content the beginning and the
end stay, three quarters and one: a text tells what it is about first, and what follows of it last.

A token is at least a byte of UTF-8, so most texts fit without being counted. LiteLLM's counter is
exact for OpenAI's older models and near for others: `Capabilities.room` leaves a margin for that.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.engines.contract import Task, Truncated
from app.engines.errors import Unfit
from app.engines.remote.prompt import list_categories, takes_none

#: Texts longer than this are fitted in a thread (characters): counting takes 0.1 ms a thousand.
LONG_TEXT = 20_000
#: Characters counted at a time: counting stops where the room ends.
_PIECE = 2_000
_GAP = "\n[…]\n"
_DETAILS: tuple[tuple[int | None, int | None], ...] = (
    (None, None),
    (20, None),
    (5, None),
    (2, None),
    (0, None),
    (0, 200),
    (0, 60),
    (0, 0),
)

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the prompt holds of a task, and what was cut for it.

    `examples` and `description_length` are how much of each category is in `categories`; None is
    all.
    """

    categories: str
    content: str
    truncated: tuple[Truncated, ...]
    examples: int | None = None
    description_length: int | None = None


def fit(task: Task, *, lettered: bool, room: int, count: Count) -> Fitted:
    """Return what fits into `room` tokens.

    Raises:
        Unfit: Not even the names of the categories leave room for content.
    """
    shown, level = "", 0
    content = task.content
    if task.categories:
        shown, level = _fit_categories(task, lettered=lettered, room=room, count=count)
    left = room - (0 if _surely_fits(shown + content, room) else count(shown))
    kept = content if _surely_fits(content, left) else _fit_content(content, left, count)
    truncated = [Truncated.INPUT] if kept is not content else []
    cut = [Truncated.CATEGORIES] if level else []
    return Fitted(shown, kept, (*truncated, *cut), *_DETAILS[level])


def _surely_fits(text: str, room: int) -> bool:
    return len(text) <= room and len(text.encode()) <= room


def _fit_categories(task: Task, *, lettered: bool, room: int, count: Count) -> tuple[str, int]:
    for level, (examples, description_length) in enumerate(_DETAILS):
        shown = list_categories(
            task.categories or (),
            lettered=lettered,
            with_none=takes_none(task),
            examples=examples,
            description_length=description_length,
        )
        if _surely_fits(shown, room // 2) or _measure(shown, room // 2, count) is None:
            return shown, level
    raise Unfit(
        "categories",
        f"must have names of at most about {room // 2} tokens in all, which is what this server's "
        "models have room for",
    )


def _fit_content(content: str, room: int, count: Count) -> str:
    if _measure(content, room, count) is None:
        return content
    room -= count(_GAP)
    head_room = room * 3 // 4
    head = content[: _measure(content, head_room, count)]
    backwards = content[::-1]
    tail = backwards[: _measure(backwards, room - head_room, count)][::-1]
    return f"{head}{_GAP}{tail}"


def _measure(text: str, room: int, count: Count) -> int | None:
    """Return how many characters fit into `room`; None when all do."""
    used = 0
    for start in range(0, len(text), _PIECE):
        piece = text[start : start + _PIECE]
        tokens = count(piece)
        if used + tokens > room:
            # Within a piece tokens are spread evenly enough; the margin covers the rest.
            return start + max(len(piece) * (room - used) // tokens, 0)
        used += tokens
    return None
