"""Typed questions about one state: what is asked for, and the rules that hold for its values.

Field paths in errors are the wire's names (docs/decisions/0012-the-systemone-wire.md).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.classification.request import (
    MAX_NAME_LENGTH,
    MAX_TEXT_LENGTH,
    check_filled,
    check_text,
)
from app.domain.errors import FieldPath, InvalidRequest
from app.engines.contract import QuestionKind

# What documented servers and clients of the wire agree on.
MAX_QUESTIONS = 128
MAX_OPTIONS = 255
LEVELS = (2, 10)
# Instructions, and what an option or a level means (characters).
MAX_WORDS = 10_000
YES, NO = "true", "false"


@dataclass(frozen=True, slots=True)
class Option:
    """A possible answer: an option of a choice, a level of a score, a side of a noul."""

    name: str
    meaning: str | None = None


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question under the caller's name for it.

    `options` are those of a choice; the levels of a score, the lowest first, named by their index;
    `YES` and `NO` of a noul.
    """

    name: str
    kind: QuestionKind
    instructions: str
    options: Sequence[Option]


@dataclass(frozen=True, slots=True)
class DecisionsRequest:
    """A state and what is asked about it. With `store` False not even its preview is kept."""

    state: str
    questions: Sequence[AskedQuestion]
    store: bool | None = None


def check_decisions(request: DecisionsRequest) -> None:
    """Hold a request to the rules of values.

    Raises:
        InvalidRequest: A value is out of its range; the error names the field.
    """
    check_text(("state",), request.state, maximum=MAX_TEXT_LENGTH)
    check_filled(("state",), request.state)
    if not 1 <= len(request.questions) <= MAX_QUESTIONS:
        raise InvalidRequest(
            ("questions",),
            f"must hold 1 to {MAX_QUESTIONS} questions, got {len(request.questions)}",
        )
    for question in request.questions:
        _check_name(("questions",), question.name, what="questions")
        _check_question(("questions", question.name), question)


def _check_question(at: FieldPath, question: AskedQuestion) -> None:
    check_text((*at, "instructions"), question.instructions, maximum=MAX_WORDS)
    criteria = (*at, "criteria")
    count = len(question.options)
    match question.kind:
        case QuestionKind.CHOICE if not 1 <= count <= MAX_OPTIONS:
            raise InvalidRequest(criteria, f"must hold 1 to {MAX_OPTIONS} options, got {count}")
        case QuestionKind.SCORE if not LEVELS[0] <= count <= LEVELS[1]:
            raise InvalidRequest(
                criteria, f"must hold {LEVELS[0]} to {LEVELS[1]} levels, got {count}"
            )
        case QuestionKind.NOUL if not any(option.meaning for option in question.options):
            check_filled((*at, "instructions"), question.instructions)
    seen: set[str] = set()
    for index, option in enumerate(question.options):
        place: str | int = index if question.kind is QuestionKind.SCORE else option.name
        _check_name(criteria, option.name, what="options")
        if option.meaning is not None:
            check_text((*criteria, place), option.meaning, maximum=MAX_WORDS)
        if question.kind is QuestionKind.SCORE:
            check_filled((*criteria, place), option.meaning or "")
        # Two names that look the same to a reader would make an answer ambiguous.
        key = unicodedata.normalize("NFC", option.name).strip()
        if key in seen:
            raise InvalidRequest((*criteria, place), "must be unique, but another looks the same")
        seen.add(key)


def _check_name(path: FieldPath, name: str, *, what: str) -> None:
    try:
        check_text(path, name, maximum=MAX_NAME_LENGTH)
        check_filled(path, name)
    except InvalidRequest as error:
        raise InvalidRequest(path, f"must give names to its {what}: one {error.problem}") from None
