"""What an engine may fail with. Anything else that it raises is a bug.

What these say is logged, so it never quotes content.

EngineError
├── UnsupportedInput    this kind of content is not for this engine
├── Unfit               the task asks for more than this engine can ever give
├── UnreadableMedia     what was fetched is not what it should be, or takes too much to decode
├── UnusableAnswer      the model answered, but not with labels that it was given, or declined
├── EngineBusy          too much is being asked of the model already
├── UnknownModel        there is no model of this name: a setting is wrong
└── ModelUnavailable    the model can't answer now; says for how long, when that is known
"""

from app.engines.spending import NOTHING, Spent


class EngineError(Exception):
    """Base of the tree. Messages never repeat what a model said: that may quote the content.

    `spent` is what asking took all the same.
    """

    spent: Spent = NOTHING


class UnsupportedInput(EngineError):
    """The engine can't judge this kind of content."""


class Unfit(EngineError):
    """The engine can't do what the task asks for, whatever the content and however often it tries.

    `field` is that of the request which asks for too much: "categories" or "explain". The message
    says what would do, in words for the caller.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class UnreadableMedia(EngineError):
    """The image, recording or video can't be decoded within the limits.

    The message says why, in words for the caller.
    """


class UnusableAnswer(EngineError):
    """The model answered, twice if need be, and no label could be taken from it."""


class EngineBusy(EngineError):
    """The task waited for its turn as long as it may take in all."""


class UnknownModel(EngineError):
    """No provider has a model of this name."""


class ModelUnavailable(EngineError):
    """The model can't answer now: not loaded, not reachable, or broken.

    `retry_after` is in seconds, None when nothing is known. `lasting` says that waiting won't help:
    the key or the name is wrong.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, lasting: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.lasting = lasting
