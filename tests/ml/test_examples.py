import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession

from ml.examples import read_examples
from ml.features import LABEL, RFM

ROOT = Path(__file__).resolve().parents[2]
ROWS_READ = """
import sys
from ml.examples import read_examples, spark_session
print("rows", len(read_examples(spark_session("examples"), sys.argv[1], "train", "test")))
"""


def test_only_the_features_that_are_asked_for_are_read(
    spark: SparkSession, examples: str, extract: pd.DataFrame
) -> None:
    rows = read_examples(spark, examples, "train", features=RFM)
    assert list(rows) == ["snapshot_date", "customer_id", "split", LABEL, *RFM]
    kept = extract.loc[extract["split"] == "train", "recency_days"]
    assert rows["recency_days"].tolist() == kept.tolist()


def test_more_rows_are_read_than_spark_lets_a_driver_have_by_itself(examples: str) -> None:
    """In a process of its own: the tests' session is there before, and the limit is read once."""
    conf = {"spark.driver.maxResultSize": "1k", "spark.ui.enabled": "false", "spark.master": "local[1]"}
    options = " ".join(f"--conf {name}={value}" for name, value in conf.items())
    done = subprocess.run(
        [sys.executable, "-c", ROWS_READ, examples],
        cwd=ROOT,
        env={**os.environ, "PYSPARK_SUBMIT_ARGS": f"{options} pyspark-shell", "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.endswith("rows 800\n"), done.stderr
