"""What a well-behaved model answers: a chat completion in the form that the request asks for.

It chooses the category whose name occurs first in the content, else the first of the list, so that
a test knows the answer. It reads the categories from the prompt, as a model would, and of an image,
a recording or a video the bytes, in which a name may stand as well.
"""

import base64
import json
import math
import re
from typing import Any

Json = dict[str, Any]

CONFIDENCE = 0.9
_LINE = re.compile(r'^(?:([A-Z]) )?(\{"name":.*\})$', re.MULTILINE)
GENERIC = "nature"


def completion(request: Json) -> Json:
    """Return the chat completion of a model that does as it is told."""
    message: Json = {"role": "assistant", "content": None, "refusal": None}
    choice: Json = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    if request.get("tools"):
        function = request["tools"][0]["function"]
        arguments = json.dumps(judgement(request))
        call = {"name": function["name"], "arguments": arguments}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
        choice["finish_reason"] = "tool_calls"
    elif request.get("logprobs"):
        letters = letters_of(request)
        letter = letters[chosen(request)]
        asked_why = "why" in request["messages"][0]["content"]
        message["content"] = f"{letter}\nIt speaks of that." if asked_why else letter
        choice["logprobs"] = {"content": [token(letter, distribution(letter, letters))]}
    else:
        message["content"] = json.dumps(judgement(request))
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": request["model"],
        "choices": [choice],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }


def categories(request: Json) -> list[str | None]:
    """Return the names of the categories in the prompt; None is none of them."""
    prompt = request["messages"][0]["content"]
    return [json.loads(line)["name"] for _, line in _LINE.findall(prompt)]


def letters_of(request: Json) -> dict[str | None, str]:
    """Return the letter of each category in the prompt."""
    prompt = request["messages"][0]["content"]
    return {json.loads(line)["name"]: letter for letter, line in _LINE.findall(prompt)}


def chosen(request: Json) -> str | None:
    """Return the category that the model takes for the right one."""
    content = content_of(request).lower()
    names = categories(request)
    found = [(content.find(n.lower()), n) for n in names if n is not None and n.lower() in content]
    if found:
        return min(found)[1]
    return None if None in names else names[0]


def content_of(request: Json) -> str:
    """Return the content to judge: its text, and what stands in the bytes of its parts."""
    content = request["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return "".join(
        part["text"] if part["type"] == "text" else bytes_of(part).decode("latin-1")
        for part in content[_start(content) :]
    )


def parts_of(request: Json) -> list[Json]:
    """Return the parts of the content that are no text."""
    content = request["messages"][-1]["content"]
    if isinstance(content, str):
        return []
    return [part for part in content[_start(content) :] if part["type"] != "text"]


def examples_of(request: Json) -> list[tuple[str, bytes]]:
    """Return the images to compare with: what is said of each, and its bytes."""
    content = request["messages"][-1]["content"]
    before = content[: _start(content)]
    return [
        (told["text"], bytes_of(part)) for told, part in zip(before[::2], before[1::2], strict=True)
    ]


def _start(parts: list[Json]) -> int:
    """Return the place of the line at which the content begins."""
    return next(
        place for place, part in enumerate(parts) if part.get("text", "").startswith("<content-")
    )


def bytes_of(part: Json) -> bytes:
    """Return the bytes in a part, in whichever of the wire's forms."""
    body = part[part["type"]]
    data = body.get("data") or body.get("file_data") or body["url"]
    return base64.b64decode(data.partition(",")[2] or data)


def judgement(request: Json) -> Json:
    """Return the answer as JSON: the chosen one first, the next one of the list after it."""
    names = categories(request)
    if not names:
        return {"labels": [_entry(request, GENERIC, CONFIDENCE)]}
    best = chosen(request)
    labels = [_entry(request, best, CONFIDENCE)]
    labels += [_entry(request, name, 0.06) for name in names if name != best][:1]
    return {"labels": labels}


def _entry(request: Json, name: str | None, confidence: float) -> Json:
    entry: Json = {"label": name, "confidence": confidence}
    if "explanation" in request["messages"][0]["content"]:
        entry["explanation"] = f"It speaks of {name}."
    return entry


def distribution(letter: str, letters: dict[str | None, str]) -> dict[str, float]:
    """Return the probabilities of tokens: most on a letter, the rest even, a little elsewhere."""
    others = [other for other in letters.values() if other != letter]
    shared = {other: 0.08 / len(others) for other in others}
    return {letter: CONFIDENCE, **shared, "The": 0.02}


def token(text: str, probabilities: dict[str, float]) -> Json:
    """Return the entry of a token with the log-probabilities of those it was chosen from."""
    return {
        "token": text,
        "bytes": list(text.encode()),
        "logprob": math.log(probabilities[text]),
        "top_logprobs": [
            {"token": name, "bytes": list(name.encode()), "logprob": math.log(probability)}
            for name, probability in probabilities.items()
        ],
    }
