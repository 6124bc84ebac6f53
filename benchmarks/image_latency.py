"""What judging an image costs, once warm, beyond fetching it.

    python -m benchmarks.image_latency [--prepared DIR] [--rounds N]

Medians of the whole way, decoding in its child included, beside the bare ONNX session in the same
process; once for photographs and once for a page of text. `cpu` is the time that the judging thread
worked: on a busy machine it says more than the time that passed. Run it on one core:
`taskset --cpu-list 0 python -m benchmarks.image_latency`.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.engines.contract import Category, InputType, Media, Task
from app.engines.image.judge import ImageJudge
from app.engines.image.shape import SIDE
from app.engines.judges import Judges

PICTURES = Path(__file__).parents[1] / "tests/engines/image/pictures"
CATEGORIES = tuple(map(Category, ("cat", "drink", "spacecraft", "invoice")))
LINES = ("INVOICE No. 2024-117", "Bill to: Acme Corp", "Total due: 1,380.00 EUR", "30 days net")


def main() -> None:
    """Print the medians and the memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prepared", type=Path, help="where models are kept between runs")
    parser.add_argument("--rounds", type=int, default=50)
    arguments = parser.parse_args()
    with TemporaryDirectory() as scratch:
        judges = Judges(arguments.prepared or Path(scratch))
        try:
            judges.text()
            print(f"text alone: {memory()} MB")
            judge = judges.of(InputType.IMAGE)
            assert isinstance(judge, ImageJudge)
            measure(judge, Path(scratch), arguments.rounds)
        finally:
            judges.close()


def measure(judge: ImageJudge, scratch: Path, rounds: int) -> None:
    """Print a row for each kind of picture and one for the session."""
    pixels = np.zeros((1, 3, SIDE, SIDE), np.float32)
    show("bare session", rounds, lambda: judge.network._session.run(["features"], {"x": pixels}))
    for file in sorted(PICTURES.glob("*.jpg")):
        large = scratch / file.name
        with Image.open(file) as image:
            image.resize((1280, 960)).save(large, quality=85)
        show(f"{file.stem}, 300 pixels", rounds, lambda path=file: answer(judge, path))
        show(f"{file.stem}, 1280 × 960", rounds, lambda path=large: answer(judge, path))
    print(f"with images: {memory()} MB")
    page = scratch / "page.jpg"
    image = Image.new("RGB", (800, 400), "white")
    for row, line in enumerate(LINES):
        ImageDraw.Draw(image).text((40, 40 + row * 80), line, "black", ImageFont.load_default(32))
    image.save(page)
    show("a page of four lines", max(rounds // 10, 3), lambda: answer(judge, page))
    print(f"with text in them: {memory()} MB")


def answer(judge: ImageJudge, path: Path) -> None:
    """Judge one picture."""
    media = Media(path, "image/jpeg")
    judge.judge(Task("image", InputType.IMAGE, CATEGORIES), judge.perceive(media))


def show(name: str, rounds: int, work: Callable[[], object]) -> None:
    """Print the medians of some work."""
    work()
    passed, worked = [], []
    for _ in range(rounds):
        started, before = time.perf_counter(), time.thread_time()
        work()
        passed.append(time.perf_counter() - started)
        worked.append(time.thread_time() - before)
    wall, cpu = (statistics.median(times) * 1000 for times in (passed, worked))
    print(f"{name}: {wall:.1f} ms, cpu {cpu:.1f} ms")


def memory() -> int:
    """Return what the process holds, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


if __name__ == "__main__":
    main()
