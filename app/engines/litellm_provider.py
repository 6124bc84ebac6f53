"""LiteLLM, and what it gets to know from us: two providers.

The embedded engine is called as any other model is:

    await completion("embedded/text", messages, categories=["finance", "hr"], mode="top_n")

The last user message is the content; `categories` (names or objects), `mode`, `top_n`, `threshold`,
`explain`, `allow_none` and `min_margin` are as in `POST /classify`. The answer's content is JSON:
`{"labels": [{"label", "confidence", "explanation"?}, …], "outcome"?}`, its usage the real token
count.

Decision models, of any server that speaks System One (docs/decisions/0012-the-systemone-wire.md):

    await ask(model="systemone/nimble", messages=messages, questions={…}, api_base="http://…")

The last user message is the state. The answer's content is the body of the server's answer as it
came, its usage the server's count. Without an `api_base` it is SYSTEMONE_API_BASE, with the key in
SYSTEMONE_API_KEY, as LiteLLM names its own providers' variables.

LiteLLM is imported here and nowhere else, at the first call: it takes two seconds and 160 MB.
"""

import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.engines.contract import Category, Engine, Mode, Outcome, Task
from app.engines.errors import EngineError

PROVIDER = "embedded"
DECISIONS = "systemone"
_PATH = "/systemone"
_importing = threading.Lock()


async def completion(
    model: str, messages: Sequence[Mapping[str, Any]], *, engine: Engine, **options: Any
) -> Any:
    """Ask a model through LiteLLM, with `engine` behind every `embedded/…`.

    Returns:
        LiteLLM's `ModelResponse`.
    """
    litellm = library()
    register(litellm, engine)
    return await litellm.acompletion(model=model, messages=list(messages), **options)


def register(litellm: Any, engine: Engine) -> None:
    """Make `embedded/…` known to LiteLLM; again replaces the engine."""
    _provide(litellm, PROVIDER, _handler_class(litellm)(engine))


def register_decisions(api_base: str | None) -> bool:
    """Make `systemone/…` known to LiteLLM; tell whether there is an address to ask at."""
    litellm = library()
    if not any(entry["provider"] == DECISIONS for entry in litellm.custom_provider_map):
        _provide(litellm, DECISIONS, _decisions_class(litellm)())
    return bool(api_base or litellm.get_secret_str("SYSTEMONE_API_BASE"))


def _provide(litellm: Any, provider: str, handler: Any) -> None:
    others = [entry for entry in litellm.custom_provider_map if entry["provider"] != provider]
    litellm.custom_provider_map = [*others, {"provider": provider, "custom_handler": handler}]
    litellm.utils.custom_llm_setup()


def library() -> Any:
    """Import LiteLLM, set so that it speaks to providers alone and logs nothing."""
    with _importing:
        # Both tables ship with the package: without this they are fetched, at import and at the
        # first call to Anthropic.
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        os.environ["LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"] = "True"
        # The way that other providers go: without OpenAI's own client a call costs half.
        os.environ.setdefault("EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER", "True")
        import litellm  # noqa: PLC0415

        litellm.telemetry = False
        litellm.suppress_debug_info = True
        litellm.disable_hf_tokenizer_download = True
        # What a model has no use for (a temperature, say) is left out instead of refused.
        litellm.drop_params = True
        # What it adds to every answer for its own proxy, a cost by a slower way among it, is a
        # fifth of the time of a call.
        litellm.utils.update_response_metadata = _add_nothing  # type: ignore[attr-defined]
        # Their messages quote requests and answers.
        for name in ("LiteLLM", "openai", "httpx"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        return litellm


def _add_nothing(*_args: object, **_options: object) -> None:
    """Stand in for what nobody here reads."""


async def ask(**options: Any) -> Any:
    """Complete a chat as `litellm.acompletion` does, without its records of the call.

    Those cost more than the call (2 ms) and are for call-backs, of which there are none.

    Returns:
        LiteLLM's `ModelResponse`.
    """
    litellm = library() if "litellm" not in sys.modules else sys.modules["litellm"]
    internal = litellm._internal_context.is_internal_call
    token = internal.set(True)
    try:
        # Without this, tools make it import a package for MCP that it does not bring with it.
        return await litellm.acompletion(_skip_mcp_handler=True, **options)
    finally:
        internal.reset(token)


def cost_of(model: str, usage: Any) -> float | None:
    """Return the US dollars of what a call used, by LiteLLM's own table of prices.

    None when the model is not in it.
    """
    litellm = library()
    try:
        prompt, completion = litellm.cost_per_token(model=model, usage_object=usage)
    except Exception:  # noqa: BLE001 - what it raises for a model it has not differs by provider
        return None
    return float(prompt + completion)


def flat_rates(model: str) -> tuple[float, float] | None:
    """Return the US dollars of a token read and of one written, where that is all there is to it.

    None when the model is not in the table, or has tiers or prices by other measures.
    """
    litellm = library()
    try:
        info = litellm.get_model_info(model)
    except Exception:  # noqa: BLE001 - LiteLLM raises a bare Exception for a model it has not
        return None
    priced = {name for name, value in info.items() if "cost_per" in name and value}
    read, written = info.get("input_cost_per_token"), info.get("output_cost_per_token")
    if read is None or written is None or any(map(_complicates, priced)):
        return None
    return float(read), float(written)


def _complicates(price: str) -> bool:
    """Tell whether a price may apply to a call of ours without showing in its counts of tokens."""
    plain = {"input_cost_per_token", "output_cost_per_token"}
    others = (
        "batches",
        "priority",
        "flex",
        "cache",
        "audio",
        "image",
        "video",
        "query",
        "reasoning",
    )
    return price not in plain and not any(other in price for other in others)


def usage_of(prompt_tokens: int, completion_tokens: int) -> Any:
    """Return LiteLLM's `Usage` of so many tokens."""
    return library().Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=prompt_tokens + completion_tokens,
    )


