"""A question put to sentence encoders, which know only how near a text is to another.

A choice is one among categories: the question itself tells encoders nothing. The levels of a score
are told by their descriptions. A noul with both its sides described is a choice between them; one
without is whether the text belongs to what is asked, held against generic labels as in `multi`
(docs/models.md has the figures).
"""

from dataclasses import dataclass

from app.engines.contract import Category, Mode, QuestionKind, Task
from app.engines.text.taxonomy import TAXONOMY


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is held against, and how: the categories of a task, or what stands for them.

    With `is_one_side` there is one, and the task has two: whether it holds and whether not.
    """

    categories: tuple[Category, ...]
    mode: Mode
    is_one_side: bool = False


def reading_of(task: Task) -> Reading:
    """Return how a task is put to encoders."""
    categories = TAXONOMY if task.categories is None else task.categories
    if task.question is None or task.question.kind is QuestionKind.CHOICE:
        return Reading(categories, task.mode)
    told = tuple(Category(each.description or "") for each in categories)
    if task.question.kind is QuestionKind.SCORE or all(each.name for each in told):
        return Reading(told, task.mode)
    side = told[0] if told[0].name else Category(task.question.text)
    return Reading((side,), Mode.MULTI, is_one_side=True)
