"""One call to a provider's model through LiteLLM, and how it can fail.

CallFailed
├── retryable    429, 5xx, a cut connection, no answer in time: another try may do
├── lasting      401, 402, 403, 404, 501: the key or the name is wrong, for every content
└── neither      400, 413, 422 and their like: the request is refused, perhaps for its content
"""

import asyncio
import math
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from app.engines.errors import EngineError, ModelUnavailable, UnusableAnswer
from app.engines.litellm_provider import ask
from app.engines.remote.price import Price, spent_on
from app.engines.spending import NOT_KNOWN, Bill, Spent

Message = dict[str, Any]

# 501 is what llama.cpp says of a model that is no decision model.
_LASTING = frozenset({401, 402, 403, 404, 501})
_RETRYABLE = frozenset({408, 409, 425, 429})
# aiohttp's words, which LiteLLM quotes.
_NOT_REACHED = "cannot connect to host"


class CallFailed(Exception):
    """A call that brought no answer.

    `status` is HTTP's, 408 for no answer in time and 500 for a broken connection. `retry_after` is
    in seconds, None when the provider named none. `refusal` is the provider's message in lower
    case, to be searched and never shown: it may quote the content.
    """

    def __init__(self, status: int, *, retry_after: float | None = None, refusal: str = "") -> None:
        if status == 408:
            problem = "the provider did not answer in time"
        elif _NOT_REACHED in refusal:
            problem = "the provider can't be reached"
        else:
            problem = f"the provider answered {status}"
        super().__init__(problem)
        self.status = status
        self.retry_after = retry_after
        self.refusal = refusal

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return self.status in _RETRYABLE or (self.status >= 500 and not self.lasting)

    @property
    def lasting(self) -> bool:
        """Whether no call to this model can succeed until a setting is mended."""
        return self.status in _LASTING

    def as_engine_error(self) -> EngineError:
        """Return what it means for a task."""
        if self.retryable or self.lasting:
            return ModelUnavailable(str(self), retry_after=self.retry_after, lasting=self.lasting)
        # The request was refused for what is in it: that says nothing of the model.
        return UnusableAnswer(str(self))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said.

    `text` is the message or the arguments of the tool call, `broken_off` when it was as long as it
    might be, `spent` what the call took.
    `first_token` has the alternatives of the first token that is not blank with their
    log-probabilities; None when there are none.
    """

    text: str
    declined: bool
    broken_off: bool
    first_token: tuple[tuple[str, float], ...] | None
    spent: Spent


@dataclass(frozen=True, slots=True)
class Address:
    """Which model, where, with what key, and how long a task may take there in all.

    None: as LiteLLM finds it by the model's name; of the price, as its table has it.
    """

    model: str
    timeout_s: float
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    price: Price | None = None


async def call(
    address: Address,
    messages: Sequence[Message],
    *,
    within: float,
    options: Mapping[str, Any],
    bill: Bill | None = None,
) -> Reply:
    """Ask once; `within` is the longest that it may take, in seconds. `bill` is told what it takes.

    Raises:
        CallFailed: There was no answer.
    """
    bill = bill or Bill()
    asking = _within(
        within,
        model=address.model,
        messages=list(messages),
        api_base=address.api_base,
        api_key=address.api_key,
        # LiteLLM keeps a client for each time-out: one that varies would open connections anew for
        # every call.
        timeout=address.timeout_s,
        # Retries are ours: they share one budget of time.
        max_retries=0,
        num_retries=0,
        **options,
    )
    canceled = False
    try:
        if bill.hurried is None:
            response = await asking
        else:
            response, canceled = await _to_the_end(asking, bill.hurried)
    except TimeoutError:
        raise CallFailed(408) from None
    except asyncio.CancelledError:
        bill.spent += NOT_KNOWN
        raise
    except Exception as error:  # noqa: BLE001 - LiteLLM's errors have no base that can be named here
        raise _failure(error) from None
    if response is None:
        raise asyncio.CancelledError
    reply = _reply(response, address)
    bill.spent += reply.spent
    if canceled:
        raise asyncio.CancelledError
    return reply


async def _within(seconds: float, **options: Any) -> Any:
    async with asyncio.timeout(seconds):
        return await ask(**options)


async def _to_the_end(asking: Coroutine[Any, Any, Any], hurried: asyncio.Event) -> tuple[Any, bool]:
    """Return the response, and whether it was waited for although the task was canceled.

    In that case it may be None: it failed, which costs nothing, and nobody is left to be told.
    """
    task = asyncio.create_task(asking)
    try:
        return await asyncio.shield(task), False
    except asyncio.CancelledError:
        hurry = asyncio.create_task(hurried.wait())
        try:
            await asyncio.wait((task, hurry), return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurry.cancel()
            if not task.done():
                task.cancel()
        if not task.done():
            raise
        return (None if task.exception() else task.result()), True


def _failure(error: Exception) -> CallFailed:
    # LiteLLM gives every error of a provider a status; what has none is a bug, ours or its own.
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        raise error
    headers = getattr(error, "litellm_response_headers", None) or {}
    return CallFailed(
        status, retry_after=_seconds(headers.get("retry-after")), refusal=str(error).lower()
    )


def _seconds(header: str | None) -> float | None:
    """Read Retry-After: seconds or a date (RFC 9110, 10.2.3). None when that is no wait."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time()
        except ValueError:
            return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _reply(response: Any, address: Address) -> Reply:
    choices = getattr(response, "choices", None)
    choice = choices[0] if choices else None
    message = getattr(choice, "message", None)
    text = getattr(message, "content", None)
    for tool in getattr(message, "tool_calls", None) or ():
        text = tool.function.arguments
    said = getattr(message, "provider_specific_fields", None) or {}
    ended = getattr(choice, "finish_reason", None)
    return Reply(
        text=text if isinstance(text, str) else "",
        declined=bool(said.get("refusal")) or ended == "content_filter",
        broken_off=ended == "length",
        first_token=_first_token(getattr(choice, "logprobs", None)),
        spent=spent_on(address.model, getattr(response, "usage", None), price=address.price),
    )


def _first_token(logprobs: Any) -> tuple[tuple[str, float], ...] | None:
    for entry in getattr(logprobs, "content", None) or ():
        if entry.token.strip():
            return tuple((each.token, each.logprob) for each in entry.top_logprobs or ()) or None
    return None
