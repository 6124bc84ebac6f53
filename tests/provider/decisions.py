"""What a well-behaved decision model answers: probabilities for every option of every question.

It takes for right what occurs in the state: an option's name or its description, a word of what a
noul asks for in quotation marks, so that a test knows the answer.
"""

import json
import re
from typing import Any

Json = dict[str, Any]

LIKELY = 0.9
TOKENS = 90
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def decision(request: Json) -> Json:
    """Return the answer of a decision model, as llama.cpp documents it."""
    state = request["state"]
    text = (state if isinstance(state, str) else json.dumps(state)).lower()
    answers = {name: _answer(asked, text) for name, asked in request["questions"].items()}
    usage = {"input_tokens": TOKENS, "output_tokens": 0}
    return {"model": request["model"], "answers": answers, "usage": usage}


def _answer(asked: Json, text: str) -> Json:
    if asked["type"] == "noul":
        found = [json.loads(f'"{word}"') for word in _QUOTED.findall(asked["instructions"])]
        holds = any(word.lower() in text for word in found)
        return {"type": "noul", "noul": LIKELY if holds else 1 - LIKELY}
    if asked["type"] == "score":
        names = [str(level) for level in range(len(asked["criteria"]))]
        chances = _spread(names, _chosen(dict(zip(names, asked["criteria"], strict=True)), text))
        return {
            "type": "score",
            "score": sum(int(name) * chance for name, chance in chances.items()),
            "legend": dict(zip(names, asked["criteria"], strict=True)),
            "probabilities": chances,
            "confidence": LIKELY,
        }
    best = _chosen(asked["criteria"], text)
    return {
        "type": "choice",
        "choice": best,
        "probabilities": _spread(list(asked["criteria"]), best),
        "confidence": LIKELY,
    }


def _chosen(criteria: Json, text: str) -> str:
    for name, meaning in criteria.items():
        if name.lower() in text or (meaning and meaning.lower() in text):
            return name
    # What fits nothing is none of the above, where that is an option: it stands last.
    return [*criteria][-1 if "none of the above" in criteria else 0]


def _spread(names: list[str], best: str) -> dict[str, float]:
    if len(names) == 1:
        return {best: 1.0}
    rest = (1 - LIKELY) / (len(names) - 1)
    return {name: LIKELY if name == best else rest for name in names}
