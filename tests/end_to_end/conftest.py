"""Runs the users' commands in a folder of its own, whose name has a space."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.airflow import AirflowApi
from local.following import ENDED

ROOT = Path(__file__).parents[2]
TIMEOUT = 1200  # seconds
PARTS = ("conf", "dags", "deploy", "local", "medallion", "ml", "spark_jobs", "sql")


@dataclass(frozen=True)
class Laptop:
    """A place for the local cloud's data, the code, and the commands that work on both."""

    local: Path
    root: Path = ROOT

    def run(self, *arguments: str) -> dict[str, Any]:
        """The summary of `make run`; fails with what the command printed when it does."""
        done = self.command("local.run", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((self.local / "run" / "summary.json").read_text())

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of `make query`."""
        done = self.command("local.query", "--format", "json", "--", sql)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def rows(self, selects: dict[str, str]) -> dict[str, dict[str, Any]]:
        """The one row of each select. They are asked for at once, for each query starts a warehouse."""
        asked = (
            f"(SELECT TO_JSON_STRING(t) FROM ({select}) AS t) AS {name}" for name, select in selects.items()
        )
        (found,) = self.query(f"SELECT {', '.join(asked)}")
        return {name: json.loads(row) for name, row in found.items()}

    def airflow(self) -> AirflowApi:
        """Airflow of the cloud that is up."""
        return AirflowApi(json.loads((self.local / "ports.json").read_text())["airflow"])

    def states(self, dag: str, run: str) -> dict[str, str]:
        """How each task of a run ended, once all have."""
        api = self.airflow()
        until(lambda: api.run(dag, run)["state"] in ENDED)
        return {task["task_id"]: task["state"] for task in api.tasks(dag, run)}

    def command(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "MEDALLION_LOCAL": str(self.local),
            "MEDALLION_ENVIRONMENT": "local",
            "PYTHONWARNINGS": "ignore::FutureWarning",
        }
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )


def until(holds: Callable[[], object]) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + TIMEOUT
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.5)


def checkout(root: Path) -> None:
    """A copy of the repository whose contracts may be edited, with the same virtual environments."""
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".local").mkdir()
    (root / ".local" / "venv").symlink_to(ROOT / ".local" / "venv")


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A laptop whose cloud is stopped in the end, whatever has happened to the command that started it."""
    local = tmp_path_factory.mktemp("a laptop") / "local"
    local.mkdir()
    made = Laptop(local)
    yield made
    made.command("local.up", "down")
