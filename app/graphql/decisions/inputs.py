"""What is asked."""

import strawberry

from app.domain.decisions.question import NO, YES, AskedQuestion, DecisionsRequest, Option
from app.domain.errors import FieldPath, InvalidRequest
from app.engines.contract import QuestionKind


@strawberry.input(description="An option of a CHOICE.")
class OptionInput:
    name: str = strawberry.field(description="Returned as it is; up to 200 characters, unique.")
    description: str | None = strawberry.field(
        default=None, description="What it means; up to 10,000 characters."
    )


@strawberry.input(
    description="A question: a CHOICE has options, a SCORE has levels, a NOUL has instructions or "
    "one of its sides, better all."
)
class QuestionInput:
    name: str = strawberry.field(
        description="Your own name for it, echoed; up to 200 characters, unique. No model sees it."
    )
    kind: QuestionKind = strawberry.field(description="What kind of answer it has.")
    instructions: str | None = strawberry.field(
        default=None, description="The question in words; up to 10,000 characters."
    )
    options: list[OptionInput] | None = strawberry.field(
        default=None, description="CHOICE: 1 to 255 options."
    )
    levels: list[str] | None = strawberry.field(
        default=None,
        description="SCORE: 2 to 10 levels, the lowest first, each up to 10,000 characters.",
    )
    when_true: str | None = strawberry.field(
        default=None, description="NOUL: what makes it true; up to 10,000 characters."
    )
    when_false: str | None = strawberry.field(
        default=None, description="NOUL: what makes it false; up to 10,000 characters."
    )

    def to_asked(self, at: FieldPath) -> AskedQuestion:
        """Hand the values to the domain.

        Raises:
            InvalidRequest: A field is not for this kind of question.
        """
        fields = {
            "options": (QuestionKind.CHOICE, self.options),
            "levels": (QuestionKind.SCORE, self.levels),
            "when_true": (QuestionKind.NOUL, self.when_true),
            "when_false": (QuestionKind.NOUL, self.when_false),
        }
        for field, (kind, given) in fields.items():
            if given is not None and kind is not self.kind:
                raise InvalidRequest((*at, field), f"is only for a {kind.name}")
        return AskedQuestion(
            name=self.name,
            kind=self.kind,
            instructions=self.instructions or "",
            options=self._options(at),
            at=at,
            options_at=(*at, "levels" if self.kind is QuestionKind.SCORE else "options"),
            name_at=(*at, "name"),
        )

    def _options(self, at: FieldPath) -> list[Option]:
        match self.kind:
            case QuestionKind.CHOICE:
                return [
                    Option(
                        each.name,
                        each.description or None,
                        at=(*at, "options", index, "description"),
                        name_at=(*at, "options", index, "name"),
                    )
                    for index, each in enumerate(self.options or ())
                ]
            case QuestionKind.SCORE:
                return [
                    Option(str(index), level, at=(*at, "levels", index))
                    for index, level in enumerate(self.levels or ())
                ]
            case QuestionKind.NOUL:
                return [
                    Option(YES, self.when_true or None, at=(*at, "when_true")),
                    Option(NO, self.when_false or None, at=(*at, "when_false")),
                ]


@strawberry.input(description="A text, and typed questions about it.")
class DecideInput:
    state: str = strawberry.field(
        description="The text that is judged; up to 1,000,000 characters. What it orders is not "
        "followed."
    )
    questions: list[QuestionInput] = strawberry.field(
        description="1 to 128 questions, up to the plan's batch size. Each is answered by itself "
        "and counts as one request."
    )
    store: bool | None = strawberry.field(
        default=None, description="Whether to keep the preview of the state. Default true."
    )

    def to_request(self) -> DecisionsRequest:
        """Hand the values to the domain.

        Raises:
            InvalidRequest: A field is not for this kind of question.
        """
        return DecisionsRequest(
            state=self.state,
            questions=[
                question.to_asked(("questions", index))
                for index, question in enumerate(self.questions)
            ],
            store=self.store,
        )
