"""What an engine may fail with. Anything else that it raises is a bug.

What these say is logged, so it never quotes content.

EngineError
├── UnsupportedInput    this kind of content is not for this engine
└── ModelUnavailable    the model can't answer now
"""


class EngineError(Exception):
    """Base of the tree."""


class UnsupportedInput(EngineError):
    """The engine can't judge this kind of content."""


class ModelUnavailable(EngineError):
    """The model can't answer now: not loaded, not reachable, or broken."""
