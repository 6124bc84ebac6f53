"""The judge of images as the engine has it."""

from pathlib import Path

import pytest

from app.engines.contract import InputType, Media
from app.engines.embedded import EmbeddedEngine
from app.engines.image.judge import ImageJudge

PICTURES = Path(__file__).with_name("pictures")


@pytest.fixture(scope="session")
def judge(engine: EmbeddedEngine) -> ImageJudge:
    """The engine's own."""
    made = engine._judges.of(InputType.IMAGE)
    assert isinstance(made, ImageJudge)
    return made


def picture(name: str) -> Media:
    """One of the pictures beside this file."""
    return Media(PICTURES / f"{name}.jpg", "image/jpeg")
