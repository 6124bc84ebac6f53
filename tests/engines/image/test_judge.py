"""Images through the engine: what they show, what is written in them, and how sure it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from app.engines.contract import (
    Basis,
    Category,
    ConfidenceSource,
    InputType,
    Media,
    Mode,
    Outcome,
    OutcomeKind,
    Task,
)
from app.engines.embedded import EmbeddedEngine
from app.engines.errors import UnreadableMedia
from app.engines.image.judge import ImageJudge
from app.engines.image.reading import Reader
from app.media.decoder import Decoder, Picture
from app.media.limits import Bounds
from tests.engines.counting import counted
from tests.engines.image.conftest import PICTURES, picture


def named(*names: str) -> tuple[Category, ...]:
    return tuple(map(Category, names))


def about(media: Media, categories: tuple[Category, ...] | None = None, **settings: object) -> Task:
    return Task(
        "https://example.com/image",
        InputType.IMAGE,
        categories,
        media=media,
        **settings,  # type: ignore[arg-type]
    )


def saved(image: Image.Image, path: Path, **settings: object) -> Media:
    image.save(path, **settings)
    return Media(path, {".png": "image/png", ".jpg": "image/jpeg"}[path.suffix])


def judged(judge: ImageJudge, task: Task) -> Outcome:
    assert task.media is not None
    return judge.judge(task, judge.perceive(task.media))


def labels(outcome: Outcome) -> list[str | None]:
    return [label.label for label in outcome.labels]


INVOICE = (
    "INVOICE No. 2024-117",
    "Bill to: Acme Corp, 12 Main Street",
    "Consulting hours   12    1,200.00 EUR",
    "Total due: 1,380.00 EUR",
    "Please pay within 30 days",
)


@pytest.fixture(scope="module")
def invoice(tmp_path_factory: pytest.TempPathFactory) -> Media:
    image = Image.new("RGB", (700, 460), "white")
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(INVOICE):
        draw.text((40, 40 + row * 70), line, fill="black", font=ImageFont.load_default(28))
    return saved(image, tmp_path_factory.mktemp("invoice") / "invoice.png")


async def test_a_picture_gets_the_category_that_it_shows(engine: EmbeddedEngine) -> None:
    categories = named("cat", "car", "building", "food")
    outcome = await engine.classify(about(picture("cat"), categories))

    assert labels(outcome) == ["cat"]
    assert outcome.labels[0].confidence > 0.9
    assert outcome.basis == (Basis.PIXELS,)
    assert outcome.confidence_source is ConfidenceSource.CALIBRATED
    assert outcome.model == "embedded/efficientnet-lite2+minilm+e5"
    assert outcome.tokens == 0


@pytest.mark.parametrize(
    ("name", "truth"), [("cat", "animal"), ("coffee", "drink"), ("rocket", "spacecraft")]
)
def test_a_group_of_tags_is_a_category_too(judge: ImageJudge, name: str, truth: str) -> None:
    categories = named("animal", "drink", "spacecraft", "clothing")
    assert labels(judged(judge, about(picture(name), categories))) == [truth]


def test_top_n_is_a_distribution_and_a_threshold_cuts_it(judge: ImageJudge) -> None:
    categories = named("cat", "dog", "car")
    whole = judged(judge, about(picture("cat"), categories, mode=Mode.TOP_N, top_n=3))
    assert sum(label.confidence for label in whole.labels) == pytest.approx(1, abs=2e-4)

    cut = judged(judge, about(picture("cat"), categories, mode=Mode.TOP_N, top_n=3, threshold=0.5))
    assert labels(cut) == ["cat"]


def test_in_multi_several_categories_hold(judge: ImageJudge) -> None:
    task = about(picture("cat"), named("cat", "pet", "car", "food"), mode=Mode.MULTI, threshold=0.3)
    found = {label.label: label.confidence for label in judged(judge, task).labels}
    assert "cat" in found
    assert "car" not in found
    assert "food" not in found


def test_none_of_the_categories_is_an_answer(judge: ImageJudge) -> None:
    far = judged(judge, about(picture("rocket"), named("cat", "dog"), allow_none=True))
    assert labels(far) == [None]
    assert far.outcome is OutcomeKind.NONE_OF_THE_ABOVE

    near = judged(judge, about(picture("cat"), named("cat", "car"), allow_none=True))
    assert labels(near) == ["cat"]
    assert near.outcome is OutcomeKind.MATCHED


def test_without_categories_the_label_is_a_tag_of_the_network(judge: ImageJudge) -> None:
    outcome = judged(judge, about(picture("coffee"), mode=Mode.TOP_N, top_n=3))
    assert labels(outcome)[0] == "espresso"
    assert set(labels(outcome)) <= {tag.name for tag in judge.tags}


def test_an_explanation_names_the_tags_that_decided(judge: ImageJudge) -> None:
    outcome = judged(judge, about(picture("coffee"), named("drink", "car"), explain=True))
    explanation = outcome.labels[0].explanation
    assert explanation is not None
    assert explanation.startswith("Seen as espresso (")
    assert "Runner-up: “car”" in explanation


def test_an_explanation_of_none_says_what_the_image_looks_like(judge: ImageJudge) -> None:
    task = about(picture("coffee"), named("car", "building"), allow_none=True, explain=True)
    explanation = judged(judge, task).labels[0].explanation
    assert explanation is not None
    assert explanation.startswith("The image looks like espresso (")


def test_examples_teach_what_names_do_not_say(judge: ImageJudge, tmp_path: Path) -> None:
    categories = tuple(
        Category(
            name,
            media=tuple(
                saved(turned(source, angle), tmp_path / f"{source}{angle}.png")
                for angle in (-12, 8)
            ),
        )
        for name, source in (("A", "cat"), ("B", "coffee"), ("C", "rocket"))
    )
    for name, source in (("A", "cat"), ("B", "coffee"), ("C", "rocket")):
        outcome = judged(judge, about(picture(source), categories, explain=True))
        assert labels(outcome) == [name]
        assert outcome.labels[0].confidence > 0.8
        assert "Most like example" in (outcome.labels[0].explanation or "")


def turned(name: str, angle: float) -> Image.Image:
    with Image.open(PICTURES / f"{name}.jpg") as image:
        return image.rotate(angle, resample=Image.Resampling.BICUBIC).crop((30, 30, 200, 150))


def test_the_same_examples_in_other_files_are_looked_at_once(
    judge: ImageJudge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Media] = []
    look = judge._look
    monkeypatch.setattr(judge, "_look", lambda media: (looked.append(media), look(media))[1])
    for number in range(2):
        copy = tmp_path / f"{number}.jpg"
        copy.write_bytes((PICTURES / "rocket.jpg").read_bytes())
        categories = (Category("one", media=(Media(copy, "image/jpeg"),)), Category("other"))
        judged(judge, about(picture("cat"), categories))
    assert len(looked) == 1


def test_an_example_that_can_not_be_decoded_fails_the_task(
    judge: ImageJudge, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + b"nothing" * 30)
    categories = (Category("one", media=(Media(broken, "image/jpeg"),)), Category("other"))
    with pytest.raises(UnreadableMedia):
        judged(judge, about(picture("cat"), categories))


def test_what_is_written_in_an_image_counts(judge: ImageJudge, invoice: Media) -> None:
    categories = named("invoice", "restaurant menu", "love letter", "weather report")
    outcome = judged(judge, about(invoice, categories, explain=True))
    assert labels(outcome) == ["invoice"]
    assert outcome.basis == (Basis.PIXELS, Basis.OCR)
    assert outcome.tokens > 20
    assert "Text read, which counts" in (outcome.labels[0].explanation or "")
    assert "INVOICE No. 2024-117" in (outcome.labels[0].explanation or "")


def test_only_what_is_read_is_decoded_large(
    judge: ImageJudge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Image.new("RGB", (1600, 1200), "white")
    for row, line in enumerate(INVOICE):
        font = ImageFont.load_default(26)
        ImageDraw.Draw(page).text((200, 300 + row * 60), line, fill="black", font=font)
    with Image.open(PICTURES / "cat.jpg") as cat:
        photo = saved(cat.resize((1600, 1200)), tmp_path / "photo.jpg", quality=90)
    decoded = []
    decode = judge._decoder.image

    def spy(media: Media, *bounds: Bounds) -> Picture:
        decoded.append(decode(media, *bounds))
        return decoded[-1]

    monkeypatch.setattr(judge._decoder, "image", spy)
    categories = named("invoice", "cat")
    assert labels(judged(judge, about(photo, categories))) == ["cat"]
    assert [picture.frames[0].shape for picture in decoded] == [(480, 640, 3)]

    decoded.clear()
    read = judged(
        judge, about(saved(page, tmp_path / "page.jpg", quality=90), categories, explain=True)
    )
    assert [picture.frames[0].shape for picture in decoded] == [(480, 640, 3), (960, 1280, 3)]
    assert "Bill to: Acme Corp" in (read.labels[0].explanation or "")


def test_an_image_lies_as_its_camera_says(judge: ImageJudge, tmp_path: Path) -> None:
    with Image.open(PICTURES / "rocket.jpg") as image:
        exif = Image.Exif()
        exif[0x0112] = 8
        lying = saved(image.rotate(-90, expand=True), tmp_path / "lying.jpg", exif=exif, quality=95)
    categories = named("rocket", "cat", "car")
    upright = judged(judge, about(picture("rocket"), categories)).labels[0]
    found = judged(judge, about(lying, categories)).labels[0]
    assert found.label == upright.label == "rocket"
    assert found.confidence == pytest.approx(upright.confidence, abs=0.1)


def test_where_there_is_nothing_to_see_the_confidence_is_low(
    judge: ImageJudge, tmp_path: Path
) -> None:
    grey = saved(Image.new("RGB", (300, 200), (120, 120, 120)), tmp_path / "grey.png")
    outcome = judged(judge, about(grey, named("happy customer", "angry customer", "neutral")))
    assert outcome.labels[0].confidence < 0.6


def test_frames_of_a_video_get_probabilities(judge: ImageJudge) -> None:
    with Image.open(PICTURES / "cat.jpg") as cat, Image.open(PICTURES / "coffee.jpg") as coffee:
        frames = [np.asarray(cat.convert("RGB")), np.asarray(coffee.convert("RGB"))]
    sights = [judge.see([frame]) for frame in frames]
    found, none = judge.frame_probabilities(sights, named("cat", "drink"), Mode.SINGLE)
    assert none.shape == (2,)
    assert found.shape == (2, 2)
    assert found.argmax(axis=1).tolist() == [0, 1]
    assert judge.frame_probabilities(sights, None, Mode.SINGLE)[0].shape == (2, 1000)


async def test_an_image_is_looked_at_and_read_once_for_several_sets(
    engine: EmbeddedEngine, invoice: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = (named("invoice", "holiday"), named("letter", "menu", "bill"), None)
    tasks = [about(invoice, categories, explain=True) for categories in sets]
    alone = [await engine.classify(task) for task in tasks]
    calls: list[str] = []
    for part, name in ((Decoder, "image"), (ImageJudge, "see"), (Reader, "read")):
        monkeypatch.setattr(part, name, counted(getattr(part, name), calls))
    await engine.classify(tasks[0])
    once = calls.copy()
    calls.clear()
    assert await engine.classify_many(tasks) == alone
    assert sorted(calls) == sorted(once)
    assert {"image", "see", "read"} <= set(once)


async def test_an_example_that_can_not_be_decoded_fails_no_other_set(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + b"nothing" * 30)
    taught = (Category("one", media=(Media(broken, "image/jpeg"),)), Category("other"))
    tasks = [about(picture("cat"), taught), about(picture("cat"), named("cat", "car"))]
    failed, answered = await engine.classify_many(tasks)
    assert isinstance(failed, UnreadableMedia)
    assert isinstance(answered, Outcome)
    assert labels(answered) == ["cat"]
