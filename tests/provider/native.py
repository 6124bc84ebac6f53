"""Providers with wires of their own, over real HTTP: what LiteLLM makes of messages for them."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class NativeProvider:
    """Answers every request with the same label, in the form of the wire that it came over."""

    label: str
    requests: list[Json] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> str:
        """Listen, and return the base of the address."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                self.requests.append(json.loads(body))
                path = head.split(b" ", 2)[1].decode()
                answer = json.dumps(self._answer(path, self.requests[-1])).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(answer), answer)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, path: str, request: Json) -> Json:
        said = {"labels": [{"label": self.label, "confidence": 0.9}]}
        text = json.dumps(said)
        if "generateContent" in path:
            content = {"role": "model", "parts": [{"text": text}]}
            return {
                "candidates": [{"content": content, "finishReason": "STOP"}],
                "usageMetadata": {
                    "promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110,
                },
            }  # fmt: skip
        if path.endswith("/converse"):
            return {
                "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": 100, "outputTokens": 10, "totalTokens": 110},
                "metrics": {"latencyMs": 1},
            }
        if path == "/api/chat":
            return {
                "model": request["model"], "message": {"role": "assistant", "content": text},
                "created_at": "2026-03-15T10:30:00Z", "done": True, "done_reason": "stop",
                "prompt_eval_count": 100, "eval_count": 10,
            }  # fmt: skip
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": request["model"],
            "content": [self._tool_use(request, said)], "stop_reason": "tool_use",
            "usage": {"input_tokens": 100, "output_tokens": 10},
        }  # fmt: skip

    def _tool_use(self, request: Json, said: Json) -> Json:
        if not request.get("tools"):
            return {"type": "text", "text": json.dumps(said)}
        name = request["tools"][0]["name"]
        return {"type": "tool_use", "id": "toolu_1", "name": name, "input": said}
