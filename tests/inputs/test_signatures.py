"""What a file is by its first bytes, and that nothing else is accepted."""

from random import Random

import pytest

from app.domain.media.signatures import ACCEPTED, HEAD_BYTES, is_markup, mime_of
from app.engines.contract import InputType
from tests.inputs.samples import CONTAINERS, IMAGES, OTHERS, SOUNDS

KNOWN = [
    pytest.param(mime, head, id=f"{mime} {number}")
    for mime, heads in {**IMAGES, **SOUNDS, **CONTAINERS}.items()
    for number, head in enumerate(heads)
]


@pytest.mark.parametrize(("mime", "head"), KNOWN)
def test_what_is_accepted_is_known_by_its_first_bytes(mime: str, head: bytes) -> None:
    assert mime_of(head) == mime
    assert mime_of((head + b"abcdefgh" * 100)[:HEAD_BYTES]) == mime
    assert mime_of((head + Random(mime).randbytes(HEAD_BYTES))[:HEAD_BYTES]) == mime


@pytest.mark.parametrize("head", OTHERS.values(), ids=OTHERS)
def test_nothing_else_is(head: bytes) -> None:
    assert mime_of(head) is None


def test_every_type_has_its_formats() -> None:
    assert set(ACCEPTED[InputType.IMAGE]) == set(IMAGES)
    assert set(ACCEPTED[InputType.AUDIO]) == {*SOUNDS, *CONTAINERS}
    assert set(ACCEPTED[InputType.VIDEO]) == set(CONTAINERS)


def test_pages_and_playlists_are_told_from_the_rest() -> None:
    told = {name for name, head in OTHERS.items() if is_markup(head)}
    assert told == {"svg", "svg with a prolog", "html", "hls", "dash", "asx"}


def test_a_cut_file_breaks_nothing() -> None:
    for heads in (*IMAGES.values(), *SOUNDS.values(), *CONTAINERS.values()):
        for head in heads:
            for length in range(len(head)):
                mime_of(head[:length])
