"""What is said of a content beside its label, whichever model judged it."""

from app.engines.contract import Flag, InputType, Task
from app.engines.instructions import gives_orders


def flags_of(task: Task) -> tuple[Flag, ...]:
    """Return what is worth knowing of a task's content.

    `INSTRUCTIONS`: it gives orders to the model. They are not followed; who cares may want to look.
    Of other content than text nothing is known here.
    """
    if task.input_type is InputType.TEXT and gives_orders(task.content):
        return (Flag.INSTRUCTIONS,)
    return ()
