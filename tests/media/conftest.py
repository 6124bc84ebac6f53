"""One decoder for the tests of this folder: its children take half a second to start."""

from collections.abc import Iterator

import pytest

from app.media.decoder import Decoder


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    """A decoder as the engine has it."""
    decoder = Decoder()
    yield decoder
    decoder.close()
