"""What a request to a user's address may fail with. Anything else that is raised is a bug.

OutboundError
├── Refused       the URL, or where it leads, is not allowed
├── Unreachable   no connection, no valid certificate, or broken off
│   └── UnknownName   nobody knows the name
├── BadAnswer     it answered, but not with what was asked for
├── TooLarge      it answered with more than the limit
└── TimedOut      the deadline passed first

Every message may be shown to whoever gave the URL. It names hosts and limits, never an address
that a name resolved to. A private name and a name that does not exist read the same, so that
nobody can list the names of a private network.
"""


class OutboundError(Exception):
    """Base of the tree."""


class Refused(OutboundError):
    """The URL, or where it leads, is not allowed. Trying again does not help."""


class Unreachable(OutboundError):
    """There is no such name, no connection or no valid certificate, or the peer broke off."""


class UnknownName(Unreachable):
    """Name servers say that there is no such name, or that it has no address."""


class BadAnswer(OutboundError):
    """The peer answered, but not with what was asked for. `status` is HTTP's, if that was it."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TooLarge(OutboundError):
    """The answer's content is larger than the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The content is larger than {limit} bytes.")


class TimedOut(OutboundError):
    """The deadline passed first."""

    def __init__(self, deadline_s: float) -> None:
        super().__init__(f"There was no complete answer within {deadline_s:g} seconds.")
