"""Measures a model version, and the live one beside it, on the test split of an extract."""

import argparse
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

from medallion.errors import MedallionError
from medallion.hadoop_files import exists, read_bytes, write_bytes
from ml import baselines, curves
from ml.bootstrap import interval, resample
from ml.card import card_html, card_markdown
from ml.examples import inputs, labels, missing_features, read_examples, spark_session
from ml.features import BASELINE, RFM, SLICES
from ml.metrics import Floats, base_log_loss, measure, once, ranking
from ml.model import predict
from ml.versions import Version, load_version, to_json

METRICS, MARKDOWN, HTML = "metrics.json", "card.md", "card.html"

log = logging.getLogger("ml.evaluate")


@dataclass(frozen=True)
class Forecast:
    """What a version says of the test rows, and the last date that it learned from (ISO)."""

    version: str
    probabilities: Floats
    trained_until: str


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    spark = spark_session("evaluate")
    version = load_version(spark, arguments.model)
    target = f"{arguments.output}/{METRICS}"
    if exists(spark, target):
        log.info("step=evaluate output=%s: evaluated before, kept", target)
    else:
        write_bytes(spark, target, to_json(_evaluated(spark, arguments, version)))
    # A retry on another processor would measure other last digits: the card is made of what is kept.
    metrics = json.loads(read_bytes(spark, target))
    write_bytes(spark, f"{arguments.output}/{MARKDOWN}", card_markdown(metrics, version.training).encode())
    write_bytes(spark, f"{arguments.output}/{HTML}", card_html(metrics, version.training).encode())
    log.info(
        "step=evaluate version=%s rows=%d auc=%.4f skill=%.4f ece=%.4f",
        *(metrics[key] for key in ("version", "n", "auc", "skill", "ece")),
    )


def _evaluated(spark: SparkSession, arguments: argparse.Namespace, version: Version) -> dict[str, Any]:
    training = read_examples(spark, arguments.examples, "train", features=RFM)
    test = read_examples(spark, arguments.examples, "test")
    champion = load_version(spark, arguments.champion) if arguments.champion else None
    lacking = missing_features(test, champion.features) if champion else []
    held_against = forecast(champion, test) if champion and not lacking else None
    metrics = evaluate(training, test, forecast(version, test), held_against)
    if champion and lacking:
        # Nothing tells how it would do without what it was made with; its name tells whose place is taken.
        metrics["champion"] = {"version": champion.name, "lacking": lacking}
    return metrics


def forecast(version: Version, rows: pd.DataFrame) -> Forecast:
    """A version's forecast of rows."""
    probabilities = predict(version.model, inputs(rows, version.features))
    return Forecast(version.name, probabilities, version.training["trained_until"])


@np.errstate(divide="ignore", invalid="ignore")  # of few positives a draw may hold none
def evaluate(
    training: pd.DataFrame, test: pd.DataFrame, challenger: Forecast, champion: Forecast | None
) -> dict[str, Any]:
    """The content of metrics.json; see docs/model.md for its keys.

    The training rows are for what needs no network: they have at least the features of RFM. Raises
    MedallionError when the labels are all alike.
    """
    truth = labels(test)
    positives = int(truth.sum())
    if positives in (0, len(truth)):
        raise MedallionError(
            f"Test split: expected active and inactive customers, got {positives} inactive of {len(truth)}. "
            "Next: see whether gold.customer_daily is complete for the 30 days after the test snapshot."
        )
    counts = resample(test["customer_id"].to_numpy())
    own = measure(truth, challenger.probabilities, counts)
    rivals = {
        "base_rate": measure(truth, baselines.base_rate(training, test), counts),
        "fewer_active_weeks": ranking(truth, -test[BASELINE].to_numpy(np.float64), counts),
        "rfm_logistic": measure(truth, baselines.rfm_logistic(training, test), counts),
    }
    beside = {**rivals, "champion": measure(truth, champion.probabilities, counts)} if champion else rivals
    return {
        "version": challenger.version,
        "trained_until": challenger.trained_until,
        "snapshot_date": test["snapshot_date"].max().isoformat(),
        "n": len(truth),
        "positives": positives,
        "base_rate": positives / len(truth),
        "base_log_loss": float(base_log_loss(truth, once(truth))[0]),
        **_points(own),
        "intervals": {name: interval(figures[1:]) for name, figures in own.items()},
        "baselines": {name: _points(figures) for name, figures in rivals.items()},
        "champion": champion and _told(champion, beside["champion"]),
        "differences": {name: _differences(own, figures) for name, figures in beside.items()},
        "slices": list(_slices(test, challenger.probabilities)),
        "curves": {
            "reliability": curves.reliability(truth, challenger.probabilities),
            "roc": curves.roc(truth, challenger.probabilities),
            "lift": curves.lift(truth, challenger.probabilities),
        },
    }


def _told(champion: Forecast, figures: dict[str, Floats]) -> dict[str, Any]:
    return {"version": champion.version, "trained_until": champion.trained_until, **_points(figures)}


def _points(figures: dict[str, Floats]) -> dict[str, float]:
    return {name: float(draws[0]) for name, draws in figures.items()}


def _differences(own: dict[str, Floats], other: dict[str, Floats]) -> dict[str, dict[str, float]]:
    """By how much the challenger's figures are above another's on the same customers, draw by draw."""
    differences = {name: own[name] - figures for name, figures in other.items()}
    ends = {name: interval(draws[1:]) for name, draws in differences.items()}
    return {
        name: {"value": float(draws[0]), "low": ends[name][0], "high": ends[name][1]}
        for name, draws in differences.items()
    }


def _slices(test: pd.DataFrame, probabilities: Floats) -> Iterator[dict[str, Any]]:
    """Figures of the customers of each slice; auc is null where the labels are all alike."""
    truth = labels(test)
    for name, starts in SLICES.items():
        bounds = [-np.inf, *starts, np.inf]
        for low, high in pairwise(bounds):
            rows = ((test[name] >= low) & (test[name] < high)).to_numpy()
            if not rows.any():
                continue
            told, positives = _slice_name(low, high), truth[rows].sum()
            ranked = 0 < positives < rows.sum()
            auc = ranking(truth[rows], probabilities[rows], once(truth[rows]))["auc"] if ranked else None
            yield {
                "feature": name,
                "values": told,
                "n": int(rows.sum()),
                "positives": int(positives),
                "base_rate": float(truth[rows].mean()),
                "mean_prediction": float(probabilities[rows].mean()),
                "auc": None if auc is None else float(auc[0]),
            }


def _slice_name(low: float, high: float) -> str:
    if low == -np.inf:
        return f"below {high:g}"
    return f"{low:g} and more" if high == np.inf else f"{low:g} to below {high:g}"


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", required=True, help="URI of the extract's folder")
    parser.add_argument("--model", required=True, help="URI of the folder of the version to measure")
    parser.add_argument("--champion", help="URI of the live version's folder, if one is live")
    parser.add_argument("--output", required=True, help=f"URI of the folder for {METRICS} and the card")
    return parser.parse_args(argv)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
