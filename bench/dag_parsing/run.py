"""`make bench-parsing`: how long Airflow takes to parse hundreds of products, beside dag-factory."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from medallion.documents import ROOT

FACTORY = ROOT / ".local" / "venv" / "dag_factory"  # beside the pipeline's packages: both have one Airflow
NUMBER, ROUNDS = 500, 3
NAMED = "dag-factory, providers named"
SECONDS, TIMES = 10, 3  # the bars: at most, and at least so many times faster


@dataclass(frozen=True)
class Contender:
    """A DAG file, what it may import, and the DAG that a task asks for, if one does."""

    name: str
    file: Path
    paths: tuple[Path, ...]
    dag: str | None = None

    def parse(self, home: Path) -> dict[str, Any]:
        """Parses the file in a new process; returns seconds, DAGs and tasks."""
        command = [sys.executable, "-W", "ignore", "-m", "bench.dag_parsing.parse", str(self.file)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (*self.paths, ROOT))),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.file.parent),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
            "DO_NOT_TRACK": "1",  # dag-factory tells its makers of each use
        }
        command += ["--dag", self.dag] if self.dag else []
        done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=True)
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        contenders = lay_out(Path(folder), NUMBER)
        rounds = [
            {contender.name: contender.parse(Path(folder)) for contender in contenders} for _ in range(ROUNDS)
        ]
    return report(rounds)


def lay_out(folder: Path, number: int) -> list[Contender]:
    """Writes so many products for each contender."""
    from bench.dag_parsing.configuration import factory_files, product_files  # which loads Airflow

    ours = product_files(folder / "ours", number)
    theirs, named = factory_files(folder / "theirs", number)
    paths = (ours.parents[1], ours.parent)
    return [
        Contender("ours", ours, paths),
        Contender("ours, at a task's start", ours, paths, "product_000"),
        Contender("dag-factory", theirs, (FACTORY,)),
        Contender(NAMED, named, (FACTORY,)),
    ]


def report(rounds: list[dict[str, dict[str, Any]]]) -> int:
    """Prints the medians and whether they meet the bars; returns 1 where they don't."""
    table = Table("Contender", "DAGs", "Tasks", "CPU seconds", "Wall seconds")
    seconds = {}
    for name, first in rounds[0].items():
        if first["errors"]:
            raise RuntimeError(f"{name}: {first['errors']}")
        seconds[name] = median(taken[name]["cpu"] for taken in rounds)
        wall = median(taken[name]["wall"] for taken in rounds)
        table.add_row(name, str(first["dags"]), str(first["tasks"]), f"{seconds[name]:.2f}", f"{wall:.2f}")
    if rounds[0]["ours"]["tasks"] != rounds[0]["dag-factory"]["tasks"]:
        raise RuntimeError("The contenders do not have the same number of tasks.")
    times, named = (seconds[name] / seconds["ours"] for name in ("dag-factory", NAMED))
    met = seconds["ours"] < SECONDS and times >= TIMES
    console = Console(highlight=False)
    console.print(table)
    console.print(f"dag-factory takes {times:.1f} times the CPU of ours, which has to be {TIMES} or more;")
    console.print(f"in a loader that names the providers, as ours does, {named:.1f} times, held to no bar.")
    console.print(f"Ours has to take less than {SECONDS} s. The bars are {'met' if met else 'not met'}.")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
