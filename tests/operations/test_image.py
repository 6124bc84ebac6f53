"""The Dockerfile and docker-compose.yml, against the code and the files that they name."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from app.cli.main import cli
from app.cli.serve import GRACE_S
from app.settings import PREFIX, Settings
from tests.conftest import ROOT, Server
from tests.servers import free_port

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
# What compose asks its user to choose.
CHOSEN = {"POSTGRES_PASSWORD": "secret", "CLASSIFAILY_SECRET_KEY": "k" * 32}
OURS = [name for name, service in COMPOSE["services"].items() if "build" in service]


@dataclass(frozen=True)
class Step:
    """One instruction of the Dockerfile, in its stage."""

    stage: str
    name: str
    text: str


def steps() -> list[Step]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", lines, flags=re.MULTILINE))
    found: list[Step] = []
    stage = ""
    for line in filter(None, joined.splitlines()):
        name, _, text = line.partition(" ")
        if name == "FROM":
            stage = text.partition(" AS ")[2] or "image"
        found.append(Step(stage, name, text))
    return found


def only(name: str, *, stage: str = "image") -> str:
    (text,) = (step.text for step in steps() if (step.stage, step.name) == (stage, name))
    return text


def expand(text: str, **environment: str) -> str:
    """Fill in `${NAME:-default}` and `${NAME:?message}` as Compose does."""

    def fill(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        value = environment.get(name) or (rest if kind == ":-" else None)
        assert value is not None, f"{name} must be set: {rest}"
        return value

    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", fill, text)


def ignored() -> tuple[list[str], list[str]]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    return (
        [pattern[1:] for pattern in patterns if pattern.startswith("!")],
        [pattern for pattern in patterns if not pattern.startswith("!")],
    )


def test_what_is_copied_is_there() -> None:
    allowed, left_out = ignored()
    assert left_out[0] == "*"
    copied = [shlex.split(step.text) for step in steps() if step.name == "COPY"]
    sources = [source for words in copied if "--from" not in words[0] for source in words[:-1]]
    assert {"app", "web", "Makefile"} <= set(sources)
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for source in sources:
        assert any(name == source or name.startswith(f"{source}/") for name in tracked), source
        assert Path(source).parts[0] in allowed
    # What the build of a stage left is copied from a stage that exists, under a path it makes.
    stages = {step.stage for step in steps()}
    for words in copied:
        if words[0].startswith("--from="):
            assert words[0].removeprefix("--from=") in stages
            assert words[1].startswith(f"{only('WORKDIR')}/")


def test_the_image_is_small_pinned_and_not_root() -> None:
    assert all(re.fullmatch(r"python:\$\{PYTHON\}( AS \w+)?|packages AS models", step.text)
               for step in steps() if step.name == "FROM")  # fmt: skip
    version = re.fullmatch(r"PYTHON=(3\.\d+)-slim-\w+", only("ARG", stage=""))
    assert version
    assert version[1] in {"3.11", "3.12", "3.13", "3.14"}
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", only("USER"))
    assert "latest" not in (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for service in COMPOSE["services"].values():
        assert re.fullmatch(r"classifaily|\w+:\d+(-\w+)?", service["image"])


def test_the_models_are_prepared_in_the_image(prepared_models: Path, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(prepared_models)
    program, *options = shlex.split(only("RUN", stage="models"))
    assert program == ".venv/bin/python"
    subprocess.run(
        [sys.executable, *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )


def test_every_variable_is_a_setting() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    told = set(re.findall(r"(CLASSIFAILY_\w+)=", only("ENV")))
    for name in OURS:
        told |= {key for key in COMPOSE["services"][name]["environment"] if key.startswith(PREFIX)}
    assert len(told) >= 8
    assert told <= known
    documented = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert known == set(re.findall(r"^(CLASSIFAILY_\w+)=", documented, re.MULTILINE))


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_a_service_are_accepted(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for key, value in COMPOSE["services"][name]["environment"].items():
        monkeypatch.setenv(key, expand(value, **CHOSEN))
    settings = Settings()
    assert settings.secret_keys == (CHOSEN["CLASSIFAILY_SECRET_KEY"],)
    assert settings.database_url == "postgres://classifaily:secret@postgres:5432/classifaily"
    assert settings.broker_url == "redis://redis:6379/0"
    assert (settings.host, settings.port) == ("0.0.0.0", 8000)  # noqa: S104


@pytest.mark.parametrize("name", OURS)
def test_the_command_of_a_service_is_one_of_ours(name: str) -> None:
    assert only("ENTRYPOINT") == '["python", "-m", "app"]'
    command, *options = [expand(word) for word in COMPOSE["services"][name]["command"]]
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    # Raises when an option does not exist or has a bad value.
    found.make_context(command, options)


def test_services_wait_for_what_they_need() -> None:
    services = COMPOSE["services"]
    for name in OURS:
        for other, how in services[name]["depends_on"].items():
            if other == "migrate":
                assert how["condition"] == "service_completed_successfully"
            else:
                assert how["condition"] == "service_healthy"
                assert "test" in services[other]["healthcheck"]
        assert services[name]["read_only"] is True
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > GRACE_S
    assert {"migrate", "postgres", "redis"} == set(services["web"]["depends_on"])
    assert {"migrate", "postgres", "redis"} == set(services["worker"]["depends_on"])
    used = {
        volume.partition(":")[0]
        for service in services.values()
        for volume in service.get("volumes", [])
    }
    assert used == set(COMPOSE["volumes"])


def test_a_password_must_be_chosen() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert len(re.findall(r"\$\{POSTGRES_PASSWORD:\?[^}]+\}", text)) == 2
    assert "${POSTGRES_PASSWORD}" not in text
    assert re.search(r"\$\{CLASSIFAILY_SECRET_KEY:\?[^}]+\}", text)
    with pytest.raises(AssertionError, match="must be set"):
        expand(COMPOSE["services"]["web"]["environment"]["CLASSIFAILY_DATABASE_URL"])


def probes() -> dict[str, list[str]]:
    """Every health check that is a Python program, by where it stands."""
    found = {"Dockerfile": yaml.safe_load(only("HEALTHCHECK").partition("CMD ")[2])}
    for name in OURS:
        test = COMPOSE["services"][name]["healthcheck"].get("test")
        if test:
            found[name] = test[1:]
    return found


@pytest.mark.parametrize("where", sorted(probes()))
def test_a_health_check_tells_well_from_ill(where: str, server: Server) -> None:
    program = probes()[where]
    assert program[:2] == ["python", "-c"]
    alive, dead = server.base_url.rpartition(":")[2], str(free_port())
    for port, healthy in ((alive, True), (dead, False)):
        # The port is the service's own in the container; here it is the test server's.
        code = re.sub(r":(8000|9100)/", f":{port}/", program[2])
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "CLASSIFAILY_PORT": port},
            capture_output=True,
            check=False,
        )
        assert (done.returncode == 0) is healthy, done.stderr
