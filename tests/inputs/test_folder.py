"""The folder of a process: nothing stays in it, and nothing of a dead process stays beside it."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.media.folder import open_folder
from tests.conftest import ROOT

HOLD = """
import sys, time
from pathlib import Path
from app.domain.media.folder import open_folder
with open_folder(Path(sys.argv[1])) as folder, folder.new_file() as file:
    file.write_bytes(b"content")
    print(file, flush=True)
    time.sleep(60)
"""


def held(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that holds a file in a folder of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(parent)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_files_live_as_long_as_their_block(tmp_path: Path) -> None:
    with open_folder(tmp_path) as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        with folder.new_file() as first, folder.new_file() as second:
            assert first != second
            assert stat.S_IMODE(first.stat().st_mode) == 0o600
        assert list(folder.path.iterdir()) == []
        with pytest.raises(KeyboardInterrupt), folder.new_file():
            raise KeyboardInterrupt
        assert list(folder.path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_holds_is_not(
    tmp_path: Path,
) -> None:
    dead, left = held(tmp_path)
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    assert dead.stdout is not None
    dead.stdout.close()
    assert left.exists()
    living, kept = held(tmp_path)
    try:
        assert not left.parent.exists()
        with open_folder(tmp_path):
            assert kept.exists()
    finally:
        living.kill()
        living.wait()
        assert living.stdout is not None
        living.stdout.close()
