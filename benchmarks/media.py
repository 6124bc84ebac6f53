"""What recordings and videos cost: time against bare libraries in the same run, and memory.

    python -m benchmarks.media --prepared DIR --speech DIR [--minutes 3]

Processor seconds count both this process and its children; they say more than the clock on a
machine that others use too. `--speech` is a folder of WAV files that are joined, such as Asterisk's
prompts of Debian's package asterisk-core-sounds-en-wav.
"""

import argparse
import itertools
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from app.engines.audio.mel import RATE, log_mel
from app.engines.contract import Category, InputType, Media, Task
from app.engines.judges import Judges
from app.media.decoder import Decoder
from tests.media.samples import save_sound, save_video, scene
from tests.media.survival import resident

CATEGORIES = (Category("payment problem"), Category("weather forecast"), Category("football match"))


def main() -> None:
    """Measure one after the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=3)
    arguments = parser.parse_args()
    judges = Judges(arguments.prepared)
    judges.text()
    print(f"memory with text alone: {megabytes()} MiB")
    with tempfile.TemporaryDirectory() as folder:
        speech = spoken(arguments.speech, arguments.minutes * 60)
        recording = Media(save_sound(Path(folder) / "a.ogg", speech, codec="libopus"), "audio/ogg")
        video = minute_of_video(Path(folder), speech)
        decoding(recording, video)
        audio(judges, recording, arguments.minutes * 60)
        if InputType.VIDEO in judges_types():
            watching(judges, video)
    judges.close()


def judges_types() -> frozenset[InputType]:
    """Return what is installed."""
    from app.engines.judges import judged_types  # noqa: PLC0415

    return judged_types()


def decoding(recording: Media, video: Media) -> None:
    """Compare decoding in a child with bare PyAV in this process."""
    decoder = Decoder()

    def ours() -> None:
        with decoder.sound(recording) as chunks:
            for _ in chunks:
                pass

    def bare() -> None:
        with av.open(str(recording.path)) as container:
            resampler = av.AudioResampler("s16", "mono", RATE)
            for frame in container.decode(audio=0):
                resampler.resample(frame)

    def frames() -> None:
        decoder.video(video)

    def all_frames() -> None:
        with av.open(str(video.path)) as container:
            for _ in container.decode(video=0):
                pass

    ours()
    frames()
    row("sound decoded in a child", ours, "bare PyAV", bare)
    row("a minute of 360p to its frames", frames, "bare PyAV, every frame", all_frames)
    decoder.close()


def audio(judges: Judges, recording: Media, seconds: int) -> None:
    """Compare the whole way of a recording with the bare speech model over all of it."""
    began = time.perf_counter()
    judge = judges.of(InputType.AUDIO)
    print(f"speech model loaded in {time.perf_counter() - began:.1f} s: {megabytes()} MiB")
    task = Task("", InputType.AUDIO, CATEGORIES, explain=True, media=recording)
    model = judge._transcriber._whisper  # type: ignore[attr-defined]
    with Decoder().sound(recording) as chunks:
        samples = np.concatenate(list(chunks)).astype(np.float32) / 32768

    def ours() -> None:
        judge.judge(task, judge.perceive(task.media))

    def bare() -> None:
        import ctranslate2  # noqa: PLC0415

        for start in range(0, len(samples), 30 * RATE):
            piece = samples[start : start + 30 * RATE]
            filled = np.pad(piece, (0, 30 * RATE - len(piece)))
            view = ctranslate2.StorageView.from_array(log_mel(filled)[None])
            prompt = [[model._begin, model._id("<|en|>"), model._transcribe, model._no_times]]
            model._model.generate(view, prompt, beam_size=5, max_length=224)

    spent = row(f"{seconds / 60:.0f} minutes of speech judged", ours, "bare Whisper", bare)
    print(f"  {spent[0] / seconds:.3f} × real time by the clock, {spent[1] / seconds:.3f} of cores")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"memory after it: {megabytes()} MiB; this process alone held {most} MiB at most")


def watching(judges: Judges, video: Media) -> None:
    """Judge a minute of video."""
    judge = judges.of(InputType.VIDEO)
    task = Task("", InputType.VIDEO, CATEGORIES, explain=True, media=video)
    judge.judge(task, judge.perceive(task.media))
    spent = measured(lambda: judge.judge(task, judge.perceive(task.media)))
    print(f"a minute of 360p with speech judged: {spent[0]:.2f} s, {spent[1]:.2f} of a core")
    print(f"memory after it: {megabytes()} MiB")


def minute_of_video(folder: Path, speech: np.ndarray) -> Media:
    """Make a minute of 360p of eight scenes, with speech."""
    scenes = [(scene(seed, 640, 360), 7.5) for seed in range(8)]
    return Media(save_video(folder / "a.mp4", scenes, samples=speech[: 60 * RATE]), "video/mp4")


def spoken(folder: Path, seconds: int) -> np.ndarray:
    """Return samples of recordings, one after the other, and again until they are long enough."""
    decoder = Decoder()
    found: list[np.ndarray] = []
    for path in itertools.cycle(sorted(folder.glob("*.wav"))):
        with decoder.sound(Media(path, "audio/wav")) as chunks:
            found += list(chunks)
        if sum(map(len, found)) >= seconds * RATE:
            break
    decoder.close()
    return np.concatenate(found)[: seconds * RATE]


def row(
    name: str, ours: Callable[[], None], other: str, bare: Callable[[], None]
) -> tuple[float, float]:
    """Time two ways; print and return the first's."""
    first, second = measured(ours), measured(bare)
    print(
        f"{name}: {first[0]:.2f} s, {first[1]:.2f} of a core; {other}: {second[0]:.2f} s, "
        f"{second[1]:.2f}; ratio {first[1] / second[1]:.2f}"
    )
    return first


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds by the clock, and of processors, children that are still alive included."""
    clock, spent = time.perf_counter(), processors()
    work()
    return time.perf_counter() - clock, processors() - spent


def processors() -> float:
    """Return processor seconds of this process and its living children."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / 100
    return total


def megabytes() -> int:
    """Return what this process and its children hold."""
    total = resident()
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            total += int(Path(f"/proc/{child}/statm").read_text().split()[1]) * 4096
    return total // 1024**2


main()
