import json
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from medallion.errors import MedallionError
from ml import evaluate
from ml.features import LABEL
from ml.versions import load_version

FIGURES = {"version", "auc", "pr_auc", "log_loss", "skill", "ece", "mean_prediction"}


def test_metrics_measure_the_test_split(
    examples: str, extract: pd.DataFrame, version: str, tmp_path: Path
) -> None:
    evaluate.main(["--examples", examples, "--model", version, "--output", str(tmp_path)])
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    positives = int(extract.loc[extract["split"] == "test", LABEL].sum())
    assert metrics.keys() == FIGURES | {
        "snapshot_date",
        "n",
        "positives",
        "base_rate",
        "base_log_loss",
        "baseline_auc",
        "champion",
    }
    assert metrics["snapshot_date"] == "2017-09-01"
    assert (metrics["n"], metrics["positives"]) == (400, positives)
    assert metrics["base_rate"] == positives / 400
    assert metrics["auc"] > 0.6 > metrics["baseline_auc"]
    assert metrics["champion"] is None


def test_the_live_model_is_measured_on_the_same_rows(examples: str, version: str, tmp_path: Path) -> None:
    evaluate.main(
        ["--examples", examples, "--model", version, "--champion", version, "--output", str(tmp_path)]
    )
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["champion"] == {key: metrics[key] for key in FIGURES}


def test_metrics_are_written_once(examples: str, version: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"champion": null}')
    evaluate.main(["--examples", examples, "--model", version, "--output", str(tmp_path)])
    assert (tmp_path / "metrics.json").read_text() == '{"champion": null}'


def test_labels_that_are_all_alike_are_refused(
    spark: SparkSession, extract: pd.DataFrame, version: str
) -> None:
    inactive = extract[extract["split"] == "test"].assign(**{LABEL: 1.0})
    with pytest.raises(MedallionError, match="got 400 inactive of 400"):
        evaluate.evaluate(inactive, load_version(spark, version), None)
