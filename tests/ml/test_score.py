import datetime
import json
import shutil
from decimal import Decimal
from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession

from ml import score
from ml.examples import inputs
from ml.features import FEATURES
from ml.model import predict
from ml.versions import load_version


def _score(examples: str, version: str, output: Path) -> None:
    score.main(["--examples", examples, "--model", version, "--version", "v1", "--output", str(output)])


def test_every_eligible_customer_is_scored(
    spark: SparkSession, examples: str, extract: pd.DataFrame, version: str, tmp_path: Path
) -> None:
    _score(examples, version, tmp_path)
    scores = spark.read.parquet(str(tmp_path))
    assert scores.dtypes == [
        ("customer_id", "bigint"),
        ("snapshot_date", "date"),
        ("model_version", "string"),
        ("p_inactive_30d", "double"),
        ("value_at_risk", "decimal(38,9)"),
    ]
    rows = {row.customer_id: row for row in scores.collect()}
    eligible = extract[extract["split"] == "score"]
    expected = predict(load_version(spark, version).model, inputs(eligible))
    assert sorted(rows) == list(range(400))
    assert {(row.snapshot_date, row.model_version) for row in rows.values()} == {
        (datetime.date(2017, 10, 1), "v1")
    }
    assert [rows[customer].p_inactive_30d for customer in eligible["customer_id"]] == list(expected)


def test_value_at_risk_is_a_months_sales_by_the_probability_in_cents(
    spark: SparkSession, examples: str, extract: pd.DataFrame, version: str, tmp_path: Path
) -> None:
    _score(examples, version, tmp_path)
    row = spark.read.parquet(str(tmp_path)).where("customer_id = 17").first()
    sales = extract.query("split == 'score' and customer_id == 17")["sales_90"].item()
    assert row is not None
    assert row.value_at_risk == Decimal(f"{row.p_inactive_30d * sales / 3:.2f}")


def test_scoring_again_replaces_the_scores(
    spark: SparkSession, examples: str, version: str, tmp_path: Path
) -> None:
    _score(examples, version, tmp_path)
    _score(examples, version, tmp_path)
    assert spark.read.parquet(str(tmp_path)).count() == 400


def test_files_that_an_earlier_export_left_count_once(
    spark: SparkSession, examples: str, version: str, tmp_path: Path
) -> None:
    again = tmp_path / "examples"
    shutil.copytree(examples, again)
    shutil.copy(again / "part-0.parquet", again / "part-1.parquet")
    _score(str(again), version, tmp_path / "scores")
    assert spark.read.parquet(str(tmp_path / "scores")).count() == 400


def test_what_tells_drift_is_left_beside_the_scores(examples: str, version: str, tmp_path: Path) -> None:
    _score(examples, version, tmp_path)
    report = json.loads((tmp_path / "_drift.json").read_text())
    assert (report["rows"], report["customers"]) == (400, 400)
    assert report["psi"].keys() == {*FEATURES, "score"}
    # Other customers of the same kind: the index of 400 rows in ten bins is about 9 / 400 by chance.
    assert 0 < report["psi"]["recency_days"] < 0.1
