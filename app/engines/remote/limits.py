"""The most that a task can take of a model, before it is asked.

A token is at least a byte of UTF-8, so a prompt has no more tokens than bytes, and no more than the
context holds; an answer has no more than it is allowed. Providers frame a prompt in words of their
own, for tools above all: `FRAME_TOKENS` is more than any is known to.
"""

import json

from app.engines.contract import InputType, Task
from app.engines.remote.capabilities import MARGIN, Capabilities
from app.engines.remote.options import answer_schema
from app.engines.remote.prompt import Manner, list_categories, takes_none, write

#: The answers that a task is charged for at most: one, and one to mend it. What a provider refuses
#: or breaks off it does not charge.
ANSWERS = 2
FRAME_TOKENS = 1_000
# Longer than any word on what was wrong.
_COMPLAINT = "x" * 100


def most_tokens(task: Task, capabilities: Capabilities) -> tuple[int, int]:
    """Return the most tokens that are read and written for one answer."""
    # By other tokenizers than the one that was counted with, a full context may be more.
    full = int(capabilities.context / MARGIN)
    if task.input_type is not InputType.TEXT:
        # Images and sound are tokens by rules of each provider's own.
        return full, capabilities.longest_answer
    shown = list_categories(task.categories or (), lettered=True, with_none=takes_none(task))
    messages = write(task, Manner.JSON, shown, task.content, complaint=_COMPLAINT)
    written = json.dumps(answer_schema(task), ensure_ascii=False)
    size = sum(len(str(message["content"]).encode()) for message in messages) + len(
        written.encode()
    )
    return min(size + FRAME_TOKENS, full), capabilities.longest_answer
