"""Fits a model version on the train and validation splits of an extract."""

import argparse
import logging
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from medallion.hadoop_files import read_bytes
from medallion.snapshots import HORIZON_DAYS
from ml.drift import reference
from ml.examples import inputs, labels, read_examples, read_origin, spark_session
from ml.features import FEATURES, SCORE
from ml.model import Split, TrainingSpec, libraries, predict, train
from ml.versions import archive_version, is_archived, unpack_version

# A feature's range in the model card, as quantiles of the training rows.
RANGE = {"least": 0.0, "p1": 0.01, "median": 0.5, "p99": 0.99, "most": 1.0}

log = logging.getLogger("ml.train")


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    spark = spark_session("train")
    if is_archived(spark, arguments.output):
        log.info("step=train version=%s: trained before, kept as it is", arguments.version)
    else:
        _fit(spark, arguments)
    unpack_version(spark, arguments.output)


def _fit(spark: SparkSession, arguments: argparse.Namespace) -> None:
    spec = read_spec(spark, arguments.model_config)
    examples = read_examples(spark, arguments.examples, "train", "validation")
    training, validation = _split(examples, "train"), _split(examples, "validation")
    log.info(
        "step=train version=%s rows=%d validation_rows=%d epochs<=%d",
        arguments.version,
        len(training.labels),
        len(validation.labels),
        spec.epochs,
    )
    model, history = train(spec, FEATURES, training, validation)
    origin = read_origin(spark, arguments.examples)
    document = {
        **_document(arguments.version, spec, history, training, validation),
        "trained_until": trained_until(examples).isoformat(),
        "origin": origin,
        **_rows_seen(training.inputs, predict(model, training.inputs)),
    }
    archive_version(spark, arguments.output, model, document)
    log.info("step=train version=%s best_epoch=%d", arguments.version, document["best_epoch"])


def trained_until(examples: pd.DataFrame) -> date:
    """The last date that the labels of training and validation rows look at."""
    last: date = examples["snapshot_date"].max()
    return last + timedelta(HORIZON_DAYS)


def _document(
    version: str, spec: TrainingSpec, history: dict[str, list[float]], training: Split, validation: Split
) -> dict[str, Any]:
    """What training.json tells of the fit. No times: the same fit is told by the same bytes."""
    return {
        "version": version,
        "features": list(FEATURES),
        "seed": spec.seed,
        "rows": {"train": len(training.labels), "validation": len(validation.labels)},
        "positives": {"train": int(training.labels.sum()), "validation": int(validation.labels.sum())},
        "best_epoch": int(np.argmin(history["val_loss"])) + 1,
        "history": history,
        "libraries": libraries(),
    }


def _rows_seen(rows: NDArray[np.float32], scores: NDArray[np.float64]) -> dict[str, Any]:
    """What training.json tells of the training rows: each feature's range, and what drift is told by."""
    columns = {**dict(zip(FEATURES, rows.T, strict=True)), SCORE: scores}
    return {
        "ranges": {
            name: dict(zip(RANGE, map(float, np.quantile(columns[name], list(RANGE.values()))), strict=True))
            for name in FEATURES
        },
        "reference": {name: reference(values) for name, values in columns.items()},
    }


def _split(examples: pd.DataFrame, split: str) -> Split:
    rows = examples[examples["split"] == split]
    return Split(inputs(rows), labels(rows))


def read_spec(spark: SparkSession, config: str) -> TrainingSpec:
    """The training section of a model file, given as JSON or as the file's URI."""
    document = config if config.lstrip().startswith("{") else read_bytes(spark, config)
    return training_spec(yaml.safe_load(document)["training"])


def training_spec(training: dict[str, Any]) -> TrainingSpec:
    """The training section of a model file."""
    return TrainingSpec(**{**training, "hidden_units": tuple(training["hidden_units"])})


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", required=True, help="URI of the extract's folder")
    parser.add_argument("--output", required=True, help="URI of the version's folder")
    parser.add_argument("--model-config", required=True, help="the model file: URI, or content as JSON")
    parser.add_argument("--version", required=True, help="the version's name")
    return parser.parse_args(argv)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
