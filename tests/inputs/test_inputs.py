"""Images, audio and video as inputs over REST: what is fetched, judged and refused."""

import httpx
import pytest

from app.domain.plans import Plan
from tests.databases import query
from tests.inputs.conftest import LIMITS, MODELS, Place
from tests.inputs.samples import CONTAINERS, IMAGES, OTHERS, PNG, SOUNDS, data_uri, some
from tests.provider.completions import bytes_of, examples_of, parts_of

MIMES = {"image": [*IMAGES], "audio": [*SOUNDS, *CONTAINERS], "video": [*CONTAINERS]}
ACCEPTED = [(kind, mime) for kind, mimes in MIMES.items() for mime in mimes]


def refused(answer: httpx.Response, code: str = "media_unavailable") -> str:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (400, code, "input"), error
    return str(error["message"])


@pytest.mark.parametrize(("kind", "mime"), ACCEPTED)
def test_what_is_at_a_url_reaches_the_model_as_it_is(place: Place, kind: str, mime: str) -> None:
    content = some(mime, about="a dog")
    # What its source calls it is not believed.
    url = place.origin.keep(content, "text/html")
    answer = place.classify(input=url, type=kind)
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["label"] == "dog"
    assert answer.json()["type"] == kind
    asked = place.provider.requests[-1]
    assert asked["model"] == MODELS[kind].removeprefix("openai/")
    (part,) = parts_of(asked)
    assert bytes_of(part) == content
    # An address is the caller's: a provider never sees it, so it can't fetch it either.
    assert url not in str(asked)


@pytest.mark.contract("example.image", "classify.more.image_input", "classify.more.av_input")
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("source", ["url", "data URI"])
def test_a_url_and_a_data_uri_are_the_same(place: Place, kind: str, source: str) -> None:
    content = some(MIMES[kind][0], about="cat")
    given = place.origin.keep(content) if source == "url" else data_uri(content, "text/plain")
    answer = place.classify(input=given, type=kind)
    assert answer.json()["result"]["label"] == "cat", answer.text
    job = place.client.get(f"/v1/jobs/{answer.json()['id']}").json()
    assert (job["input_type"], job["input_preview"]) == (kind, given[:100])


PLANS = {
    "image": (Plan.STARTER, Plan.PRO, Plan.ENTERPRISE),
    "audio": (Plan.PRO, Plan.ENTERPRISE),
    "video": (Plan.PRO, Plan.ENTERPRISE),
}


@pytest.mark.parametrize(
    ("kind", "plan"),
    [
        pytest.param(kind, plan, marks=pytest.mark.contract(f"plan.{kind}.{plan.value}"))
        for kind, plans in PLANS.items()
        for plan in plans
    ],
)
def test_the_plans_that_have_a_type(place: Place, kind: str, plan: Plan) -> None:
    _, key = place.new_account(plan)
    body = {"input": data_uri(some(MIMES[kind][0], about="dog")), "type": kind}
    with place.server.client(key) as client:
        answer = client.post("/v1/classify", json={**body, "categories": ["cat", "dog"]})
        assert answer.json()["result"]["label"] == "dog", answer.text
        assert client.get("/v1/usage").json()["usage"]["by_type"][kind] == 1


NOT_FETCHED = {
    "/status/404": "could not be fetched. 127.0.0.1 answered with status 404.",
    "/status/500": "could not be fetched. 127.0.0.1 answered with status 500.",
    "/hang": "could not be fetched. There was no complete answer within 2 seconds.",
    "/endless": "is larger than 200,000 bytes, the limit for an image",
    "/large/200001": "is larger than 200,000 bytes, the limit for an image",
    "/to/http://10.0.0.1/": "could not be fetched. 10.0.0.1 has no public address.",
    "/to/file:///etc/passwd": "could not be fetched. The URL must begin with http:// or https://.",
}


@pytest.mark.contract("errors.media_unavailable")
@pytest.mark.parametrize(("path", "said"), NOT_FETCHED.items(), ids=NOT_FETCHED)
def test_what_can_not_be_had_is_said_and_given_back(place: Place, path: str, said: str) -> None:
    before = place.used()
    assert refused(place.classify(input=place.origin.url(path))) == f"input: {said}"
    assert place.used() == before


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_of_the_type_is_refused(place: Place, kind: str, name: str) -> None:
    said = refused(place.classify(input=data_uri(OTHERS[name] or b" "), type=kind))
    formats = {"image": "GIF, AVIF or HEIC", "audio": "AVI, MPEG-TS or MPEG", "video": "or MPEG"}
    assert said.endswith(formats[kind])


def test_it_is_said_what_was_found_instead(place: Place) -> None:
    for content, seems in (
        (OTHERS["svg"], "a web page, an SVG or a playlist"),
        (OTHERS["hls"], "a web page, an SVG or a playlist"),
        (some("audio/wav"), "WAV"),
        (OTHERS["pdf"], "something else"),
        (b"", "empty"),
    ):
        said = refused(place.classify(input=place.origin.keep(content, "image/png")))
        assert said.startswith(
            f"input: is {seems}, not an image in a format that is accepted: PNG,"
        )


