"""Answers to typed questions."""

from __future__ import annotations

import strawberry

from app.domain.decisions.answer import ChoiceAnswer, NoulAnswer, ScoreAnswer, answer_of
from app.domain.decisions.question import AskedQuestion
from app.domain.jobs import job as domain
from app.engines.contract import QuestionKind
from app.graphql.jobs.types import Job
from app.settings import Settings


@strawberry.type(description="How likely an option is.")
class OptionProbability:
    option: str = strawberry.field(
        description="The option's name; of a SCORE the level's index, of a NOUL true or false."
    )
    probability: float = strawberry.field(description="From 0 to 1, rounded to 4 places.")


@strawberry.type(description="What a question was answered.")
class Answer:
    name: str = strawberry.field(description="Your own name for the question.")
    kind: QuestionKind = strawberry.field(description="What kind of answer it has.")
    choice: str | None = strawberry.field(
        default=None,
        description="CHOICE: the likeliest option, the first of those as likely. Null for other "
        "kinds, and when the question could not be answered.",
    )
    score: float | None = strawberry.field(
        default=None,
        description="SCORE: the levels' indices, weighed with their probabilities. Null for other "
        "kinds, and when the question could not be answered.",
    )
    noul: float | None = strawberry.field(
        default=None,
        description="NOUL: the probability that it holds. Null for other kinds, and when the "
        "question could not be answered.",
    )
    probabilities: list[OptionProbability] = strawberry.field(
        default_factory=list,
        description="Of every option in your order; the sum is 1. Empty when the question could "
        "not be answered.",
    )
    confidence: float | None = strawberry.field(
        default=None,
        description="How far the probabilities are from saying nothing: 0 is even, 1 is certain. "
        "Null for a NOUL, and when the question could not be answered.",
    )
    job: Job = strawberry.field(
        description="The question's job: what it cost, which model answered, why it failed."
    )

    @classmethod
    def of(cls, asked: AskedQuestion, job: domain.Job, settings: Settings) -> Answer:
        """Show the answer that a job has for its question."""
        shown = cls(name=asked.name, kind=asked.kind, job=Job.of(job, settings))
        if job.labels is None:
            return shown
        answer = answer_of(asked, job.labels)
        shown.probabilities = [
            OptionProbability(option=option, probability=chance)
            for option, chance in answer.chances.items()
        ]
        match answer:
            case NoulAnswer():
                shown.noul = answer.noul
            case ChoiceAnswer():
                shown.choice, shown.confidence = answer.choice, answer.confidence
            case ScoreAnswer():
                shown.score, shown.confidence = answer.score, answer.confidence
        return shown
