"""The cleaning job's command: where it takes its work from, and what it logs."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from medallion.errors import ConfigError, MedallionError
from medallion.manifest import Manifest, SourceFile
from spark_jobs import clean
from tests.spark_jobs.conftest import ROWS, Bronze, changed


def test_the_job_reads_its_manifest_from_a_uri(
    spark: SparkSession, document: dict[str, Any], bronze: Bronze, tmp_path: Path
) -> None:
    file = bronze.land_rows("a.csv", *ROWS)
    manifest = Manifest("orders", "r2", "release", document, (file,), str(tmp_path / "out"))
    (tmp_path / "manifest.json").write_text(manifest.to_json())
    clean.main(["--manifest", (tmp_path / "manifest.json").as_uri()])
    assert json.loads((tmp_path / "out/metrics.json").read_text())["rows"]["valid"] == 5


def test_the_job_runs_on_files_without_the_platform(
    spark: SparkSession, document: dict[str, Any], bronze: Bronze, tmp_path: Path
) -> None:
    file = bronze.land_rows("a.csv", *ROWS)
    (tmp_path / "contract.yaml").write_text(json.dumps(document))
    options = ["--contract", str(tmp_path / "contract.yaml"), "--output", str(tmp_path / "out")]
    clean.main([*options, "--input", file.uri])
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert (metrics["product"], metrics["rows"]["valid"]) == ("orders", 5)


def test_a_contract_that_is_not_there_is_told(tmp_path: Path, spark: SparkSession) -> None:
    options = ["--contract", f"{tmp_path}/gone.yaml", "--output", str(tmp_path / "out"), "--input", "a.csv"]
    with pytest.raises(ConfigError, match=r"gone\.yaml: the file: expected a file, got 'no such file'"):
        clean.main(options)


def test_keys_of_other_datasets_need_the_platform(
    spark: SparkSession, document: dict[str, Any], bronze: Bronze, tmp_path: Path
) -> None:
    document = changed(document, "code", relationships=[{"to": "products.product_id"}])
    (tmp_path / "contract.yaml").write_text(json.dumps(document))
    options = ["--contract", str(tmp_path / "contract.yaml"), "--output", str(tmp_path / "out")]
    with pytest.raises(MedallionError, match=r"contract\.yaml: relationships refer to products, whose keys"):
        clean.main([*options, "--input", bronze.land_rows("a.csv", *ROWS).uri])


def test_a_contract_that_is_wrong_is_named_by_its_run(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    wrong = {**document, "name": "a b"}
    manifest = Manifest("orders", "r4", "release", wrong, (), str(tmp_path / "out"))
    (tmp_path / "manifest.json").write_text(manifest.to_json())
    with pytest.raises(ConfigError, match=r"contract of run r4: name: expected"):
        clean.main(["--manifest", str(tmp_path / "manifest.json")])


def test_the_job_without_anything_to_clean_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        clean.main([])
    assert "give --manifest, or --contract with --input and --output" in capsys.readouterr().err


def test_the_log_names_product_run_and_step_and_no_values(
    spark: SparkSession,
    document: dict[str, Any],
    bronze: Bronze,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file: SourceFile = bronze.land_rows("a.csv", *ROWS)
    manifest = Manifest("orders", "r3", "release", document, (file,), str(tmp_path / "out"))
    (tmp_path / "manifest.json").write_text(manifest.to_json())
    with caplog.at_level(logging.INFO, logger="clean"):
        clean.main(["--manifest", str(tmp_path / "manifest.json")])
    counts = "{'read': 5, 'valid': 5, 'rejected': 0, 'duplicate': 0}"
    assert [r.getMessage() for r in caplog.records if r.name == "clean"] == [
        f"product=orders run=r3 step=clean {counts}"
    ]
