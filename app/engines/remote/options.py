"""The parameters of a call that make a model answer in a manner, in the OpenAI wire's terms.

LiteLLM turns them into each provider's own.
"""

from typing import Any

from app.engines.contract import Task
from app.engines.remote.prompt import Manner, takes_none

# OpenAI's bounds for an enumeration in strict mode:
# https://platform.openai.com/docs/guides/structured-outputs#limitations-on-enum-size
MAX_ENUM = 1_000
MAX_SMALL_ENUM = 250
MAX_ENUM_LENGTH = 15_000
#: Alternatives of a token: the most that OpenAI gives.
TOP_LOGPROBS = 20
_TOKENS_OF_A_SENTENCE = 200
_FUNCTION = "answer"


def options_for(manner: Manner, task: Task, *, longest: int) -> dict[str, Any]:
    """Return the parameters; `longest` is how many tokens an answer may have."""
    if manner is Manner.LETTER:
        tokens = _TOKENS_OF_A_SENTENCE if task.explain else 1
        shape: dict[str, Any] = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        return {"temperature": 0, "max_tokens": tokens, **shape}
    shape = {}
    if manner is Manner.SCHEMA:
        schema = {"name": "labels", "strict": True, "schema": answer_schema(task)}
        shape = {"response_format": {"type": "json_schema", "json_schema": schema}}
    elif manner is Manner.TOOL:
        function = {
            "name": _FUNCTION,
            "description": "Give the answer.",
            "parameters": answer_schema(task),
        }
        shape = {
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": _FUNCTION}},
        }
    return {"temperature": 0, "max_tokens": longest, **shape}


def answer_schema(task: Task) -> dict[str, Any]:
    """Return the JSON schema of an answer: labels of the list only, as far as providers allow."""
    none = [None] if takes_none(task) else []
    label: dict[str, Any] = {"type": ["string", "null"] if none else "string"}
    names = [category.name for category in task.categories or ()]
    small = len(names) <= MAX_SMALL_ENUM or sum(map(len, names)) <= MAX_ENUM_LENGTH
    if names and small and len(names) < MAX_ENUM:
        label["enum"] = [*names, *none]
    properties: dict[str, Any] = {"label": label, "confidence": {"type": "number"}}
    if task.explain:
        properties["explanation"] = {"type": "string"}
    entry = _closed(properties)
    return _closed({"labels": {"type": "array", "items": entry}})


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
