"""Runs bench/cleaning/measure.py in the virtual environment of a contender."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from bench.cleaning.paths import ENVIRONMENTS, LOGS, ROOT, WORK
from bench.cleaning.plan import Contender
from local.java import java_home
from medallion.errors import MedallionError


class ProcessError(MedallionError):
    """A contender's process could not run to its end."""


def run(contender: Contender, files: list[Path], output: Path) -> dict[str, Any]:
    """What measure.py tells of one measurement. Raises ProcessError with the cause, as the log gives it."""
    environment = ENVIRONMENTS / contender.environment
    python = environment / "bin" / "python"
    if not python.exists():
        raise ProcessError(
            f"{contender.name}: {environment.relative_to(ROOT)} is not there. Next: make bench."
        )
    log = LOGS / f"{contender.name}.log"
    for folder in (LOGS, WORK):
        folder.mkdir(parents=True, exist_ok=True)
    command = [str(python), "-m", "bench.cleaning.measure", contender.module, "--output", str(output)]
    with log.open("w") as errors:
        done = subprocess.run(
            [*command, *map(str, files)],
            cwd=ROOT,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            check=False,
        )
    if done.returncode:
        raise ProcessError(f"{contender.name}: {_cause(log)} Next: see {log.relative_to(ROOT)}.")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _environment() -> dict[str, str]:
    """Each virtual environment brings its own Spark, whatever the caller has set."""
    foreign = ("SPARK_", "PYSPARK_", "PYTHONPATH")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return inherited | {"JAVA_HOME": str(java_home()), "SPARK_LOCAL_DIRS": str(WORK)}


def _cause(log: Path) -> str:
    """The reason in a log, as Velox calls it, or else the last error."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    reasons = [line for line in lines if line.startswith("Reason: ")]
    errors = [line for line in lines if "Error" in line or "Exception" in line]
    return f"{(reasons or errors or ['no error in its log'])[-1][:200]}."
