"""A folder of this process's own for files that live only as long as what is done with them.

It lies below the system's temporary folder and has a lock beside it, which the system lets go when
the process ends, however it ends. A lock that nobody holds marks a folder that was left behind;
whoever starts next removes it.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "classifaily-media-"
_LOCK = ".lock"


class MediaFolder:
    """Where files are made. `path` is readable by this user alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def new_file(self) -> Iterator[Path]:
        """Make an empty file for the length of a block."""
        number, name = tempfile.mkstemp(dir=self.path)
        os.close(number)
        file = Path(name)
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)


@contextmanager
def open_folder(parent: Path | None = None) -> Iterator[MediaFolder]:
    """Make the folder for the length of a block; remove what dead processes left."""
    parent = parent or Path(tempfile.gettempdir())
    _remove_left_behind(parent)
    number, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_LOCK, dir=parent)
    os.close(number)
    folder = Path(name.removesuffix(_LOCK))
    with FileLock(name):
        folder.mkdir(mode=0o700)
        try:
            yield MediaFolder(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            Path(name).unlink(missing_ok=True)


def _remove_left_behind(parent: Path) -> None:
    for lock_file in parent.glob(f"{_PREFIX}*{_LOCK}"):
        # Another user's, or one that another process is just removing.
        with contextlib.suppress(OSError, Timeout), FileLock(lock_file, timeout=0):
            folder = Path(str(lock_file).removesuffix(_LOCK))
            if folder.is_dir() and folder.stat().st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)
            lock_file.unlink(missing_ok=True)
