"""Reads the frozen extract of sql/training/examples.sql, and what was noted of it."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from medallion.errors import MedallionError
from medallion.hadoop_files import read_bytes
from ml.features import FEATURES, LABEL

KEYS = ("snapshot_date", "customer_id")


def spark_session(name: str) -> SparkSession:
    """The job's session; rows pass between Spark and pandas as Arrow, not one by one, in any number."""
    builder = SparkSession.builder.appName(name)
    builder = builder.config("spark.sql.execution.arrow.pyspark.enabled", "true")
    # Spark stops a job at 1 GiB of result. The rows are meant for the driver: its memory is their limit.
    return builder.config("spark.driver.maxResultSize", "0").getOrCreate()


def read_examples(
    spark: SparkSession, uri: str, *splits: str, features: Sequence[str] = FEATURES
) -> pd.DataFrame:
    """Keys, split, label (NaN when unknown) and features of the splits, features as float64.

    An export that was tried again may have left files of its first try, with the same rows. Raises
    MedallionError when a split has no rows.
    """
    wanted = [F.col(name).cast("double").alias(name) for name in (LABEL, *features)]
    rows = spark.read.parquet(uri).where(F.col("split").isin(*splits)).select(*KEYS, "split", *wanted)
    rows = rows.dropDuplicates(list(KEYS))
    # An extract has no order of its own, and shuffling with a seed only repeats itself on the same order.
    frame = pd.DataFrame(rows.toPandas()).sort_values(list(KEYS), ignore_index=True)
    missing = sorted(set(splits) - set(frame["split"]))
    if missing:
        raise MedallionError(
            f"{uri}: expected rows of the splits {', '.join(splits)}, got none of {', '.join(missing)}. "
            "Next: see the counts of the snapshot step, and whether gold.customer_features has its dates."
        )
    return frame


def read_origin(spark: SparkSession, uri: str) -> dict[str, Any]:
    """What the snapshot step noted of an extract: dates, the fingerprint of its data, the code's release."""
    origin: dict[str, Any] = json.loads(read_bytes(spark, f"{uri}/_plan.json"))
    return origin


def inputs(frame: pd.DataFrame, features: Sequence[str] = FEATURES) -> NDArray[np.float32]:
    """The model's inputs, (rows, features), in the order of the features.

    Raises MedallionError where the rows lack one of them.
    """
    missing = missing_features(frame, features)
    if missing:
        raise MedallionError(
            f"Features: expected {', '.join(missing)}, with which the model was made, got none. "
            "Next: see why no version on today's features was promoted, or deploy the release before."
        )
    return frame[list(features)].to_numpy(np.float32)


def missing_features(frame: pd.DataFrame, features: Sequence[str]) -> list[str]:
    """Those of a model's features that the rows don't have: later releases may be without."""
    return [name for name in features if name not in frame]


def labels(frame: pd.DataFrame) -> NDArray[np.float64]:
    """1.0 for a customer who placed no order in the horizon, else 0.0."""
    return frame[LABEL].to_numpy(np.float64)
