"""Typed questions about one state: what is asked for, and the rules that hold for its values.

Each face writes questions in its own way, so they come with the ways to their fields, for errors.
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
    """A possible answer: an option of a choice, a level of a score, a side of a noul.

    `at` leads to what it means, `name_at` to its name; None where that is a key.
    """

    name: str
    meaning: str | None = None
    at: FieldPath = ()
    name_at: FieldPath | None = None


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question under the caller's name for it.

    `options` are those of a choice; the levels of a score, the lowest first, named by their index;
    `YES` and `NO` of a noul. `at` leads to it, `options_at` to all of them, `name_at` to its name;
    None where that is a key.
    """

    name: str
    kind: QuestionKind
    instructions: str
    options: Sequence[Option]
    at: FieldPath = ()
    options_at: FieldPath = ()
    name_at: FieldPath | None = None


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
    seen: set[str] = set()
    for question in request.questions:
        _check_name(question.name_at, question.name, of=("questions",), what="questions")
        _check_is_new(question.name, seen, at=question.name_at or question.at)
        _check_question(question)


def _check_question(question: AskedQuestion) -> None:
    instructions = (*question.at, "instructions")
    check_text(instructions, question.instructions, maximum=MAX_WORDS)
    of, count = question.options_at, len(question.options)
    match question.kind:
        case QuestionKind.CHOICE if not 1 <= count <= MAX_OPTIONS:
            raise InvalidRequest(of, f"must hold 1 to {MAX_OPTIONS} options, got {count}")
        case QuestionKind.SCORE if not LEVELS[0] <= count <= LEVELS[1]:
            raise InvalidRequest(of, f"must hold {LEVELS[0]} to {LEVELS[1]} levels, got {count}")
        case QuestionKind.NOUL if not any(option.meaning for option in question.options):
            check_filled(instructions, question.instructions)
    seen: set[str] = set()
    for option in question.options:
        _check_name(option.name_at, option.name, of=of, what="options")
        if option.meaning is not None:
            check_text(option.at, option.meaning, maximum=MAX_WORDS)
        if question.kind is QuestionKind.SCORE:
            check_filled(option.at, option.meaning or "")
        _check_is_new(option.name, seen, at=option.name_at or option.at)


def _check_is_new(name: str, seen: set[str], *, at: FieldPath) -> None:
    # Two names that look the same to a reader would make an answer ambiguous.
    key = unicodedata.normalize("NFC", name).strip()
    if key in seen:
        raise InvalidRequest(at, "must be unique, but another looks the same")
    seen.add(key)


def _check_name(at: FieldPath | None, name: str, *, of: FieldPath, what: str) -> None:
    """Hold a name to its rules; that of a key is wrong with what has the keys."""
    path = of if at is None else at
    try:
        check_text(path, name, maximum=MAX_NAME_LENGTH)
        check_filled(path, name)
    except InvalidRequest as error:
        if at is not None:
            raise
        raise InvalidRequest(path, f"must give names to its {what}: one {error.problem}") from None
