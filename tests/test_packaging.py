"""What an installed package holds: `pip install classifaily[image]` has no checkout beside it."""

import subprocess
import tomllib

from tests.conftest import ROOT


def test_a_package_holds_every_file_that_the_code_reads() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["app"]
    held = {
        str(path.relative_to(ROOT)) for pattern in patterns for path in (ROOT / "app").glob(pattern)
    }
    listed = subprocess.run(
        ["git", "ls-files", "app"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tracked = {name for name in listed.stdout.splitlines() if not name.endswith(".py")}
    assert tracked <= held
    assert "app/web/static/dashboard.html" in held
    assert not any(name.endswith(".pyc") for name in held)
