"""The cleaning job on files whose columns are not the contract's."""

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from tests.spark_jobs.conftest import HEADER, ROWS, changed, run

DRIFTED = {
    "new.csv": f"{HEADER},Loyalty Tier\n{ROWS[0]},gold\n".encode(),
    "new.jsonl": b'{"number": 2, "changed_at": "2017-01-01 12:00:00", "amount": 1, "loyalty_tier": "x"}\n',
    "old.csv": b"number,changed_at,amount\n3,2017-01-01 12:00:00,1.00\n",
    "typed.csv": f"{HEADER}\n4,01/01/2017,1.00,AB\n5,02/01/2017,1.00,AB\n{ROWS[4]}\n".encode(),
}


def test_drift_is_told_by_file_and_in_the_metrics(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    found = run(spark, document, tmp_path, DRIFTED)
    drift = found.metrics["drift"]
    assert drift["new_columns"] == {"loyalty_tier": 2}
    assert drift["missing_columns"] == {"code": 1}
    (note,) = drift["notes"]
    assert note.endswith("typed.csv: changed_at: 2 of 3 rows are of another type")
    lines = {Path(line["uri"]).name: line for line in found.metrics["files"]}
    assert lines["new.jsonl"]["new_columns"] == ["loyalty_tier"]
    assert (lines["old.csv"]["format"], lines["old.csv"]["header"]) == ("csv", "number,changed_at,amount")
    assert (lines["new.jsonl"]["format"], lines["new.jsonl"]["header"]) == ("json", "")


def test_evolved_values_are_in_the_rows(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    found = run(spark, changed(document, custom={"newColumns": "evolve"}), tmp_path, DRIFTED)
    extra = found.rows.where("extra IS NOT NULL").orderBy("id").select("id", "extra").collect()
    assert list(map(tuple, extra)) == [(1, '{"loyalty_tier":"gold"}'), (2, '{"loyalty_tier":"x"}')]
