"""The parameters of a call that make a model answer in a manner, in the OpenAI wire's terms.

LiteLLM turns them into each provider's own.
"""

from typing import Any

from app.engines.contract import Mode, Task
from app.engines.remote.answer import MAX_EXPLANATION_LENGTH
from app.engines.remote.prompt import Manner, asked_for, takes_none

# OpenAI's bounds for an enumeration in strict mode:
# https://platform.openai.com/docs/guides/structured-outputs#limitations-on-enum-size
MAX_ENUM = 1_000
MAX_SMALL_ENUM = 250
MAX_ENUM_LENGTH = 15_000
#: Alternatives of a token: the most that OpenAI gives.
TOP_LOGPROBS = 20
_TOKENS_OF_A_SENTENCE = 200
_FUNCTION = "answer"


def options_for(
    manner: Manner, task: Task, *, longest: int, bounded: bool = False
) -> dict[str, Any]:
    """Return the parameters; `longest` is how many tokens an answer may have.

    `bounded` says that the provider understands in a schema how long lists and texts may be.
    """
    if manner is Manner.LETTER:
        tokens = _TOKENS_OF_A_SENTENCE if task.explain else 1
        shape: dict[str, Any] = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        return {"temperature": 0, "max_tokens": tokens, **shape}
    shape = {}
    if manner is Manner.SCHEMA:
        schema = {"name": "labels", "strict": True, "schema": answer_schema(task, bounded=bounded)}
        shape = {"response_format": {"type": "json_schema", "json_schema": schema}}
    elif manner is Manner.TOOL:
        function = {
            "name": _FUNCTION,
            "description": "Give the answer.",
            "parameters": answer_schema(task, bounded=bounded),
        }
        shape = {
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": _FUNCTION}},
        }
    return {"temperature": 0, "max_tokens": longest, **shape}


def answer_schema(task: Task, *, bounded: bool = False) -> dict[str, Any]:
    """Return the JSON schema of an answer: labels of the list only, as far as providers allow.

    Where it is `bounded`, no more labels than are asked for, and no explanation longer than what is
    kept of it: a weak model goes on and on.
    """
    none = [None] if takes_none(task) else []
    label: dict[str, Any] = {"type": ["string", "null"] if none else "string"}
    names = [category.name for category in task.categories or ()]
    small = len(names) <= MAX_SMALL_ENUM or sum(map(len, names)) <= MAX_ENUM_LENGTH
    if names and small and len(names) < MAX_ENUM:
        label["enum"] = [*names, *none]
    properties: dict[str, Any] = {"label": label, "confidence": {"type": "number"}}
    if task.explain:
        length = {"maxLength": MAX_EXPLANATION_LENGTH} if bounded else {}
        properties["explanation"] = {"type": "string", **length}
    entry = _closed(properties)
    listed = {"type": "array", "items": entry, **(_bounds(task) if bounded else {})}
    return _closed({"labels": listed})


def _bounds(task: Task) -> dict[str, int]:
    if task.mode is not Mode.MULTI:
        return {"minItems": 1, "maxItems": asked_for(task)}
    if task.categories is None:
        return {"minItems": 1, "maxItems": task.top_n}
    return {"minItems": 0, "maxItems": len(task.categories)}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
