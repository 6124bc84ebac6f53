"""Whether a text gives orders to the model that judges it: the one place that tells.

Prompt injection (Perez, Ribeiro 2022, https://arxiv.org/abs/2211.09527; OWASP LLM01) mostly comes
in few turns of phrase: earlier orders are called off, new ones or a new role are given, the answer
is dictated, the marks of a prompt are forged, the reader is addressed as a machine. They stand in
`instructions.toml`, each with words that it can't do without, which are looked for first.

It is a sign for people and for rules of theirs, and moves no answer: what it does not find is as
confined as what it does. How much it finds stands in docs/models.md.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

#: What is read of a longer text (characters), at its beginning and at its end.
HEAD, TAIL = 30_000, 10_000

_FILE = Path(__file__).with_suffix(".toml")
_PART = re.compile(r"<(\w+)>")
# Characters that show nothing, put between letters so that a word is not found.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class _Turn:
    """A turn of phrase; `words` are in lower case, of which one must be there."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]


def _load() -> tuple[_Turn, ...]:
    told = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    parts = told["parts"]
    return tuple(
        _Turn(
            tuple(turn["words"]),
            re.compile(_PART.sub(lambda name: parts.get(name[1], name[0]), turn["pattern"])),
        )
        for turn in told["turns"]
    )


_TURNS = _load()
_WORDS = tuple(dict.fromkeys(word for turn in _TURNS for word in turn.words))


def gives_orders(text: str) -> bool:
    """Tell whether a text speaks to the model that judges it, to make it answer otherwise."""
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]}\n{text[-TAIL:]}"
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    text = text.lower()
    there = {word for word in _WORDS if word in text}
    return bool(there) and any(
        turn.pattern.search(text) for turn in _TURNS if not there.isdisjoint(turn.words)
    )
