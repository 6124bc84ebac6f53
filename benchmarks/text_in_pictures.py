"""How much the text in a picture should count: pixels alone, text alone, and the two joined.

    python -m benchmarks.text_in_pictures --data DIR [--fonts DIR] [--prepared DIR] [--count N]

DIR holds data sets, of which `ag_news` is put into pictures: `labels.json` has the topics,
`test.jsonl` the texts, none of which had a say in a constant. Each is drawn in one of the fonts
(Debian's fonts-dejavu and fonts-liberation) as a page of its own and, cut to a few words, as the
caption of a photograph. *topic* asks what it is about; *shown* asks of the captioned photograph
what it shows, where the caption is beside the point. Prints a table in Markdown: how often each
part is right, and both joined, by U of `fusion`.
"""

import argparse
import json
import random
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from PIL import Image, ImageDraw, ImageFont

from app.engines.contract import Category, InputType, Media, Mode, Task
from app.engines.image import fusion
from app.engines.image.fusion import Writing, fused
from app.engines.image.judge import SEEN, ImageJudge
from app.engines.image.shape import Floats
from app.engines.judges import Judges
from app.evaluation.report import wilson

PHOTOGRAPHS = Path(__file__).parents[1] / "tests/engines/image/pictures"
#: What the photographs show, and two things that none shows.
SHOWN = {"cat": "cat", "coffee": "drink", "rocket": "spacecraft"}
OTHERS = ("building", "clothing")
FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSansMono.ttf",
    "LiberationSans-Bold.ttf",
    "LiberationSansNarrow-Regular.ttf",
    "LiberationSerif-Italic.ttf",
)
COLOURS = (("white", "black"), ("#f4ecd8", "#332211"), ("#203040", "white"))
CAPTIONS = (3, 6, 12)
WEIGHTS = (0.4, 0.6, 0.8, 1.0)
SIZE = (1280, 960)
MARGIN = 60


@dataclass(frozen=True)
class Judged:
    """One picture: what each part makes of it, and the right category's place."""

    pixels: Floats
    writing: Writing | None
    truth: int


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts/truetype"))
    parser.add_argument("--prepared", type=Path, help="where models are kept between runs")
    parser.add_argument("--count", type=int, default=60, help="pictures a row")
    arguments = parser.parse_args()
    labels = json.loads((arguments.data / "ag_news/labels.json").read_text())
    lines = (arguments.data / "ag_news/test.jsonl").read_text().splitlines()
    texts = [json.loads(line) for line in lines[: arguments.count]]
    topics = tuple(Category(label["name"], label["description"]) for label in labels)
    places = {label["id"]: place for place, label in enumerate(labels)}
    truths = [places[text["label"]] for text in texts]
    things = tuple(map(Category, (*SHOWN.values(), *OTHERS)))
    head = " | ".join(f"U = {weight:g}" for weight in WEIGHTS)
    print(f"| pictures | asked | read | pixels alone | text alone | {head} |")
    print("| --- |" + " --- |" * (len(WEIGHTS) + 4))
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        judges = Judges(arguments.prepared or folder / "prepared")
        try:
            judge = judges.of(InputType.IMAGE)
            assert isinstance(judge, ImageJudge)
            painter = Painter(arguments.fonts, folder)
            pages = [painter.page(text["text"]) for text in texts]
            show("pages", "topic", list(look(judge, pages, topics, truths)))
            for words in CAPTIONS:
                captioned = [
                    painter.caption(" ".join(text["text"].split()[:words]), place)
                    for place, text in enumerate(texts)
                ]
                name = f"captions of {words} words"
                show(name, "topic", list(look(judge, captioned, topics, truths)))
                shown = [place % len(SHOWN) for place in range(len(texts))]
                show(name, "shown", list(look(judge, captioned, things, shown)))
        finally:
            judges.close()


class Painter:
    """Draws texts, each with the next font and colours, at a size that chance chooses."""

    def __init__(self, fonts: Path, folder: Path) -> None:
        found = {path.name: path for path in fonts.rglob("*.ttf")}
        self._fonts = [found[name] for name in FONTS]
        self._folder = folder
        self._random = random.Random(0)
        self._drawn = 0

    def page(self, text: str) -> Media:
        """Draw a page of a text."""
        ground, ink = COLOURS[self._drawn % len(COLOURS)]
        image = Image.new("RGB", SIZE, ground)
        self._write(image, text, (MARGIN, MARGIN), ink)
        return self._saved(image)

    def caption(self, text: str, place: int) -> Media:
        """Draw a photograph with a text below it."""
        ground, ink = COLOURS[self._drawn % len(COLOURS)]
        image = Image.new("RGB", SIZE, ground)
        with Image.open(PHOTOGRAPHS / f"{list(SHOWN)[place % len(SHOWN)]}.jpg") as photograph:
            image.paste(photograph.resize((SIZE[0], 700)))
        self._write(image, text, (MARGIN, 700 + MARGIN // 2), ink)
        return self._saved(image)

    def _write(self, image: Image.Image, text: str, at: tuple[int, int], ink: str) -> None:
        font = ImageFont.truetype(
            self._fonts[self._drawn % len(self._fonts)], self._random.randint(24, 44)
        )
        width = int((SIZE[0] - 2 * MARGIN) / font.getlength("n"))
        lines = textwrap.wrap(text, max(width, 10))
        ImageDraw.Draw(image).multiline_text(at, "\n".join(lines), ink, font, spacing=12)

    def _saved(self, image: Image.Image) -> Media:
        self._drawn += 1
        path = self._folder / f"{self._drawn}.jpg"
        image.save(path, quality=85)
        return Media(path, "image/jpeg")


def look(
    judge: ImageJudge, pictures: list[Media], categories: tuple[Category, ...], truths: list[int]
) -> Iterator[Judged]:
    """Judge pictures in parts."""
    head = judge._head(categories)
    for media, truth in zip(pictures, truths, strict=True):
        shown = judge._decoder.image(media, SEEN)
        pixels, _ = judge.weigh(judge.see(shown.frames), head, Mode.SINGLE)
        task = Task("image", InputType.IMAGE, categories, media=media)
        writing, _ = judge._read(shown, task)
        yield Judged(pixels, writing, truth)


def show(name: str, asked: str, judged: list[Judged]) -> None:
    """Print a row."""
    read = [each for each in judged if each.writing is not None]
    cells = [f"{len(read)} of {len(judged)}", right([each.pixels for each in judged], judged)]
    cells.append(right([each.writing.probabilities for each in read if each.writing], read))
    for weight in WEIGHTS:
        with patch.object(fusion, "MOST", weight):
            joined = [
                fused(each.pixels, each.writing, Mode.SINGLE) if each.writing else each.pixels
                for each in judged
            ]
        cells.append(right(joined, judged))
    print(f"| {name} | {asked} | " + " | ".join(cells) + " |", flush=True)


def right(probabilities: list[Floats], judged: list[Judged]) -> str:
    """Return how many are right, with the 95 % interval (Wilson)."""
    if not judged:
        return ""
    hits = sum(int(p.argmax()) == each.truth for p, each in zip(probabilities, judged, strict=True))
    low, high = wilson(hits, len(judged))
    return f"{hits / len(judged):.0%} ({low:.0%} to {high:.0%})"


if __name__ == "__main__":
    main()
