"""How a model can misbehave: each a function that answers one request in its own way."""

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.provider.completions import Json, completion
from tests.provider.decisions import decision


@dataclass
class Exchange:
    """A request, and the connection on which it is answered."""

    request: Json
    writer: asyncio.StreamWriter

    async def send(
        self, payload: Json, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Send a whole response."""
        self.writer.write(encode(payload, status=status, headers=headers or {}))
        await self.writer.drain()


Behaviour = Callable[[Exchange], Awaitable[None]]


def encode(payload: Json, *, status: int, headers: dict[str, str]) -> bytes:
    """Write a response as HTTP/1.1."""
    body = json.dumps(payload).encode()
    return _head(len(body), status=status, headers=headers) + body


def _head(length: int, *, status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def answer(request: Json) -> Json:
    """Return what a model does that does as told: one of chat, or a decision model."""
    return decision(request) if "questions" in request else completion(request)


async def good(exchange: Exchange) -> None:
    """Do as told."""
    await exchange.send(answer(exchange.request))


def status(code: int, *, message: str = "no", **headers: str) -> Behaviour:
    """Answer with an error. Headers are named with underscores: `retry_after="1"`."""

    async def behave(exchange: Exchange) -> None:
        error = {"error": {"message": message, "type": "error", "param": None, "code": None}}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await exchange.send(error, status=code, headers=named)

    return behave


async def hang(_exchange: Exchange) -> None:
    """Never answer."""
    await asyncio.sleep(3600)


def slow(seconds: float) -> Behaviour:
    """Do as told, later."""

    async def behave(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await good(exchange)

    return behave


async def cut(exchange: Exchange) -> None:
    """Cut the connection in the middle of the answer."""
    whole = encode(answer(exchange.request), status=200, headers={})
    exchange.writer.write(whole[: len(whole) // 2])
    await exchange.writer.drain()
    exchange.writer.transport.abort()


def edited(edit: Callable[[Json], Any]) -> Behaviour:
    """Change the good answer's only choice before it is sent."""

    async def behave(exchange: Exchange) -> None:
        payload = copy.deepcopy(completion(exchange.request))
        edit(payload["choices"][0])
        await exchange.send(payload)

    return behave


def says(text: str | None) -> Behaviour:
    """Say this, by whatever way the request asks for an answer."""

    def edit(choice: Json) -> None:
        message = choice["message"]
        for call in message.get("tool_calls") or ():
            call["function"]["arguments"] = text or ""
        if not message.get("tool_calls"):
            message["content"] = text

    return edited(edit)


def breaks_off(text: str) -> Behaviour:
    """Say this, and stop there because the answer has as many tokens as it may have."""

    def edit(choice: Json) -> None:
        choice["message"] |= {"content": text}
        choice["finish_reason"] = "length"

    return edited(edit)


def refuses() -> Behaviour:
    """Decline to answer."""

    def edit(choice: Json) -> None:
        choice["message"] |= {"content": None, "refusal": "I can't help with that."}
        choice["message"].pop("tool_calls", None)
        choice["finish_reason"] = "stop"

    return edited(edit)


def logprobs(probabilities: object) -> Behaviour:
    """Give these in place of the right log-probabilities, where any are asked for."""

    def edit(choice: Json) -> None:
        if choice["logprobs"] is not None:
            choice["logprobs"] = probabilities

    return edited(edit)


def raw(text: str) -> Behaviour:
    """Send this as the body of the answer, whatever it is."""

    async def behave(exchange: Exchange) -> None:
        exchange.writer.write(_head(len(text.encode()), status=200, headers={}) + text.encode())
        await exchange.writer.drain()

    return behave


def decides(edit: Callable[[Json], Any]) -> Behaviour:
    """Change the good answer of a decision model before it is sent; NaN is written as it is."""

    async def behave(exchange: Exchange) -> None:
        payload = copy.deepcopy(decision(exchange.request))
        edit(payload)
        await exchange.send(payload)

    return behave
