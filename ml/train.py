"""Fits a model version on the train and validation splits of an extract."""

import argparse
import logging
from typing import Any

import numpy as np
import pandas as pd
import yaml
from pyspark.sql import SparkSession

from medallion.hadoop_files import read_bytes
from ml.examples import inputs, labels, read_examples, spark_session
from ml.features import FEATURES
from ml.model import Split, TrainingSpec, libraries, train
from ml.versions import is_complete, save_version

log = logging.getLogger("ml.train")


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    spark = spark_session("train")
    if is_complete(spark, arguments.output):
        log.info("step=train version=%s: trained before, kept as it is", arguments.version)
        return
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
    document = _document(arguments.version, spec, history, training, validation)
    save_version(spark, arguments.output, model, document)
    log.info("step=train version=%s best_epoch=%d", arguments.version, document["best_epoch"])


def _document(
    version: str, spec: TrainingSpec, history: dict[str, list[float]], training: Split, validation: Split
) -> dict[str, Any]:
    """What training.json tells: how the version came about. No times, so that a retry writes the same."""
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


def _split(examples: pd.DataFrame, split: str) -> Split:
    rows = examples[examples["split"] == split]
    return Split(inputs(rows), labels(rows))


def read_spec(spark: SparkSession, config: str) -> TrainingSpec:
    """The training section of a model file, given as JSON or as the file's URI."""
    document = config if config.lstrip().startswith("{") else read_bytes(spark, config)
    training = yaml.safe_load(document)["training"]
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
