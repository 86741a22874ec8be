"""What the certificate's Dataproc keeps of a driver, to give it again."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.spark_runs import Run, RunTable
from local.spark_submit import Settings
from medallion.manifest import Manifest
from tests.dags.certificate.dataproc import Drivers
from tests.dags.certificate.faults import Fault, Plan

REPEAT = Fault("control", "clean", "spark", "drive", "repeat rows")


def test_what_a_fault_has_made_of_a_manifest_is_not_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lake" / "run"

    def drive(*_: Any) -> int:
        (folder / "rows").mkdir(parents=True, exist_ok=True)
        (folder / "rows" / "part-0").touch()
        return 0

    monkeypatch.setattr(RunTable, "drive", drive)
    plan = Plan()
    plan.at_work("clean", "executing")
    plan.arm([REPEAT])
    drivers = Drivers(Settings(tmp_path, "staging"), tmp_path / "record", plan, tmp_path / "known")
    (tmp_path / "manifest.json").write_text(Manifest("p", "r", "v", {}, (), "gs://lake/run").to_json())
    run: Run = SimpleNamespace(application=SimpleNamespace(args=["gs://manifest.json"]))  # type: ignore[assignment]
    rows = []
    for _ in range(3):
        assert drivers.drive(run, tmp_path / "output") == 0
        rows.append(len(list((folder / "rows").iterdir())))
        shutil.rmtree(folder / "rows")
    assert (rows, drivers.driven, drivers.wrong) == ([2, 1, 1], 2, [])
