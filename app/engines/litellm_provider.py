"""The embedded engine as a LiteLLM provider: `embedded/text` is called as any other model is.

    await completion("embedded/text", messages, categories=["finance", "hr"], mode="top_n")

The last user message is the content; `categories` (names or objects), `mode`, `top_n`, `threshold`,
`explain`, `allow_none` and `min_margin` are as in `POST /classify`. The answer's content is JSON:
`{"labels": [{"label", "confidence", "explanation"?}, …], "outcome"?}`, its usage the real token
count.

LiteLLM is imported here and nowhere else, at the first call: it takes two seconds and 160 MB.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.engines.contract import Category, Engine, Mode, Outcome, Task
from app.engines.errors import EngineError

PROVIDER = "embedded"
_importing = threading.Lock()


async def completion(
    model: str, messages: Sequence[Mapping[str, Any]], *, engine: Engine, **options: Any
) -> Any:
    """Ask a model through LiteLLM, with `engine` behind every `embedded/…`.

    Returns:
        LiteLLM's `ModelResponse`.
    """
    litellm = _litellm()
    register(litellm, engine)
    return await litellm.acompletion(model=model, messages=list(messages), **options)


def register(litellm: Any, engine: Engine) -> None:
    """Make `embedded/…` known to LiteLLM; again replaces the engine."""
    handler = _handler_class(litellm)(engine)
    others = [entry for entry in litellm.custom_provider_map if entry["provider"] != PROVIDER]
    litellm.custom_provider_map = [*others, {"provider": PROVIDER, "custom_handler": handler}]
    litellm.utils.custom_llm_setup()


def _litellm() -> Any:
    with _importing:
        # The price map ships with the package: without this it is fetched at import.
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        import litellm  # noqa: PLC0415

        litellm.telemetry = False
        litellm.suppress_debug_info = True
        return litellm


def _handler_class(litellm: Any) -> type:
    class EmbeddedProvider(litellm.CustomLLM):  # type: ignore[misc]
        """Answers chat completions with the embedded engine."""

        def __init__(self, engine: Engine) -> None:
            super().__init__()
            self._engine = engine

        async def acompletion(
            self,
            *,
            model: str,
            messages: list[dict[str, Any]],
            model_response: Any,
            optional_params: dict[str, Any],
            **_: Any,
        ) -> Any:
            """Classify the last user message."""
            try:
                outcome = await self._engine.classify(to_task(messages, optional_params))
            except (EngineError, ValueError) as error:
                raise litellm.llms.custom_llm.CustomLLMError(400, str(error)) from error
            return _fill(litellm, model_response, model, outcome)

    return EmbeddedProvider


def to_task(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Task:
    """Read a task from chat messages and options.

    Raises:
        ValueError: There is no user message with text.
    """
    content = next((m["content"] for m in reversed(messages) if m.get("role") == "user"), None)
    if not isinstance(content, str):
        raise ValueError("the last user message must be text")
    # Options that LiteLLM does not know reach a custom provider in `extra_body`.
    merged = {**options.get("extra_body", {}), **options}
    categories = merged.get("categories")
    return Task(
        content=content,
        categories=None if categories is None else tuple(map(_to_category, categories)),
        mode=Mode(merged.get("mode", Mode.SINGLE)),
        top_n=merged.get("top_n", 3),
        threshold=merged.get("threshold", 0.0),
        explain=merged.get("explain", False),
        allow_none=merged.get("allow_none", False),
        min_margin=merged.get("min_margin"),
    )


def _to_category(value: str | Mapping[str, Any]) -> Category:
    if isinstance(value, str):
        return Category(value)
    return Category(value["name"], value.get("description"), tuple(value.get("examples") or ()))


def _fill(litellm: Any, response: Any, model: str, outcome: Outcome) -> Any:
    labels = [
        {"label": label.label, "confidence": label.confidence}
        | ({} if label.explanation is None else {"explanation": label.explanation})
        for label in outcome.labels
    ]
    content: dict[str, Any] = {"labels": labels}
    if outcome.outcome is not None:
        content["outcome"] = outcome.outcome
    message = litellm.Message(content=msgspec.json.encode(content).decode())
    response.choices = [litellm.Choices(message=message, finish_reason="stop")]
    response.model = model
    response.usage = litellm.Usage(
        prompt_tokens=outcome.tokens, completion_tokens=0, total_tokens=outcome.tokens
    )
    return response
