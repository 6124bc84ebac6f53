"""Files that models are made of: found in a package, checked by hash, prepared once.

What only takes many passes of the packaged encoders to make, the vectors of fixed texts, comes
prepared in the folder `shipped`. A test holds it against the encoders. When they change, other
names are asked for, and what `prepared_file` then makes belongs there.
"""

import os
import tempfile
from collections.abc import Callable
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from app.engines.errors import ModelUnavailable

#: Files by the names that they would be prepared under, which change with what they are made of.
SHIPPED = Path(__file__).parents[1] / "shipped"


def packaged_file(package: str, name: str, *, sha256: str) -> Path:
    """Find a data file of an installed package, by its path inside, without importing the package.

    Raises:
        ModelUnavailable: The package is not installed, or the file is not the pinned one.
    """
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModelUnavailable(f"the package {package} is not installed")
    path = Path(found.origin).parent / name
    if not path.is_file():
        raise ModelUnavailable(f"the package {package} holds no {name}")
    check_hash(path, sha256)
    return path


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def check_hash(path: Path, sha256: str) -> None:
    """Refuse a file that is not the one expected.

    Raises:
        ModelUnavailable: Its SHA-256 is another.
    """
    if hash_of(path) != sha256:
        raise ModelUnavailable(f"{path.name} is not the file that is pinned: its SHA-256 differs")


def prepared_file(folder: Path, name: str, build: Callable[[Path], None]) -> Path:
    """Return a prepared file, which `build` writes if it is not there yet.

    The hash is kept beside the file, and a file that no longer matches is built again. Of several
    processes and threads one builds, and the others wait for it.
    """
    if (SHIPPED / name).is_file():
        return SHIPPED / name
    path = folder / name
    if _is_whole(path):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{name}.lock"):
        if not _is_whole(path):
            _write(path, build)
    return path


def _seal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _is_whole(path: Path) -> bool:
    seal = _seal_of(path)
    return path.is_file() and seal.is_file() and seal.read_text().strip() == hash_of(path)


def _write(path: Path, build: Callable[[Path], None]) -> None:
    seal = _seal_of(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".preparing-") as scratch:
        part = Path(scratch) / path.name
        build(part)
        part_seal = Path(scratch) / seal.name
        part_seal.write_text(hash_of(part) + "\n")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
        part_seal.replace(seal)
