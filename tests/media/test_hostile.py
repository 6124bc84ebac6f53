"""Files made to break decoders are answered or refused, and leave the server as it was."""

from pathlib import Path

import pytest

from app.engines.contract import Media
from app.engines.errors import UnreadableMedia
from app.media.decoder import Decoder
from tests.media.hostile import hostile_files
from tests.media.survival import resident, survive

GROWTH = 150 * 1024 * 1024


def test_hostile_files_do_no_harm(decoder: Decoder, tmp_path: Path) -> None:
    before = resident()
    files = list(hostile_files(tmp_path, thorough=False))
    for file in files:
        survive(decoder, tmp_path / "hostile", file)
    assert len(files) >= 60
    assert resident() - before < GROWTH


@pytest.mark.parametrize(
    "text",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b'<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1/</BaseURL></MPD>',
    ],
)
@pytest.mark.parametrize("mime", ["video/mp4", "video/mp2t", "video/mpeg", "video/x-matroska"])
def test_what_names_other_files_is_refused(
    decoder: Decoder, tmp_path: Path, text: bytes, mime: str
) -> None:
    (tmp_path / "hostile").write_bytes(text)
    with pytest.raises(UnreadableMedia):
        decoder.video(Media(tmp_path / "hostile", mime))
