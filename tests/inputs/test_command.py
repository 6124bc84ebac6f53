"""Images, audio and video from the command line, and what `doctor` says of who judges them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Site
from tests.inputs.origin import Origin
from tests.inputs.samples import data_uri, some
from tests.provider.server import Provider

CATEGORIES = ("--categories", "cat,dog")


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Iterator[Site]:
    with Provider() as provider:
        yield make_site(
            model="openai/reader",
            model_image="openai/gpt-4o-mini,openai/seer",
            model_audio="openai/hearer",
            model_api_base=provider.base_url,
            allow_private_hosts="127.0.0.1",
        )


def test_files_urls_and_data_uris_are_judged(site: Site, tmp_path: Path) -> None:
    photo = tmp_path / "photo.txt"
    photo.write_bytes(some("image/webp", about="a dog"))
    with Origin() as origin:
        given = [
            str(photo), origin.keep(some("image/png", about="cat")),
            data_uri(some("image/gif", about="dog")),
        ]  # fmt: skip
        done = site.command("classify", "--type", "image", *given, *CATEGORIES, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["result"]["label"] for line in lines] == ["dog", "cat", "dog"]
    assert [line["input"] for line in lines] == given
    assert all(line["basis"] == ["pixels"] for line in lines)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("image", "no-such-file.png", "is neither a file that can be read nor a URL nor a data"),
        ("image", str(Path(__file__)), "input: is something else, not an image"),
        ("video", "https://example.com/a.mp4", "type: the configured model can't judge video"),
    ],
)
def test_what_can_not_be_judged_is_a_message(site: Site, kind: str, given: str, said: str) -> None:
    done = site.command("classify", "--type", kind, given, *CATEGORIES, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_lines_of_a_file_name_their_type(site: Site, tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"id": "a", "input": data_uri(some("image/png", about="dog")), "type": "image"},
        {"id": "b", "input": "about a cat"},
        {"id": "c", "input": data_uri(b"no image"), "type": "image"},
        {"id": "d", "input": "no URL", "type": "image"},
        {"id": "e", "input": data_uri(some("audio/mpeg", about="cat")), "type": "audio"},
    ]
    source.write_text("\n".join(map(json.dumps, rows)))
    words = ("--file", str(source), "--out", str(out), *CATEGORIES)
    assert site.command("classify", *words, check=False).returncode == 1
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row.get("basis") for row in written] == [["pixels"], None, None, None, ["sound"]]
    assert [row["result"]["label"] for row in written if "result" in row] == ["dog", "cat", "cat"]
    codes = [row["error"]["code"] for row in written if "error" in row]
    assert codes == ["media_unavailable", "invalid_request"]


def test_the_doctor_says_who_judges_what(site: Site) -> None:
    said = site.command("doctor", check=False).stdout
    assert "ok       image: judged by openai/gpt-4o-mini, openai/seer" in said
    assert "ok       audio: judged by openai/hearer" in said
    refused = "refused: openai/reader can't judge it, and CLASSIFAILY_MODEL_VIDEO names no other"
    assert f"ok       video: {refused}" in said
