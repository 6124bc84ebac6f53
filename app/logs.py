"""Logging to stderr, for people or for machines. Nothing of the content is ever logged."""

import logging
import sys

import msgspec

from app.settings import Settings


class _JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry).decode()


def configure_logging(settings: Settings) -> None:
    """Set up the root logger once per process."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # uvicorn's own lines repeat what the server prints, once per worker.
    logging.getLogger("uvicorn.error").setLevel(max(root.level, logging.WARNING))
    # At debug level httpcore tells every header that it sends and gets, signatures included.
    logging.getLogger("httpcore").setLevel(max(root.level, logging.INFO))
