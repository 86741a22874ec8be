"""The same job, unchanged, on a cluster of several workers and on little memory; what is logged meanwhile."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyspark
import pytest
import yaml

from local.spark_submit import environment
from medallion.documents import ROOT
from tests.spark_jobs.conftest import HEADER

Submit = Callable[..., dict[str, Any]]
CANARY = "canary"  # of each file's rejected row


@pytest.fixture
def submit(document: dict[str, Any], tmp_path: Path) -> Submit:
    """Runs the job by spark-submit on CSV files of a folder; returns its metrics."""
    (tmp_path / "orders.yaml").write_text(yaml.safe_dump(document))

    def submit(folder: Path, *options: str) -> dict[str, Any]:
        command = [str(Path(sys.executable).with_name("spark-submit")), *options]
        command += ["--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.driver.host=127.0.0.1"]
        command += ["--conf", "spark.ui.enabled=false", str(ROOT / "spark_jobs/clean.py")]
        command += ["--contract", str(tmp_path / "orders.yaml"), "--output", str(tmp_path / "out")]
        command += ["--input", *map(str, sorted(folder.iterdir()))]
        settings = {
            **environment(str(tmp_path / "work")),
            "PYTHONPATH": str(ROOT),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_HOME": str(spark_home(tmp_path)),
        }
        done = subprocess.run(
            command, env=settings, cwd=tmp_path, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr[-4000:]
        log = done.stdout + done.stderr
        assert "step=clean" in log and CANARY not in log
        return json.loads((tmp_path / "out/metrics.json").read_text())

    return submit


def spark_home(folder: Path) -> Path:
    """Spark as it is installed, in a folder of the test's own, where workers leave their logs."""
    home = folder / "spark"
    home.mkdir()
    for part in Path(pyspark.__file__).parent.iterdir():
        (home / part.name).symlink_to(part)
    return home


def land(folder: Path, files: int, rows: int) -> None:
    """Files of rows with keys of their own; the first row of each file comes again at its end."""
    folder.mkdir()
    for file in range(files):
        with (folder / f"{file}.csv").open("w") as target:
            target.write(f"{HEADER}\n")
            target.writelines(
                f"{file * rows + row + 1},2017-01-01 12:00:00,{row % 5000}.25,ABC\n" for row in range(rows)
            )
            target.write(f"{file * rows + 1},2017-01-01 12:00:00,0.25,ABC\n")
            target.write(f"x,2017-01-01 12:00:00,0.25,{CANARY}\n")


def test_two_workers_of_a_cluster_clean_as_one_process_does(submit: Submit, tmp_path: Path) -> None:
    land(tmp_path / "in", files=4, rows=1000)
    metrics = submit(tmp_path / "in", "--master", "local-cluster[2,1,1024]")
    assert metrics["rows"] == {"read": 4008, "valid": 4000, "rejected": 4, "duplicate": 4}
    assert [line["rows_valid"] for line in metrics["files"]] == [1000] * 4
    logs = [path.read_text() for path in (tmp_path / "spark" / "work").rglob("stderr")]
    assert any("Finished task" in log for log in logs) and not any(CANARY in log for log in logs)


@pytest.mark.slow
def test_a_gigabyte_passes_through_a_driver_of_one(submit: Submit, tmp_path: Path) -> None:
    land(tmp_path / "in", files=2, rows=12_500_000)
    size = sum(path.stat().st_size for path in (tmp_path / "in").iterdir())
    assert size > 10**9
    metrics = submit(tmp_path / "in", "--master", "local[2]", "--driver-memory", "1g")
    assert metrics["rows"] == {"read": 25_000_004, "valid": 25_000_000, "rejected": 2, "duplicate": 2}