@pytest.mark.parametrize("kind", MODELS)
def test_the_limit_is_to_the_byte(place: Place, kind: str) -> None:
    limit = int(LIMITS[f"max_{kind}_bytes"])
    for size, fits in ((limit, True), (limit + 1, False)):
        content = some(MIMES[kind][0], about="dog", size=size)
        fetched = place.classify(input=place.origin.keep(content), type=kind)
        carried = place.classify(input=data_uri(content), type=kind)
        if fits:
            assert (fetched.status_code, carried.status_code) == (200, 200)
        else:
            assert "is larger than" in refused(fetched)
            assert "is larger than" in refused(carried)


MALFORMED = {
    "a text": ("a cat on a mat", "must be a public http or https URL or a base64 data URI."),
    "no scheme": ("example.com/cat.png", "must be a public http or https URL"),
    "ftp": ("ftp://example.com/cat.png", "must be a public http or https URL"),
    "file": ("file:///etc/passwd", "must be a public http or https URL"),
    "a user name": ("http://user@example.com/cat.png", "must not hold a user name"),
    "blanks": ("http://example.com/a cat.png", "blanks"),
    "no base64": ("data:image/png,%89PNG", "must be a base64 data URI"),
    "bad base64": ("data:image/png;base64,*", "must be valid base64"),
    "nothing": ("data:image/png;base64,", "there is nothing after the comma"),
    "NUL": ("data:image/png;base64,\0", "must not contain the NUL character"),
}


@pytest.mark.parametrize(("given", "said"), MALFORMED.values(), ids=MALFORMED)
def test_what_needs_no_network_is_refused_before_anything_is_counted(
    place: Place, given: str, said: str
) -> None:
    before = place.client.get("/v1/jobs").json()["total"]
    for more in ({}, {"async": True}, {"dry_run": True}, {"type": "video"}):
        assert said in refused(place.classify(input=given, **more), "invalid_request")
    batch = {"items": [{"input": "x"}, {"input": given, "type": "image"}]}
    error = place.client.post("/v1/batch", json=batch).json()["error"]
    assert (error["code"], error["field"]) == ("invalid_request", "items[1].input")
    assert place.client.get("/v1/jobs").json()["total"] == before


def test_a_dry_run_fetches_nothing(place: Place) -> None:
    url = place.origin.keep(some("image/png"))
    planned = place.classify(input=url, dry_run=True).json()
    assert (planned["requests"], planned["type"]) == (1, "image")
    assert place.origin.asked_for(url) == 0


def test_nothing_is_fetched_for_a_plan_that_lacks_it_or_a_quota_that_is_used(
    place: Place,
) -> None:
    url = place.origin.keep(some("image/png"))
    body = {"input": url, "type": "image"}
    for plan, code in ((Plan.FREE, "plan_restriction"), (Plan.STARTER, "rate_limit_exceeded")):
        account_id, key = place.new_account(plan)
        with place.server.client(key) as client:
            assert client.post("/v1/classify", json={"input": "x"}).status_code == 200
            used = "UPDATE usage_months SET used = 10000 WHERE account_id ="
            query(place.server.site.database, f"{used} {account_id}")
            assert client.post("/v1/classify", json=body).json()["error"]["code"] == code
    assert place.origin.asked_for(url) == 0


def test_a_long_data_uri_is_no_long_text(place: Place) -> None:
    long = data_uri(some("image/png", about="dog", size=190_000))
    assert place.classify(input=long, mode="multi").status_code == 200
    text = place.client.post("/v1/classify", json={"input": "x" * 1_000_001})
    assert text.json()["error"]["message"].startswith("input: must be at most 1000000 characters")


def test_files_are_gone_once_the_answer_is_there(place: Place) -> None:
    place.classify(input=place.origin.keep(some("image/png")))
    place.classify(input=place.origin.url("/status/500"))
    assert list(place.files()) == []


def test_examples_that_are_images_are_fetched_and_named_when_they_can_not_be(
    place: Place,
) -> None:
    url, missing = place.origin.keep(PNG), place.origin.url("/status/404")
    good = {"name": "cat", "examples": [url, "a cat that sleeps", data_uri(PNG)]}
    for _ in range(2):
        answer = place.classify(input=data_uri(PNG), categories=[good])
        assert answer.status_code == 200
    # The model is shown as many as it has room for, and no address.
    assert examples_of(place.provider.requests[-1]) == [('An example of "cat":', PNG)]
    assert answer.json()["meta"]["truncated"] == ["categories"]
    assert url not in str(place.provider.requests[-1])
    # It is remembered for a while.
    assert place.origin.asked_for(url) == 1
    bad = {"name": "dog", "examples": ["a dog", missing]}
    answer = place.classify(input=data_uri(PNG), categories=[good, bad])
    assert answer.json()["error"]["code"] == "media_unavailable"
    assert answer.json()["error"]["field"] == "categories[1].examples[1]"
    malformed = {"name": "dog", "examples": ["data:image/png;base64,*"]}
    answer = place.classify(input=data_uri(PNG), categories=[malformed])
    assert answer.json()["error"]["code"] == "invalid_request"
    assert answer.json()["error"]["field"] == "categories[0].examples[0]"
    many = {"name": "dog", "examples": [url] * 41}
    answer = place.classify(input=data_uri(PNG), categories=[many])
    assert answer.json()["error"]["field"] == "categories[0].examples[40]"
    # Of a text they are text.
    assert place.classify(input="x", type="text", categories=[bad]).status_code == 200
