"""The JSON shapes of `POST /systemone`: System One's wire, not ours.

What may be text or JSON, and questions under names of the caller's, are read in `systemone`, which
names what is wrong as the caller does; the shapes of questions are told to readers.
"""

from typing import Annotated, Any

from msgspec import UNSET, Struct, UnsetType

from app.domain.classification.request import MAX_NAME_LENGTH, MAX_TEXT_LENGTH
from app.domain.decisions.question import LEVELS, MAX_OPTIONS, MAX_QUESTIONS, MAX_WORDS
from app.engines.contract import Flag
from app.rest.described import REF, about
from app.rest.replies import ItemErrorReply

# Generators of clients want to be told of arrays' items.
_JSON: dict[str, Any] = {"type": ["string", "object", "array"], "items": {}}
_JSON_OR_NULL = {**_JSON, "type": [*_JSON["type"], "null"]}
_WORDS = f"Text, or JSON, which is read as text: at most {MAX_WORDS} characters."
_INSTRUCTIONS = about(f"The question. {_WORDS}", **_JSON_OR_NULL)
_MEANING = {**_JSON_OR_NULL, "description": f"What it means. {_WORDS}"}


class ChoiceQuestionBody(Struct, tag_field="type", tag="choice"):
    """Which of several options."""

    criteria: Annotated[
        Any,
        about(
            "What each option means, or null, by the option's name.",
            type="object",
            additionalProperties=_MEANING,
            minProperties=1,
            maxProperties=MAX_OPTIONS,
        ),
    ]
    instructions: Annotated[Any, _INSTRUCTIONS] = None


class ScoreQuestionBody(Struct, tag_field="type", tag="score"):
    """How far on an ordered scale."""

    criteria: Annotated[
        Any,
        about(
            "What each level means, the lowest first.",
            type="array",
            items={**_JSON, "description": _WORDS},
            minItems=LEVELS[0],
            maxItems=LEVELS[1],
        ),
    ]
    instructions: Annotated[Any, _INSTRUCTIONS] = None


class NoulQuestionBody(Struct, tag_field="type", tag="noul"):
    """Whether something holds. It has instructions, or criteria."""

    instructions: Annotated[Any, _INSTRUCTIONS] = None
    criteria: Annotated[
        Any,
        about(
            "What makes it true and what makes it false.",
            type=["object", "null"],
            properties={"true": _MEANING, "false": _MEANING},
        ),
    ] = None


QUESTION_SHAPES = (ChoiceQuestionBody, ScoreQuestionBody, NoulQuestionBody)


class SystemOneBody(Struct):
    """A state, and typed questions about it."""

    state: Annotated[
        Any,
        about(
            "The content that is judged: text, or JSON, which is read as text: at most "
            f"{MAX_TEXT_LENGTH} characters.",
            **_JSON,
        ),
    ]
    questions: Annotated[
        dict[str, Any],
        about(
            "Questions by names of your own. Each is answered by itself and counts as one request.",
            additionalProperties={
                "anyOf": [{"$ref": REF.format(name=shape.__name__)} for shape in QUESTION_SHAPES]
            },
            propertyNames={"minLength": 1, "maxLength": MAX_NAME_LENGTH},
            minProperties=1,
            maxProperties=MAX_QUESTIONS,
        ),
    ]
    model: Annotated[
        str | None,
        about(
            "Taken and ignored: the answer says which model it is of.", maxLength=MAX_NAME_LENGTH
        ),
    ] = None
    store: Annotated[
        bool | None, about("If false, not even the preview of the state is kept. Default true.")
    ] = None
    images: Annotated[Any, about("Must be empty: only the state is read.")] = None
    files: Annotated[Any, about("Must be empty: only the state is read.")] = None
    assets: Annotated[Any, about("Must be empty: only the state is read.")] = None
    audio: Annotated[Any, about("Must be empty: only the state is read.")] = None
    videos: Annotated[Any, about("Must be empty: only the state is read.")] = None


_SHARE = {"minimum": 0, "maximum": 1}
_CONFIDENCE = about(
    "How far the probabilities are from saying nothing: 0 is even, 1 is certain.", **_SHARE
)


class ChoiceAnswerReply(Struct, tag_field="type", tag="choice"):
    """The answer to a choice."""

    choice: Annotated[str, about("The likeliest option; the first of those as likely.")]
    probabilities: Annotated[dict[str, float], about("Of each option, in your order; sum 1.")]
    confidence: Annotated[float, _CONFIDENCE]


class ScoreAnswerReply(Struct, tag_field="type", tag="score"):
    """The answer to a score."""

    score: Annotated[float, about("The levels' indices, weighed with their probabilities.")]
    legend: Annotated[dict[str, Any], about("Your levels, by index.")]
    probabilities: Annotated[dict[str, float], about("Of each level, by index; sum 1.")]
    confidence: Annotated[float, _CONFIDENCE]


class NoulAnswerReply(Struct, tag_field="type", tag="noul"):
    """The answer to a noul."""

    noul: Annotated[float, about("The probability that it holds.", **_SHARE)]


TYPED_SHAPES = (*QUESTION_SHAPES, ChoiceAnswerReply, ScoreAnswerReply, NoulAnswerReply)
TYPE = "The type of the question."


class TokensReply(Struct):
    """What was read."""

    input_tokens: Annotated[int, about("Tokens that the model read, over all questions.")]
    output_tokens: Annotated[int, about("Always 0: counted as read.")]


class SystemOneReply(Struct):
    """Answers, by the names of the questions."""

    model: Annotated[str, about("The model that answered.", examples=["classifai-v1"])]
    answers: Annotated[
        dict[str, ChoiceAnswerReply | ScoreAnswerReply | NoulAnswerReply],
        about("By the names of the questions, in your order."),
    ]
    usage: Annotated[TokensReply, about("What was read.")]
    id: Annotated[
        str,
        about(
            "The batch that the questions' jobs are in: `GET /jobs?id=…`. Not in other servers.",
            examples=["batch_6612abc0f1d2e3a4b5c6d7e8"],
        ),
    ]
    flags: Annotated[
        list[Flag] | UnsetType,
        about(
            "What is worth knowing of the state; left out when there is nothing. instructions: it "
            "gives orders to the model, which are not followed. Not in other servers."
        ),
    ] = UNSET
    errors: Annotated[
        dict[str, ItemErrorReply] | UnsetType,
        about(
            "Why questions have no answer, by their names; left out when all have one. They are "
            "not counted. Not in other servers."
        ),
    ] = UNSET
