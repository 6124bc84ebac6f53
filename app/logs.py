"""Logging to stderr, for people or for machines. Nothing of the content is ever logged.

Each line carries the ids of the work it belongs to. Two rules keep content out, whatever raises or
logs: of an exception only its type, its error code and where it was raised are written, for its
text may quote what it choked on; and of other libraries only warnings are, by their first line.
"""

import logging
import sys
import time
import traceback
from functools import lru_cache
from types import TracebackType

import msgspec

from app.observability import context
from app.settings import Settings

OWN = "app"
_TITLE = "Traceback (without what the exceptions say):"
# What drivers and the system say of an error beside its text: names and numbers, never values.
_CODES = ("sqlite_errorname", "sqlstate", "errno")
# Its messages quote prompts and answers; what it raises is logged by whoever asked it.
_SILENT = "LiteLLM"

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Formatter(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"

    def message_of(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        return message if _is_own(record) else message.partition("\n")[0]

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the library's name
        return "" if ei[1] is None else "\n".join([_TITLE, *_describe(ei[1])])


class _JsonFormatter(_Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message_of(record),
            **context.ids(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry).decode()


class _ConsoleFormatter(_Formatter):
    """One line a record, for eyes: ids last."""

    def format(self, record: logging.LogRecord) -> str:
        told = {**context.ids(), **getattr(record, "fields", {})}
        ids = " ".join(f"{name}={told[name]}" for name in told if name.endswith("_id"))
        line = (
            f"{self.formatTime(record)} {record.levelname:<7} {record.name}: "
            f"{self.message_of(record)}{f'  {ids}' if ids else ''}"
        )
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


def configure_logging(settings: Settings) -> None:
    """Set up the root logger once per process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if settings.log_format == "json" else _ConsoleFormatter())
    handler.addFilter(_is_wanted)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # No line shows these, and looking them up takes longer than writing it
    # (https://docs.python.org/3/howto/logging.html#optimization).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    level = settings.log_level.upper()
    root.setLevel(max(logging.getLevelNamesMapping()[level], logging.WARNING))
    logging.getLogger(OWN).setLevel(level)


@lru_cache(maxsize=1)
def _second(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))


def _is_wanted(record: logging.LogRecord) -> bool:
    # A library may set the level of its own logger, below what the root's would let through.
    if _is_own(record):
        return True
    return record.levelno >= logging.WARNING and not record.name.startswith(_SILENT)


def _is_own(record: logging.LogRecord) -> bool:
    return record.name == OWN or record.name.startswith(f"{OWN}.")


def _describe(error: BaseException) -> list[str]:
    """Return an exception and what caused it, the last one first."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"{'from ' if lines else ''}{_name(current)}")
        lines += [
            f"  {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        if isinstance(current, BaseExceptionGroup):
            lines += [f"  | {line}" for inner in current.exceptions for line in _describe(inner)]
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)
    return lines


def _name(error: BaseException) -> str:
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    codes = [str(code) for each in _CODES if (code := getattr(error, each, None)) is not None]
    return f"{name} ({', '.join(codes)})" if codes else name
