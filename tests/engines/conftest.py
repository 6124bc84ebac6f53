"""The real engine, loaded once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engines.embedded import EmbeddedEngine


@pytest.fixture(scope="session")
def engine(prepared_models: Path) -> Iterator[EmbeddedEngine]:
    """The embedded engine on the packaged encoders."""
    engine = EmbeddedEngine(prepared_models)
    engine.load()
    yield engine
    engine.close()
