"""What a client sends over graphql-transport-ws, and the codes that a socket is closed with."""

from typing import Any

import msgspec

from app.graphql.operations import Operation

PROTOCOL = "graphql-transport-ws"

GOING_AWAY = 1001
INVALID_MESSAGE = 4400
UNAUTHORIZED = 4401
NO_SUCH_PROTOCOL = 4406
INIT_TIMEOUT = 4408
DUPLICATE = 4409
TOO_MANY_INITS = 4429

# A close frame holds 125 bytes, two of them for the code.
_MAX_REASON_BYTES = 123


class ConnectionInit(msgspec.Struct, tag_field="type", tag="connection_init"):
    """The client's greeting, with its key unless the handshake carried it."""

    payload: dict[str, Any] | None = None

    def authorization(self) -> str | None:
        """Return what stands for the Authorization header, whatever its case."""
        for name, value in (self.payload or {}).items():
            if name.lower() == "authorization" and isinstance(value, str):
                return value
        return None


class Ping(msgspec.Struct, tag_field="type", tag="ping"):
    """To be answered with a pong that carries the same."""

    payload: dict[str, Any] | None = None


class Pong(msgspec.Struct, tag_field="type", tag="pong"):
    """The answer to a ping, or a sign of life."""

    payload: dict[str, Any] | None = None


class Subscribe(msgspec.Struct, tag_field="type", tag="subscribe"):
    """An operation of any kind to run."""

    id: str
    payload: Operation


class Complete(msgspec.Struct, tag_field="type", tag="complete"):
    """The client has heard enough of an operation."""

    id: str


Message = ConnectionInit | Ping | Pong | Subscribe | Complete

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Closed(Exception):
    """The socket is to be closed, with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")


def parse_message(text: str) -> Message:
    """Read a message.

    Raises:
        Closed: It is none of the protocol's.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Closed(INVALID_MESSAGE, f"Invalid message: {error}") from None
