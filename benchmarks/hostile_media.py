"""What files made to break decoders do to the server: what each came to, and memory.

    python -m benchmarks.hostile_media

The same files as in the tests, and those that take longer. Prints how many were decoded and how
many refused, the longest, and how much this process and its children hold when all is done.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path

from app.media.decoder import Decoder
from tests.media.hostile import hostile_files
from tests.media.survival import resident, survive


def main() -> None:
    """Decode them all."""
    decoder = Decoder()
    outcomes: Counter[str] = Counter()
    times: list[tuple[float, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        # Made first: making them takes memory of its own.
        files = list(hostile_files(scratch, thorough=True))
        before = resident()
        for file in files:
            began = time.perf_counter()
            answers = survive(decoder, scratch / "hostile", file)
            times.append((time.perf_counter() - began, f"{file.mime}, {file.name}"))
            decoded = any(answer.endswith((" frames", " s")) for answer in answers)
            outcomes["decoded" if decoded else "refused"] += 1
        grown = resident() - before
    decoder.close()
    print(f"{len(files)} files: {outcomes['decoded']} decoded, {outcomes['refused']} refused")
    for seconds, name in sorted(times, reverse=True)[:5]:
        print(f"{seconds:6.2f} s  {name}")
    print(f"memory of this process: {grown / 1024**2:+.0f} MiB")


main()
