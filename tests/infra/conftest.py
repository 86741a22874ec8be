"""The configuration in infra/ as it evaluates for an environment, and copies to change."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.paths import EMULATORS
from medallion.documents import ROOT

PYTHON = EMULATORS.parents[1] / "infra" / "bin" / "python"
ENVIRONMENTS = ("dev", "prod")

Resources = dict[str, dict[str, Any]]


def evaluate(environment: str, *folders: Path) -> list[Resources]:
    """Each folder's resources by address; the environment that has the parser does it."""
    assert PYTHON.exists(), f"{PYTHON} is not there. Next: make test, which installs it."
    command = [str(PYTHON), "-m", "infra.checks.evaluate", environment, *map(str, folders)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def of(resources: Resources, *types: str) -> Resources:
    """The values of the resources of some types, by address."""
    return {name: item["values"] for name, item in resources.items() if item["type"] in types}


def copy(folder: Path) -> Path:
    """A copy of infra/ and conf/ to change; returns its infra/."""
    ignore = shutil.ignore_patterns("checks", "tests", "policies", "__pycache__", ".terraform")
    for name in ("infra", "conf"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    return folder / "infra"


@pytest.fixture(scope="session")
def environments() -> dict[str, Resources]:
    """The project's own configuration for each environment."""
    return {name: evaluate(name)[0] for name in ENVIRONMENTS}


@pytest.fixture(scope="session")
def dev(environments: dict[str, Resources]) -> Resources:
    return environments["dev"]
