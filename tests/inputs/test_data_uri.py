"""Data URIs: what is read, as browsers read it, and what is refused with a reason."""

import base64
import time

import pytest

from app.domain.media.data_uri import (
    NoDataUri,
    TooMuchData,
    check_data_uri,
    decode_data_uri,
    is_data_uri,
)
from app.engines.contract import InputType

HELLO = base64.b64encode(b"hello").decode()
LIMIT = 1_000


@pytest.mark.parametrize(
    "uri",
    [
        f"data:image/png;base64,{HELLO}",
        f"DATA:image/png;BASE64,{HELLO}",
        f"data:;base64,{HELLO}",
        f"data:image/png;charset=utf-8;base64,{HELLO}",
        f"data:image/png; base64,{HELLO}",
        f"data:text/html;base64,{HELLO}",
        f"data:image/png;base64,{HELLO.rstrip('=')}",
        "data:image/png;base64, aGVs\r\nbG8=\t ",
        "data:image/png;base64,aGVsbG8%3D",
        "data:image/png;base64,aGVs%0AbG8=",
    ],
)
def test_what_is_read(uri: str) -> None:
    assert is_data_uri(uri)
    check_data_uri(uri, InputType.IMAGE, limit=LIMIT)
    assert decode_data_uri(uri, InputType.IMAGE) == b"hello"


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("data:", "must be a base64 data URI, such as data:image/png;base64,…"),
        ("data:image/png", "must be a base64 data URI"),
        ("data:image/png,%89PNG", "must be a base64 data URI"),
        (f"data:image/png,{HELLO}", "must be a base64 data URI"),
        (f"data:image/png;base64;{HELLO}", "must be a base64 data URI"),
        (f"data:{'x' * 2000};base64,{HELLO}", "must be a base64 data URI"),
        ("data:image/png;base64,", "there is nothing after the comma"),
        ("data:image/png;base64,====", "holds other characters"),
        ("data:image/png;base64,a", "ends in the middle of a byte"),
        ("data:image/png;base64,aGVsbG8=aGVsbG8=", "holds other characters"),
        ("data:image/png;base64,aGVs*G8=", "holds other characters"),
        ("data:image/png;base64,aGVs-_8=", "holds other characters"),
        ("data:image/png;base64,aGVs\u00e9bG8=", "holds other characters"),
        ("data:image/png;base64,aGVs%E9bG8=", "holds other characters"),
        ("data:image/png;base64,aGVsbG8===", "holds other characters"),
    ],
)
def test_what_is_refused(uri: str, problem: str) -> None:
    with pytest.raises(NoDataUri) as refused:
        check_data_uri(uri, InputType.IMAGE, limit=LIMIT)
    assert problem in str(refused.value)


@pytest.mark.parametrize("length", [1_336, 40_000_000])
def test_what_is_too_large_is_told_apart(length: int) -> None:
    with pytest.raises(TooMuchData):
        check_data_uri(f"data:image/png;base64,{'A' * length}", InputType.IMAGE, limit=LIMIT)


def test_what_passes_the_check_can_be_decoded_and_nothing_else() -> None:
    """Every short text of a small alphabet, held against Python's own strict decoder."""
    for number in range(6**5):
        text = "".join("A/b=* "[number // 6**place % 6] for place in range(5))
        uri = f"data:;base64,{text}"
        bare = text.replace(" ", "")
        if len(bare) % 4 == 0 and bare[-2:].strip("=") != bare[-2:]:
            bare = bare[:-2] + bare[-2:].rstrip("=")
        valid = bool(bare) and not set(bare) & {"=", "*"} and len(bare) % 4 != 1
        try:
            check_data_uri(uri, InputType.IMAGE, limit=LIMIT)
        except NoDataUri:
            assert not valid, uri
        else:
            assert valid, uri
            padded = bare + "=" * (-len(bare) % 4)
            assert decode_data_uri(uri, InputType.IMAGE) == base64.b64decode(padded)


def test_the_check_of_a_large_one_holds_nobody_up() -> None:
    uri = f"data:image/png;base64,{'QUJD' * 6_600_000}"
    started = time.perf_counter()
    check_data_uri(uri, InputType.IMAGE, limit=20_000_000)
    assert time.perf_counter() - started < 0.5
