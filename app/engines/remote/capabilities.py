"""What a model can do, as LiteLLM knows it or, of a model it does not know, as its provider can.

A server that speaks a known wire may lack a part of it. What it refuses by name is not asked of it
again for a while, and neither are letters when they come without usable log-probabilities time and
again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.engines.contract import InputType, Mode, Task
from app.engines.errors import UnknownModel
from app.engines.litellm_provider import library
from app.engines.remote.call import Address
from app.engines.remote.prompt import LETTERS, Manner, choices

#: The context of a model that LiteLLM does not know (tokens).
UNKNOWN_CONTEXT = 8_192
#: For a lengthy answer (tokens), or a quarter of a small context.
MAX_ANSWER = 4_096
#: For our own words around categories and content (tokens).
FRAME = 500
#: Of the context, what is used: tokenizers differ.
MARGIN = 0.85
#: How long a refused manner is left out, and how many bad letters in a row count as refused.
LEFT_OUT_S = 600.0
BAD_LETTERS = 3

# OpenAI, and servers that make a grammar of a schema: llama.cpp, Ollama, vLLM, LM Studio. Bedrock
# and Groq refuse bounds, Gemini does beyond some size.
_BOUNDED = frozenset({"openai", "hosted_vllm", "lm_studio", "llamafile", "ollama", "ollama_chat"})

_FEATURES = {
    Manner.LETTER: ("logprobs",),
    Manner.SCHEMA: ("response_format", "json_schema"),
    Manner.TOOL: ("tool",),
}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The manners in which a model can be asked, best first, and its context in tokens.

    `input_types` are the kinds of content that LiteLLM knows the model to take. `provider` is
    LiteLLM's name.
    """

    manners: tuple[Manner, ...]
    context: int
    input_types: frozenset[InputType]
    provider: str
    count: Callable[[str], int]

    @property
    def takes_bounds(self) -> bool:
        """Whether it is understood in a schema how long lists and texts may be."""
        return self.provider in _BOUNDED

    @property
    def longest_answer(self) -> int:
        """Tokens that an answer may have."""
        return min(MAX_ANSWER, self.context // 4)

    @property
    def room(self) -> int:
        """Tokens for categories and content."""
        return room_of(self.context, answer=self.longest_answer)


def room_of(context: int, *, answer: int = 0) -> int:
    """Return how many tokens of a context are for categories and content."""
    return max(int(context * MARGIN) - FRAME - answer, 0)


def find(model: str, *, context: int | None) -> Capabilities:
    """Look a model up. `context` is what the operator says.

    Raises:
        UnknownModel: LiteLLM knows no provider for the name.
    """
    litellm = library()
    try:
        name, provider, *_ = litellm.get_llm_provider(model)
    except litellm.exceptions.BadRequestError:
        raise UnknownModel(
            f"no provider is known for '{model}': write provider/model, such as openai/gpt-4o-mini"
        ) from None
    info = _info(litellm, model)
    parameters = set(
        litellm.get_supported_openai_params(model=name, custom_llm_provider=provider) or ()
    )
    can = {
        Manner.LETTER: {"logprobs", "top_logprobs"} <= parameters,
        Manner.SCHEMA: litellm.supports_response_schema(model)
        if info
        else "response_format" in parameters,
        Manner.TOOL: litellm.supports_function_calling(model) if info else "tools" in parameters,
        Manner.JSON: True,
    }
    sees = {
        InputType.TEXT: True,
        InputType.IMAGE: info.get("supports_vision"),
        InputType.AUDIO: info.get("supports_audio_input"),
        InputType.VIDEO: info.get("supports_video_input"),
    }
    return Capabilities(
        manners=tuple(manner for manner in Manner if can[manner]),
        input_types=frozenset(kind for kind in InputType if sees[kind]),
        provider=provider,
        context=context or info.get("max_input_tokens") or UNKNOWN_CONTEXT,
        count=lambda text: len(litellm.encode(model=model, text=text)),
    )


def _info(litellm: Any, model: str) -> dict[str, Any]:
    try:
        return dict(litellm.get_model_info(model))
    except Exception:  # noqa: BLE001 - LiteLLM raises a bare Exception for a model it has not
        return {}


def with_key(address: Address) -> Address:
    """Return an address that LiteLLM asks no key for: a server of one's own may have none."""
    if address.api_base is None or address.api_key is not None:
        return address
    known = library().validate_environment(address.model)
    return address if known["keys_in_environment"] else replace(address, api_key="none")


def unset_variables(model: str) -> list[str]:
    """Return the variables that LiteLLM looks for in vain; it may do without some of them."""
    known = library().validate_environment(model)
    return list(known["missing_keys"])


class Manners:
    """The manners of one model that are worth a try now."""

    def __init__(
        self, able: tuple[Manner, ...], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._able = able
        self._clock = clock
        self._left_out: dict[Manner, float] = {}
        self._bad_letters = 0

    def for_task(self, task: Task) -> list[Manner]:
        """Return what a task can be asked by, best first; never empty."""
        now = self._clock()
        return [
            manner
            for manner in self._able
            if self._left_out.get(manner, 0.0) <= now
            and (manner is not Manner.LETTER or _takes_letters(task))
        ]

    def refused(self, manner: Manner, refusal: str) -> bool:
        """Tell whether a provider's refusal names the manner, and leave it out then."""
        named = any(feature in refusal for feature in _FEATURES.get(manner, ()))
        if named:
            self._left_out[manner] = self._clock() + LEFT_OUT_S
        return named

    def letter_read(self, usable: bool) -> None:
        """Learn whether letters come with log-probabilities that can be used."""
        self._bad_letters = 0 if usable else self._bad_letters + 1
        if self._bad_letters >= BAD_LETTERS:
            self._left_out[Manner.LETTER] = self._clock() + LEFT_OUT_S
            self._bad_letters = 0


def _takes_letters(task: Task) -> bool:
    """A distribution over few categories; and only one label may have to be explained."""
    if task.categories is None or choices(task) > len(LETTERS) or task.mode is Mode.MULTI:
        return False
    return task.mode is Mode.SINGLE or not task.explain
