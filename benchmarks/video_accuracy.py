"""How good the embedded model is on videos, made of labelled pictures for want of labelled videos.

    python -m benchmarks.video_accuracy --packages DIR --prepared DIR

DIR is as for `image_accuracy`, whose evaluation pictures these are. Three pictures of a category,
drawn at random, make a video of 640 × 360: each is shown for three seconds in slow zoom. Half of
the videos also show two scenes of nothing, one at the start and one between. Without sound. A row
for each set and what is known of its categories; what the pictures get one at a time stands beside.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from PIL import Image

from app.engines.contract import Category, InputType, Media, Task
from app.engines.judges import Judges
from app.evaluation.report import Prediction, report
from benchmarks.picture_sources import PictureSet, load_sets
from tests.media.samples import scene

MIME = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg"}
SIZE = (640, 360)
FPS = 10
SHOWN_S = 3
ZOOM = 1.2
PICTURES = 3
LEAST = 20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, required=True)
    arguments = parser.parse_args()
    judges = Judges(arguments.prepared)
    print(
        "| pictures | known of them | videos | right (95 %) | calibration error | one at a time |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    try:
        with TemporaryDirectory() as scratch:
            for pictures in load_sets(arguments.packages, Path(scratch)):
                if pictures.split == "evaluation" and sum(map(len, drawn(pictures))) >= LEAST:
                    measure(judges, pictures, Path(scratch))
    finally:
        judges.close()


def drawn(pictures: PictureSet) -> list[list[tuple[Path, ...]]]:
    """Return the pictures of each video, by category; each picture is in one video."""
    chance = np.random.default_rng(3)
    videos = []
    for own in pictures.pictures:
        order = [own[place] for place in chance.permutation(len(own))]
        count = len(order) // PICTURES
        videos.append([tuple(order[PICTURES * n : PICTURES * (n + 1)]) for n in range(count)])
    return videos


def measure(judges: Judges, pictures: PictureSet, scratch: Path) -> None:
    """Make the videos of a set, judge them and their pictures, and print a row a kind."""
    videos = [(label, shown) for label, own in enumerate(drawn(pictures)) for shown in own]
    paths = []
    for number, (_, shown) in enumerate(videos):
        path = scratch / f"{pictures.name.replace(' ', '-')}-{number}.mp4"
        film(path, [Image.open(file).convert("RGB") for file in shown], among=number % 2 == 1)
        paths.append(path)
    named = tuple(Category(name) for name, _ in pictures.categories)
    described = tuple(Category(*category) for category in pictures.categories)
    kinds = {"names": named, "described": described}
    for kind, categories in kinds.items():
        if kind == "described" and described == named:
            continue
        seen = [
            predict(judges, InputType.VIDEO, Media(path, "video/mp4"), label, categories)
            for path, (label, _) in zip(paths, videos, strict=True)
        ]
        alone = [
            predict(judges, InputType.IMAGE, Media(file, MIME[file.suffix]), label, categories)
            for label, shown in videos
            for file in shown
        ]
        measured, single = report(seen), report(alone)
        print(
            f"| {pictures.name} | {kind} | {len(seen)} | {measured.accuracy:.0%} "
            f"({measured.low:.0%} to {measured.high:.0%}) | {measured.calibration_error:.0%} | "
            f"{single.accuracy:.0%} |",
            flush=True,
        )


def film(path: Path, pictures: list[Image.Image], *, among: bool) -> None:
    """Encode pictures in slow zoom, `among` scenes of nothing or alone."""
    scenes = list(pictures)
    if among:
        scenes = [scene(1, *SIZE), scenes[0], scene(2, *SIZE), *scenes[1:]]
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for picture in scenes:
            for step in range(SHOWN_S * FPS):
                frame = zoomed(picture, 1 + (ZOOM - 1) * step / (SHOWN_S * FPS))
                container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode(None))


def zoomed(picture: Image.Image, factor: float) -> Image.Image:
    """Return the picture on black, as large as fits, and its middle enlarged."""
    scale = min(SIZE[0] / picture.width, SIZE[1] / picture.height) * factor
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    canvas = Image.new("RGB", SIZE)
    place = ((SIZE[0] - size[0]) // 2, (SIZE[1] - size[1]) // 2)
    canvas.paste(picture.resize(size, Image.Resampling.BILINEAR), place)
    return canvas


def predict(
    judges: Judges,
    kind: InputType,
    media: Media,
    label: int,
    categories: tuple[Category, ...],
) -> Prediction:
    """Judge a file."""
    judge = judges.of(kind)
    outcome = judge.judge(Task("", kind, categories, media=media), judge.perceive(media))
    best = outcome.labels[0]
    return Prediction(categories[label].name, best.label, best.confidence)


main()