async def close_connections() -> None:
    """Close the connections to providers, if there are any, in the loop that opened them."""
    if "litellm" in sys.modules:
        litellm = library()
        await litellm.close_litellm_async_clients()
        litellm.in_memory_llm_clients_cache.flush_cache()


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


class _Counted(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0


class _Body(msgspec.Struct):
    usage: _Counted | None = None


def _decisions_class(litellm: Any) -> type:
    class DecisionProvider(litellm.CustomLLM):  # type: ignore[misc]
        """Asks a decision model; what its answer says is for the caller to judge."""

        async def acompletion(
            self,
            *,
            model: str,
            messages: list[dict[str, Any]],
            api_base: str | None,
            api_key: str | None,
            model_response: Any,
            optional_params: dict[str, Any],
            **others: Any,
        ) -> Any:
            """Send the last user message as the state, with the questions."""
            if not api_base:
                # A key goes to the address that it belongs to, and to no other.
                api_base = litellm.get_secret_str("SYSTEMONE_API_BASE") or ""
                api_key = litellm.get_secret_str("SYSTEMONE_API_KEY")
            body = {
                "model": model,
                "state": messages[-1]["content"],
                "questions": optional_params["questions"],
            }
            answer = await _post(
                litellm, api_base, body, api_key=api_key, patience_s=others["timeout"]
            )
            message = litellm.Message(content=answer)
            model_response.choices = [litellm.Choices(message=message, finish_reason="stop")]
            model_response.model = model
            model_response.usage = _usage(litellm, answer)
            return model_response

    return DecisionProvider


async def _post(
    litellm: Any, api_base: str, body: object, *, api_key: str | None, patience_s: float | None
) -> str:
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    http = litellm.llms.custom_httpx.http_handler
    client = http.get_async_httpx_client(llm_provider=DECISIONS, params={"timeout": patience_s})
    try:
        response = await client.post(
            address_of(api_base), content=msgspec.json.encode(body), headers=headers
        )
    except http.httpx.HTTPStatusError as refusal:
        # Its status and its headers are those of any provider; its text may quote the content.
        error = litellm.llms.custom_llm.CustomLLMError(refusal.response.status_code, "refused")
        error.litellm_response_headers = dict(refusal.response.headers)
        raise error from None
    except http.httpx.HTTPError as failure:
        error = litellm.llms.custom_llm.CustomLLMError(500, type(failure).__name__)
        raise error from None
    return str(response.text)


def address_of(api_base: str) -> str:
    """Return the URL of System One: a base may be a host, its `/v1`, or the whole address.

    >>> address_of("http://localhost:11434"), address_of("https://openrouter.ai/api/v1/")
    ('http://localhost:11434/v1/systemone', 'https://openrouter.ai/api/v1/systemone')
    """
    base = api_base.rstrip("/")
    if base.endswith(_PATH):
        return base
    return f"{base}{_PATH}" if base.endswith("/v1") else f"{base}/v1{_PATH}"


def _usage(litellm: Any, answer: str) -> Any:
    try:
        counted = msgspec.json.decode(answer, type=_Body).usage or _Counted()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        counted = _Counted()
    read, written = max(counted.input_tokens, 0), max(counted.output_tokens, 0)
    return litellm.Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)


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
