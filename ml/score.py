"""Scores the score split of an extract with a model version."""

import argparse
import logging
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.hadoop_files import write_bytes
from ml.drift import stability_index
from ml.examples import KEYS, inputs, read_examples, spark_session
from ml.features import SCORE
from ml.model import predict
from ml.versions import Version, load_version, to_json

log = logging.getLogger("ml.score")


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    spark = spark_session("score")
    version = load_version(spark, arguments.model)
    examples = read_examples(spark, arguments.examples, "score")
    probabilities = predict(version.model, inputs(examples, version.features))
    scores = score(spark, examples, probabilities, arguments.version)
    scores.coalesce(1).write.mode("overwrite").parquet(arguments.output)
    # Spark takes a name that begins with _ for no data.
    write_bytes(spark, f"{arguments.output}/_drift.json", to_json(report(examples, probabilities, version)))
    log.info("step=score version=%s rows=%d", arguments.version, len(examples))


def score(
    spark: SparkSession, examples: pd.DataFrame, probabilities: NDArray[np.float64], version: str
) -> DataFrame:
    """gold.customer_scores: keys, model_version, p_inactive_30d, and value_at_risk in the sales' currency.

    The value at risk is the probability times a month's sales, by the last 90 days.
    """
    frame = examples[[*KEYS, "sales_90"]].assign(p_inactive_30d=probabilities)
    schema = "snapshot_date DATE, customer_id BIGINT, sales_90 DOUBLE, p_inactive_30d DOUBLE"
    value_at_risk = F.round(F.col("p_inactive_30d") * F.col("sales_90") / 3, 2)
    return spark.createDataFrame(frame, schema).select(
        "customer_id",
        "snapshot_date",
        F.lit(version).alias("model_version"),
        "p_inactive_30d",
        value_at_risk.cast("decimal(38,9)").alias("value_at_risk"),
    )


def report(examples: pd.DataFrame, probabilities: NDArray[np.float64], version: Version) -> dict[str, Any]:
    """What tells drift: rows and customers, and `psi` of each feature and of the score against training."""
    reference = version.training["reference"]
    columns = zip(version.features, inputs(examples, version.features).T, strict=True)
    index = {name: stability_index(reference[name], values) for name, values in columns}
    return {
        "rows": len(examples),
        "customers": examples["customer_id"].nunique(),
        "psi": {**index, "score": stability_index(reference[SCORE], probabilities)},
    }


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", required=True, help="URI of the extract's folder")
    parser.add_argument("--model", required=True, help="URI of the version's folder")
    parser.add_argument("--version", required=True, help="the version's name, written with every score")
    parser.add_argument("--output", required=True, help="URI of the folder for the scores, replaced whole")
    return parser.parse_args(argv)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
