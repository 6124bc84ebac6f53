"""Text in pictures: when it is looked for, and how much it counts."""

import socket

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from app.engines.contract import Mode
from app.engines.image.fusion import Writing, fused
from app.engines.image.reading import MAX_LINES, Reader, Reading, may_hold_text
from tests.engines.image.conftest import PICTURES


def written(*lines: str, size: int = 28, ground: str = "white", turn: float = 0) -> np.ndarray:
    image = Image.new("RGB", (700, 90 + 60 * len(lines)), ground)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        draw.text((60, 40 + 60 * row), line, fill="black", font=ImageFont.load_default(size))
    return np.asarray(image.rotate(turn, expand=True, fillcolor=ground))


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("name", ["cat", "coffee", "rocket"])
def test_a_picture_without_text_is_not_read(name: str) -> None:
    with Image.open(PICTURES / f"{name}.jpg") as image:
        assert not may_hold_text(np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 1280, 3), (1280, 3, 3), (40, 40, 3)])
def test_a_picture_of_any_shape_is_looked_at(shape: tuple[int, ...]) -> None:
    assert not may_hold_text(np.zeros(shape, np.uint8))


def test_lines_are_read_from_top_to_bottom(reader: Reader) -> None:
    picture = written("Total due 1,380.00 EUR", "Please pay within 30 days")
    assert may_hold_text(picture)
    reading = reader.read(picture)
    assert reading.lines == ("Total due 1,380.00 EUR", "Please pay within 30 days")
    assert reading.letters == 38


def test_lines_that_are_not_level_are_read(reader: Reader) -> None:
    reading = reader.read(written("Please pay within 30 days", turn=10))
    assert reading.text.replace(" ", "") == "Pleasepaywithin30days"


def test_no_more_lines_are_read_than_there_is_time_for(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engines.image.reading.MAX_LINES", 1)
    reading = reader.read(written("small first line", "short"))
    assert reading.lines == ("small first line",)
    assert MAX_LINES > 1


def test_the_models_come_from_the_package_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("something was to be fetched")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    assert Reader().read(written("Please pay within 30 days")).letters == 21


def writing(letters: int, *probabilities: float) -> Writing:
    return Writing(Reading(("a" * letters,)), np.array(probabilities, np.float32), 0.0)


def test_a_page_outweighs_the_pixels_and_a_few_letters_do_not() -> None:
    pixels = np.array([0.7, 0.3], np.float32)
    assert fused(pixels, writing(8, 0.3, 0.7), Mode.SINGLE).argmax() == 0
    assert fused(pixels, writing(400, 0.3, 0.7), Mode.SINGLE).argmax() == 1


def test_a_distribution_stays_one_and_multi_stays_by_itself() -> None:
    pixels = np.array([0.7, 0.2, 0.1], np.float32)
    assert fused(pixels, writing(50, 0.1, 0.1, 0.8), Mode.SINGLE).sum() == pytest.approx(1)
    both = fused(np.array([0.9, 0.9], np.float32), writing(50, 0.9, 0.1), Mode.MULTI)
    assert both[0] == pytest.approx(0.9, abs=1e-3)
    assert 0.1 < both[1] < 0.9
