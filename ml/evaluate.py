"""Measures a model version, and the live one beside it, on the test split of an extract."""

import argparse
import json
import logging
from typing import Any

import pandas as pd

from medallion.errors import MedallionError
from medallion.hadoop_files import exists, read_bytes, write_bytes
from ml.examples import inputs, labels, read_examples, spark_session
from ml.features import BASELINE
from ml.metrics import auc, base_log_loss, summarize
from ml.model import predict
from ml.versions import Version, load_version, to_json

METRICS = "metrics.json"

log = logging.getLogger("ml.evaluate")


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    spark = spark_session("evaluate")
    target = f"{arguments.output}/{METRICS}"
    challenger = load_version(spark, arguments.model)
    champion = load_version(spark, arguments.champion) if arguments.champion else None
    if exists(spark, target):
        before = json.loads(read_bytes(spark, target))["champion"]
        if (before and before["version"]) == (champion and champion.name):
            log.info("step=evaluate output=%s: evaluated against that champion before, kept", target)
            return
    metrics = evaluate(read_examples(spark, arguments.examples, "test"), challenger, champion)
    # The only file of a version that may change: when another version has gone live meanwhile.
    write_bytes(spark, target, to_json(metrics), overwrite=True)
    log.info(
        "step=evaluate version=%s rows=%d auc=%.4f skill=%.4f ece=%.4f",
        *(metrics[key] for key in ("version", "n", "auc", "skill", "ece")),
    )


def evaluate(examples: pd.DataFrame, challenger: Version, champion: Version | None) -> dict[str, Any]:
    """The content of metrics.json.

    `snapshot_date` of the test; `n` rows, `positives`, `base_rate`; `base_log_loss` of predicting the base
    rate; `baseline_auc` of the rule "fewer active weeks"; of the challenger `version`, `auc`, `pr_auc`,
    `log_loss`, `skill`, `ece`, `mean_prediction`; `champion`: the same seven of the live model on the same
    rows, or null. Raises MedallionError when the labels are all alike.
    """
    truth = labels(examples)
    positives = int(truth.sum())
    if positives in (0, len(truth)):
        raise MedallionError(
            f"Test split: expected active and inactive customers, got {positives} inactive of {len(truth)}. "
            "Next: see whether gold.customer_daily is complete for the 30 days after the test snapshot."
        )
    return {
        "snapshot_date": examples["snapshot_date"].max().isoformat(),
        "n": len(truth),
        "positives": positives,
        "base_rate": positives / len(truth),
        "base_log_loss": base_log_loss(truth),
        "baseline_auc": auc(truth, -examples[BASELINE].to_numpy()),
        **_measure(challenger, examples),
        "champion": _measure(champion, examples) if champion else None,
    }


def _measure(version: Version, examples: pd.DataFrame) -> dict[str, Any]:
    probabilities = predict(version.model, inputs(examples, version.features))
    return {"version": version.name, **summarize(labels(examples), probabilities)}


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", required=True, help="URI of the extract's folder")
    parser.add_argument("--model", required=True, help="URI of the folder of the version to measure")
    parser.add_argument("--champion", help="URI of the live version's folder, if one is live")
    parser.add_argument("--output", required=True, help=f"URI of the folder for {METRICS}")
    return parser.parse_args(argv)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
