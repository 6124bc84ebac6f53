"""The command line: data on stdout, talk on stderr, no traceback for what a user did wrong."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from app.engines.text.minilm import MiniLmEncoder
from tests.conftest import ROOT, Site, running

TOKENIZER = Tokenizer(WordLevel({"x": 0}, unk_token="x")).to_str()


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    (folder / "latin-1.jsonl").write_bytes(b'["\xe9"]')
    (folder / "deep.jsonl").write_text("[" * 100_000)
    (folder / "row.jsonl").write_text('{"text": "x", "label": "a"}\n')
    return folder


def test_accounts_and_keys(site: Site) -> None:
    made = site.command("account", "create", "--name", "Acme", "--plan", "pro", "--email", "a@b.c")
    account_id = made.stdout.strip()
    assert made.stdout == f"{int(account_id)}\n"
    key = site.command("key", "create", "--account", account_id, "--name", "ci").stdout
    assert key.startswith("cai_live_")
    assert len(key.strip()) == len("cai_live_") + 40
    row = site.command("account", "list").stdout.splitlines()[-1].split("\t")
    assert row[:5] == [account_id, "Acme", "pro", "active", "a@b.c"]
    listed = site.command("key", "list").stdout
    assert key.strip() not in listed
    key_id = listed.splitlines()[-1].split("\t")[0]
    assert site.command("key", "revoke", key_id).stdout == ""
    assert not site.command("key", "list").stdout.splitlines()[-1].endswith("\t-")
    site.command("account", "set-plan", account_id, "starter")
    site.command("account", "set-status", account_id, "past_due")
    row = site.command("account", "list").stdout.splitlines()[-1].split("\t")
    assert row[2:4] == ["starter", "past_due"]
    kept = site.command("account", "set-retention", account_id, "on")
    assert (kept.stdout, "kept" in kept.stderr) == ("", True)
    site.command("account", "set-retention", account_id, "off")


def test_a_plan_bounds_its_keys(site: Site) -> None:
    account_id = str(site.create_account("free"))
    site.create_key(int(account_id))
    refused = site.command("key", "create", "--account", account_id, check=False)
    assert refused.returncode == 1
    assert "allows 1 API key" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["account", "create", "--name", " ", "--plan", "pro"], "name"),
        (["account", "create", "--name", "x", "--plan", "gold"], "gold"),
        (["account", "create", "--name", "x", "--plan", "pro", "--email", "nobody"], "email"),
        (["account", "set-plan", "999", "pro"], "999"),
        (["account", "set-status", "999", "active"], "999"),
        (["account", "set-retention", "999", "on"], "999"),
        (["account", "set-budget", "999", "25"], "999"),
        (["account", "set-budget", "999", "much"], "US dollars"),
        (["account", "set-cache", "999", "60"], "999"),
        (["account", "set-cache", "999", "604801"], "604800"),
        (["account", "set-model", "999", "none"], "999"),
        (["account", "set-model", "999", "embedded"], "allows no models"),
        (["account", "set-retention", "999", "perhaps"], "perhaps"),
        (["key", "create", "--account", "999"], "999"),
        (["key", "revoke", "999"], "999"),
        (["classify"], "TEXT"),
        (["classify", "x", "--categories", "a,a"], "categories[1]"),
        (["classify", "x", "--threshold", "7"], "threshold"),
        (["classify", "x", "--min-margin", "7"], "min_margin"),
        (["classify", "x", "--min-margin", "nan"], "min_margin"),
        (["classify", "x", "--retry-failed"], "--file"),
        (
            ["classify", "--file", "README.md", "--out", "/dev/null", "--threshold", "7"],
            "threshold",
        ),
        (["classify", "--file", "absent.csv", "--out", "x.jsonl"], "absent.csv"),
        (
            ["classify", "--file", "README.md", "--out", "/absent/out.jsonl"],
            "/absent/out.jsonl can't be written",
        ),
        (["evaluate", "absent.jsonl"], "absent.jsonl"),
        (["evaluate", "latin-1.jsonl"], "latin-1.jsonl: must be UTF-8"),
        (["evaluate", "deep.jsonl"], "deep.jsonl, line 1: is not JSON"),
        (["evaluate", "row.jsonl", "--categories", "latin-1.jsonl"], "latin-1.jsonl: must be"),
        (["evaluate", "row.jsonl", "--categories", "deep.jsonl"], "deep.jsonl: is not JSON"),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_users_mistake_is_said_plainly(
    site: Site, odd_files: Path, words: list[str], said: str
) -> None:
    words = [str(odd_files / word) if (odd_files / word).exists() else word for word in words]
    done = site.command(*words, check=False)
    assert done.returncode != 0
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"), ("PORT", "70000"), ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "sqlite:/one.db"), ("DATA_DIR", "/proc/absent"),
        ("BROKER_URL", "amqp://x"), ("BROKER_URL", "redis://"), ("BROKER_URL", "redis://h/abc"),
        ("CORS_ORIGINS", "notanorigin"), ("CORS_ORIGINS", "https://a.example,https://b.example/x"),
        ("MODEL", "embedded,,x/y"), ("PUBLIC_URL", "example.com"),
        ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml"), ("MAX_BODY_BYTES", "1"),
    ],
)  # fmt: skip
def test_a_bad_setting_names_its_variable(site: Site, name: str, value: str) -> None:
    environment = {**site.environment, f"CLASSIFAILY_{name}": value}
    done = Site(environment, site.data_dir).command("account", "list", check=False)
    assert done.returncode == 1
    assert f"CLASSIFAILY_{name}" in done.stderr
    assert "Traceback" not in done.stderr


def test_classify_texts(site: Site) -> None:
    texts = ["I was charged twice", "my tomato plants are growing"]
    done = site.command("classify", *texts, "--categories", "billing,gardening")
    labels = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert labels == ["billing", "gardening"]
    words = ["--categories", "billing,gardening", "--mode", "top_n", "--explain", "--json"]
    line = json.loads(site.command("classify", texts[0], *words).stdout)
    assert line["input"] == texts[0]
    assert line["result"]["labels"][0]["label"] == "billing"
    assert line["result"]["labels"][0]["explanation"]


def test_classify_with_a_way_out(site: Site) -> None:
    texts = ["I was charged twice for my order", "my tomato plants are growing"]
    words = ["--categories", "billing,gardening", "--allow-none"]
    lines = site.command("classify", *texts, *words).stdout.splitlines()
    assert lines[::2] == ["matched", "matched"]
    assert [line.split("\t")[0] for line in lines[1::2]] == ["billing", "gardening"]
    far = "The committee elected a new president on Tuesday."
    assert site.command("classify", far, *words).stdout.startswith("none_of_the_above\n-\t0.")
    thin = site.command("classify", texts[0], *words, "--min-margin", "1", "--json").stdout
    result = json.loads(thin)["result"]
    assert (result["label"], result["outcome"]) == ("billing", "unsure")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_classify_a_file_with_a_bad_line_in_the_middle(
    site: Site, tmp_path: Path, kind: str
) -> None:
    source, out = tmp_path / f"in.{kind}", tmp_path / "out.jsonl"
    lines = {
        "csv": 'id,input\na,"I was charged twice"\nb,""\nc,"the tomato plants grow"\n',
        "jsonl": '{"id": "a", "input": "I was charged twice"}\n{"id": "b", "input": 5}\n'
        '{"id": "c", "text": "the tomato plants grow"}\n',
    }
    source.write_text(lines[kind])
    done = site.command(
        "classify", "--file", str(source), "--out", str(out),
        "--categories", "billing,gardening", check=False,
    )  # fmt: skip
    assert done.returncode == 1
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert [row["status"] for row in rows] == ["completed", "failed", "completed"]
    assert rows[0]["result"]["label"] == "billing"
    assert rows[2]["result"]["label"] == "gardening"
    assert rows[1]["error"]["code"] == "invalid_request"


def test_only_what_failed_of_a_file_is_classified_again(site: Site, tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    words = (
        "classify", "--file", str(source), "--out", str(out),
        "--categories", "billing,gardening", "--retry-failed",
    )  # fmt: skip
    source.write_text("text\nI was charged twice\n \nthe tomato plants grow\n")
    assert site.command(*words, check=False).returncode == 1
    first, _, last = out.read_text().splitlines()
    # One is corrected; of the others one is marked, to see that it is kept, one was cut short.
    source.write_text("text\nI was charged twice\nthe tomato plants need water\nmy roses bloom\n")
    out.write_text(f"{first.replace('billing', 'kept')}\n{_FAILED}\n{last[:9]}")
    assert site.command(*words).stderr.splitlines()[-1].startswith("3 classified, 0 failed")
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["2", "3", "4"]
    assert [row["result"]["label"] for row in rows] == ["kept", "gardening", "gardening"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.jsonl"]
    source.write_text("id,text\nother,x\n")
    refused = site.command(*words, check=False)
    assert refused.returncode == 1
    assert "another file" in refused.stderr


_FAILED = '{"id": "3", "status": "failed", "error": {"code": "model_unavailable", "message": "m"}}'


def test_evaluate(site: Site, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    rows = [("I was charged twice", "billing"), ("tomato plants need water", "gardening")] * 3
    rows.append(("the striker scored", "billing"))
    data.write_text("\n".join(json.dumps({"text": t, "label": label}) for t, label in rows))
    done = site.command("evaluate", str(data), "--json")
    report = json.loads(done.stdout)
    assert report["rows"] == 7
    assert report["accuracy"] >= 6 / 7
    assert 0 <= report["low"] < report["accuracy"] <= report["high"] <= 1
    assert "accuracy" in site.command("evaluate", str(data)).stdout


def test_export_schema_equals_the_committed_one(site: Site) -> None:
    assert site.command("export", "schema").stdout == (ROOT / "schema.graphql").read_text()


def test_export_openapi(site: Site) -> None:
    document = json.loads(site.command("export", "openapi").stdout)
    assert document["openapi"] == "3.1.0"
    assert "/classify" in document["paths"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TEXT_ENCODER", "/absent"),
        ("TEXT_ENCODER", "/usr"),
        ("HOST", "not.a.host.example"),
        ("DATA_DIR", "/proc/absent"),
        ("MODELS_DIR", "/proc/absent"),
    ],
)
def test_what_a_server_can_not_start_with_is_named(
    make_site: Callable[..., Site], name: str, value: str
) -> None:
    site = make_site()
    environment = {**site.environment, f"CLASSIFAILY_{name}": value}
    done = Site(environment, site.data_dir).command("serve", check=False)
    assert done.returncode == 1
    assert f"CLASSIFAILY_{name}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("bad", ["model.onnx", "tokenizer.json"])
def test_an_encoder_that_can_not_be_read_is_named(
    make_site: Callable[..., Site], tmp_path: Path, bad: str
) -> None:
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / name).write_text("{}" if name == bad else TOKENIZER)
    site = make_site(text_encoder=str(tmp_path))
    for words in (("serve",), ("classify", "x", "--categories", "a,b")):
        done = site.command(*words, check=False)
        assert done.returncode == 1
        assert f"the text encoder {tmp_path} can't be read" in done.stderr
        assert "Traceback" not in done.stderr


def test_what_ends_a_start_is_said(make_site: Callable[..., Site], tmp_path: Path) -> None:
    (tmp_path / f"{MiniLmEncoder.fingerprint}.onnx").mkdir()
    done = make_site(models_dir=str(tmp_path)).command("serve", check=False)
    assert done.returncode != 0
    assert "the server can't start: " in done.stderr


def test_a_taken_port_for_metrics_is_said_plainly(make_site: Callable[..., Site]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        site = make_site(worker_metrics_port=port, broker_url="redis://127.0.0.1:1/0")
        done = site.command("worker", check=False)
    assert done.returncode == 1
    assert "CLASSIFAILY_WORKER_METRICS_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_asks_the_broker(make_site: Callable[..., Site], redis_url: str) -> None:
    for url, said in (
        ("memory://", "ok       broker: memory://"),
        (redis_url, "ok       broker: Redis answers"),
        ("redis://127.0.0.1:1/0", "missing  broker: CLASSIFAILY_BROKER_URL can't be used"),
    ):
        assert said in make_site(broker_url=url).command("doctor", check=False).stdout


def test_doctor_says_what_a_provider_lacks(make_site: Callable[..., Site]) -> None:
    no_key = make_site(model="openai/gpt-4o-mini").command("doctor", check=False).stdout
    assert "missing  model openai/gpt-4o-mini: the provider can't be reached" in no_key
    assert "not set: OPENAI_API_KEY" in no_key
    # Without the variable it is asked where it is by default: nobody is there.
    ollama = make_site(model="ollama/llama3").command("doctor", check=False).stdout
    assert "missing  model ollama/llama3: the provider can't be reached" in ollama
    away = make_site(model="openai/own", model_api_base="http://127.0.0.1:1/v1")
    assert "openai/own: the provider can't be reached" in away.command("doctor", check=False).stdout
    rows = away.data_dir / "rows.jsonl"
    rows.write_text('{"text": "x", "label": "a"}\n')
    done = away.command("evaluate", str(rows), check=False)
    assert (done.returncode, "no row was answered" in done.stderr) == (1, True)


def test_doctor_says_what_is_missing(make_site: Callable[..., Site]) -> None:
    site = make_site()
    sick = site.command("doctor", check=False)
    assert sick.returncode == 1
    assert "missing  accounts" in sick.stdout
    site.create_account()
    assert "ok       accounts: 1" in site.command("doctor", check=False).stdout


def test_the_first_start_shows_a_working_key_once(make_site: Callable[..., Site]) -> None:
    site = make_site(migrated=False)
    with running(site) as first:
        pass
    said = first.output
    assert said.count("curl") == 1
    key = next(word for word in said.split() if word.startswith("cai_live_"))
    for page in ("/graphql", "/docs", "Dashboard"):
        assert page in said
    with running(site) as second, second.client(key) as client:
        assert client.get("/v1/usage").json()["plan"] == "enterprise"
    assert "cai_live_" not in second.output
    assert "/graphql" in second.output
