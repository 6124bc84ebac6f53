"""`POST /systemone`: System One's wire, answered by the models of this server.

docs/decisions/0012-the-systemone-wire.md tells the wire, and what of it is ours.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.domain.batches.batch import Batch
from app.domain.classification.request import MAX_NAME_LENGTH, check_text
from app.domain.decisions.answer import ChoiceAnswer, NoulAnswer, ScoreAnswer, answer_of
from app.domain.decisions.decide import decide
from app.domain.decisions.question import NO, YES, AskedQuestion, DecisionsRequest, Option
from app.domain.errors import ErrorCode, FieldPath, InvalidRequest
from app.domain.jobs.job import Job
from app.domain.jobs.shown_model import shown_model
from app.engines.contract import QuestionKind
from app.rest.call import Call
from app.rest.operation import Operation
from app.rest.replies import ItemErrorReply
from app.rest.reply import Reply
from app.rest.systemone_shapes import (
    ChoiceAnswerReply,
    NoulAnswerReply,
    ScoreAnswerReply,
    SystemOneBody,
    SystemOneReply,
    TokensReply,
)

_ELSEWHERE = ("images", "files", "assets", "audio", "videos")
_KINDS = [kind.value for kind in QuestionKind]


async def post_systemone(call: Call) -> Reply:
    """Answer typed questions about one state."""
    request = to_request(await call.body(SystemOneBody))

    def reply(batch: Batch) -> Reply:
        return Reply(_render(call, request, batch))

    decided = await decide(
        call.services,
        call.caller,
        request,
        started=call.started,
        receipt=lambda batch: call.receipt(reply(batch)),
    )
    call.used = decided.used
    return reply(decided.batch)


def to_request(body: SystemOneBody) -> DecisionsRequest:
    """Hand a body's values to the domain.

    Raises:
        InvalidRequest: A value is of another type than the wire's; the error names the field.
    """
    if body.model is not None:
        check_text(("model",), body.model, maximum=MAX_NAME_LENGTH)
    for name in _ELSEWHERE:
        # To answer without looking at them would be to answer another question.
        if getattr(body, name):
            raise InvalidRequest((name,), "must be left out: this server reads the state alone")
    return DecisionsRequest(
        state=_words(("state",), body.state),
        questions=[
            _to_question(("questions", name), name, asked) for name, asked in body.questions.items()
        ],
        store=body.store,
    )


def _to_question(path: FieldPath, name: str, asked: Any) -> AskedQuestion:
    if not isinstance(asked, dict):
        raise InvalidRequest(path, "must be an object")
    kind = asked.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InvalidRequest((*path, "type"), f"must be one of {', '.join(_KINDS)}")
    instructions, criteria = asked.get("instructions"), (*path, "criteria")
    return AskedQuestion(
        name=name,
        kind=QuestionKind(kind),
        instructions="" if instructions is None else _words((*path, "instructions"), instructions),
        options=_to_options(criteria, QuestionKind(kind), asked.get("criteria")),
        at=path,
        options_at=criteria,
    )


def _to_options(path: FieldPath, kind: QuestionKind, criteria: Any) -> list[Option]:
    match kind, criteria:
        case QuestionKind.SCORE, list():
            return [
                Option(str(index), _words((*path, index), level), at=(*path, index))
                for index, level in enumerate(criteria)
            ]
        case QuestionKind.CHOICE, dict():
            return [_option(path, criteria, name) for name in criteria]
        case QuestionKind.NOUL, dict() | None:
            return [_option(path, criteria or {}, name) for name in (YES, NO)]
    wanted = "an array of levels" if kind is QuestionKind.SCORE else "an object"
    raise InvalidRequest(path, "is required" if criteria is None else f"must be {wanted}")


def _option(path: FieldPath, criteria: Mapping[str, Any], name: str) -> Option:
    meaning, at = criteria.get(name), (*path, name)
    # An empty one says as little as none.
    return Option(name, None if meaning is None else _words(at, meaning) or None, at=at)


def _words(path: FieldPath, value: Any) -> str:
    """Return text as it is, and JSON as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        try:
            return msgspec.json.encode(value).decode()
        except RecursionError:
            raise InvalidRequest(path, "is nested too deeply") from None
    raise InvalidRequest(path, "must be a string, an object or an array")


def _render(call: Call, request: DecisionsRequest, batch: Batch) -> SystemOneReply:
    pairs = list(zip(request.questions, batch.jobs, strict=True))
    answered = [job for job in batch.jobs if job.labels is not None]
    failed = {asked.name: job.error for asked, job in pairs if job.error is not None}
    return SystemOneReply(
        model=shown_model(call.services.settings, answered[0]) or "",
        answers={asked.name: _answer(asked, job) for asked, job in pairs if job.labels is not None},
        usage=TokensReply(sum(job.tokens or 0 for job in answered), 0),
        id=batch.id,
        flags=list(answered[0].flags) or msgspec.UNSET,
        errors={name: ItemErrorReply(e.code.value, e.message) for name, e in failed.items()}
        or msgspec.UNSET,
    )


def _answer(
    asked: AskedQuestion, job: Job
) -> ChoiceAnswerReply | ScoreAnswerReply | NoulAnswerReply:
    match answer_of(asked, job.labels or ()):
        case NoulAnswer(noul=noul):
            return NoulAnswerReply(noul)
        case ChoiceAnswer(chances, choice, confidence):
            return ChoiceAnswerReply(choice, dict(chances), confidence)
        case ScoreAnswer(chances, score, confidence):
            legend = {option.name: option.meaning for option in asked.options}
            return ScoreAnswerReply(score, legend, dict(chances), confidence)


SYSTEMONE = {
    "POST": Operation(
        post_systemone,
        name="decide",
        summary="Answer typed questions about one state (System One)",
        body=SystemOneBody,
        reply=SystemOneReply,
        errors=(
            ErrorCode.PLAN_RESTRICTION,
            ErrorCode.RATE_LIMIT_EXCEEDED,
            ErrorCode.BUDGET_EXCEEDED,
            ErrorCode.MODEL_UNAVAILABLE,
        ),
    )
}
