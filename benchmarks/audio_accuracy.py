"""How good the embedded model is on recordings, of people and of a synthesiser.

    python -m benchmarks.audio_accuracy --data DIR [--prompts DIR] [--rows 50]

DIR holds data sets as `text_accuracy` takes them: each text is spoken by espeak-ng (of Debian's
package) with voices and speeds that vary, and judged by its sound; what the text itself is judged
is the upper bound. `--prompts` is a folder of Asterisk's recorded prompts (Debian's packages
asterisk-core-sounds-en-wav, -es-wav, -fr-wav, -it-wav), read by people: voicemail, conference,
directory and queue, by the names of the files. Prints a table in Markdown, then a row a recording
in JSON to `--details`, from which the constants in `app/engines/audio/trust.py` are fitted.
"""

import argparse
import json
import random
import re
import subprocess
import tempfile
import time
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.engines.audio.judge import AudioJudge
from app.engines.contract import Category, InputType, Media, Task
from app.engines.judges import Judges
from app.evaluation.report import Prediction, report

VOICES = ("en-us", "en-gb", "en-us+f3", "en-gb+m3", "en-us+m7", "en-gb-x-rp+f2")
SPEEDS = ("140", "160", "180")
PROMPTS = {
    "vm": Category("voicemail box"),
    "conf": Category("conference call"),
    "confbridge": Category("conference call"),
    "dir": Category("company directory"),
    "queue": Category("waiting in a queue"),
}
LEAST_S = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """A recording, its label, and what is said in it, where that is known."""

    path: Path
    label: str
    text: str | None = None


def main() -> None:
    """Measure every data set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prompts", type=Path, nargs="*", default=[])
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--details", type=Path)
    arguments = parser.parse_args()
    judges = Judges(arguments.prepared)
    judge = judges.of(InputType.AUDIO)
    assert isinstance(judge, AudioJudge)
    details: list[str] = []
    print(
        "| recordings | number | right (95 %) | calibration error | right from the text "
        "| words wrong | × real time |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    try:
        for folder in arguments.prompts:
            names = {category.name: category for category in PROMPTS.values()}
            measure(folder.name, prompts(folder), tuple(names.values()), judge, details)
        for folder in sorted(path.parent for path in arguments.data.glob("*/test.jsonl")):
            with tempfile.TemporaryDirectory() as scratch:
                rows, categories = spoken(folder, Path(scratch), arguments.rows)
                measure(folder.name, rows, categories, judge, details)
    finally:
        judges.close()
    if arguments.details:
        arguments.details.write_text("\n".join(details) + "\n", encoding="utf-8")


def measure(
    name: str,
    rows: list[Row],
    categories: tuple[Category, ...],
    judge: AudioJudge,
    details: list[str],
) -> None:
    """Judge recordings and print their row."""
    seen: list[Prediction] = []
    from_text = wrong = words = 0
    seconds = spent = 0.0
    for row in rows:
        media = Media(row.path, "audio/wav")
        task = Task("", InputType.AUDIO, categories)
        began = time.perf_counter()
        heard = judge.hear(task, judge.perceive(media))
        spent += time.perf_counter() - began
        seconds += length(row.path)
        best = int(np.argmax(heard.probabilities))
        seen.append(Prediction(row.label, categories[best].name, float(heard.probabilities[best])))
        details.append(
            json.dumps(
                {
                    "set": name,
                    "basis": heard.basis,
                    "log_probability": heard.transcript.log_probability,
                    "transcript": heard.transcript.text,
                    "label": row.label,
                    "categories": [category.name for category in categories],
                    "untempered": heard.weighed.probabilities.tolist(),
                }
            )
        )
        if row.text is not None:
            of_text = judge.text.weigh(Task(row.text, categories=categories)).probabilities
            from_text += categories[int(np.argmax(of_text))].name == row.label
            errors, count = word_errors(row.text, heard.transcript.text)
            wrong, words = wrong + errors, words + count
    measured = report(seen)
    by_text = f"{from_text / len(rows):.1%} | {wrong / words:.1%}" if words else "- | -"
    print(
        f"| {name} | {len(rows)} | {measured.accuracy:.1%} ({measured.low:.1%} to "
        f"{measured.high:.1%}) | {measured.calibration_error:.1%} | {by_text} | "
        f"{spent / seconds:.2f} |",
        flush=True,
    )


def spoken(folder: Path, scratch: Path, count: int) -> tuple[list[Row], tuple[Category, ...]]:
    """Let espeak-ng speak texts of a data set, always the same ones in the same voices."""
    chance = random.Random(7)
    labels = json.loads((folder / "labels.json").read_text())
    name_of = {label["id"]: label["name"] for label in labels}
    lines = (folder / "test.jsonl").read_text().splitlines()
    records = chance.sample([json.loads(line) for line in lines if line.strip()], count)
    rows = []
    for number, record in enumerate(records):
        path = scratch / f"{number}.wav"
        voice, speed = chance.choice(VOICES), chance.choice(SPEEDS)
        words = ["espeak-ng", "-v", voice, "-s", speed, "-w", str(path), record["text"]]
        subprocess.run(words, check=True)
        rows.append(Row(path, name_of[record["label"]], record["text"]))
    return rows, tuple(Category(label["name"], label["description"]) for label in labels)


def prompts(folder: Path) -> list[Row]:
    """Return the prompts of a folder that are long enough to be about something."""
    return [
        Row(path, PROMPTS[kind].name)
        for path in sorted(folder.glob("*.wav"))
        if (kind := path.stem.partition("-")[0]) in PROMPTS and length(path) >= LEAST_S
    ]


def length(path: Path) -> float:
    """Return the seconds of a WAV file."""
    with wave.open(str(path)) as file:
        return file.getnframes() / file.getframerate()


def word_errors(truth: str, found: str) -> tuple[int, int]:
    """Return how many words are wrong, missing or too many, and how many there are."""
    wanted, got = (re.findall(r"[a-z0-9']+", text.lower()) for text in (truth, found))
    row = np.arange(len(got) + 1)
    for number, word in enumerate(wanted, 1):
        above, row = row, np.empty_like(row)
        row[0] = number
        for place, other in enumerate(got, 1):
            row[place] = min(
                above[place] + 1, row[place - 1] + 1, above[place - 1] + (word != other)
            )
    return int(row[-1]), len(wanted)


main()
