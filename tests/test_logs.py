"""What is logged, and what never is."""

import logging
from collections.abc import Iterator

import pytest

from app.logs import configure_logging
from app.settings import Settings


@pytest.fixture
def levels() -> Iterator[None]:
    """Put the loggers back as they were."""
    names = ("", "httpcore", "uvicorn.error")
    before = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("levels")
def test_headers_of_outgoing_requests_are_not_logged_even_at_debug_level() -> None:
    configure_logging(Settings(log_level="debug"))
    assert logging.getLogger("app").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("httpcore.http11").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("httpcore.connection").isEnabledFor(logging.DEBUG)
