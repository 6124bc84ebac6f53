"""The text in a picture, read by PP-OCRv6 on onnxruntime.

Three steps, of which most pictures need only the first:

1. Strokes: rows of small blocks with hard vertical edges between flat spots, as writing has (1 ms).
2. A glance: the detector on a small copy finds boxes of text (30 ms).
3. The detector on a large copy, and each line recognised (100 ms and more a line).

The models come inside the package `rapidocr` (Apache-2.0) and are checked by hash; it would fetch
others from the network, and is therefore given the files. Models:
https://github.com/PaddlePaddle/PaddleOCR
"""

import threading
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engines.image.shape import Pixels
from app.engines.text.weights import packaged_file

PACKAGE = "rapidocr"
#: Of the files in rapidocr 3.10.0: what finds lines, and what reads them.
DETECTOR = (
    "models/PP-OCRv6_det_small.onnx",
    "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
)
RECOGNISER = (
    "models/PP-OCRv6_rec_small.onnx",
    "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
)
#: Lines read of a picture, the largest ones: about 3 s of reading at most.
MAX_LINES = 30
#: Below it a line is more noise than text.
_SURE = 0.6

# Of a copy made still smaller, edges are less hard, and short captions are missed.
_STROKES_SIDE = 640
_BLOCK = 12
_HARD, _FLAT = 50, 8  # differences of neighbouring pixels, of 255
_HARD_SHARE, _FLAT_SHARE = 0.08, 0.35
_ROW = 4

_GLANCE_SIDE = 320
_READ_SIDE = 736


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of a picture, its lines from top to bottom."""

    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    @property
    def letters(self) -> int:
        """How many letters and digits it has."""
        return sum(character.isalnum() for character in self.text)


class Reader:
    """Reads pictures, one at a time. Safe to share between threads."""

    def __init__(self) -> None:
        detector, recogniser = (
            packaged_file(PACKAGE, name, sha256=sha256) for name, sha256 in (DETECTOR, RECOGNISER)
        )
        # Imported here: a second and 40 MB, for pictures with text only.
        from rapidocr import RapidOCR  # noqa: PLC0415

        self._ocr: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.model_path": str(detector),
                "Det.limit_type": "max",
                "Det.limit_side_len": _READ_SIDE,
                "Rec.model_path": str(recogniser),
            }
        )
        # It keeps what it was asked last among its attributes.
        self._lock = threading.Lock()

    def glance(self, picture: Pixels) -> bool:
        """Say whether there is text in a picture of red, green and blue (height, width, 3)."""
        turned = np.ascontiguousarray(shrunk(picture, _GLANCE_SIDE)[:, :, ::-1])
        with self._lock:
            return len(self._boxes(turned)) > 0

    def read(self, picture: Pixels) -> Reading:
        """Return the text in a picture of red, green and blue (height, width, 3)."""
        turned = np.ascontiguousarray(picture[:, :, ::-1])
        with self._lock:
            lines = [self._line(turned, box) for box in _largest(self._boxes(turned))]
        return Reading(tuple(line for line in lines if line))

    def _boxes(self, picture: Pixels) -> NDArray[np.float32]:
        """Return the corners of the lines, from top to bottom: (lines, 4, 2)."""
        found = self._ocr(picture, use_det=True, use_cls=False, use_rec=False).boxes
        return np.empty((0, 4, 2), np.float32) if found is None else np.asarray(found, np.float32)

    def _line(self, picture: Pixels, box: NDArray[np.float32]) -> str:
        found = self._ocr(_cut(picture, box), use_det=False, use_cls=False, use_rec=True)
        if not found.txts or not found.scores or found.scores[0] < _SURE:
            return ""
        return str(found.txts[0]).strip()


def may_hold_text(picture: Pixels) -> bool:
    """Say whether something in a picture looks like a row of writing.

    Of 121 photographs without text it lets 27 % pass, of 80 with a caption of two or four words
    95 %, of 20 pages all.
    """
    grey = shrunk(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8), _STROKES_SIDE)
    steps = cv2.absdiff(grey[:, 1:], grey[:, :-1]) if grey.shape[1] > 1 else grey[:, 1:]
    rows, columns = steps.shape[0] // _BLOCK, steps.shape[1] // _BLOCK
    if columns < _ROW or not rows:
        return False
    steps = steps[: rows * _BLOCK, : columns * _BLOCK]
    hard = _share(steps > _HARD) > _HARD_SHARE
    flat = _share(steps < _FLAT) > _FLAT_SHARE
    written = hard & flat
    in_row = np.lib.stride_tricks.sliding_window_view(written, _ROW, axis=1)
    return bool(in_row.all(axis=2).any())


def _share(holds: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of each block in which something holds: (rows, columns) of blocks."""
    down = holds.view(np.uint8).reshape(-1, _BLOCK, holds.shape[1]).sum(axis=1, dtype=np.uint8)
    counts = down.reshape(len(down), -1, _BLOCK).sum(axis=2, dtype=np.uint8)
    return np.asarray(counts / _BLOCK**2, np.float64)


def shrunk(picture: Pixels, side: int) -> Pixels:
    """Return a picture with its longer side at most `side`."""
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    height, width = (max(round(length * scale), 1) for length in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _largest(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the boxes to read, in their order."""
    sides = np.linalg.norm(np.diff(boxes, axis=1, append=boxes[:, :1]), axis=2)
    areas = sides[:, 0] * sides[:, 1]
    return boxes[np.sort(np.argsort(-areas)[:MAX_LINES])]


def _cut(picture: Pixels, box: NDArray[np.float32]) -> Pixels:
    """Return the line that four corners enclose, made level."""
    sides = np.linalg.norm(np.diff(box, axis=0, append=box[:1]), axis=1)
    width = max(round(float(sides[[0, 2]].max())), 1)
    height = max(round(float(sides[[1, 3]].max())), 1)
    level = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(box, level)
    return np.asarray(cv2.warpPerspective(picture, matrix, (width, height)), np.uint8)
