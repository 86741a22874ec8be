import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from medallion.errors import MedallionError
from ml import evaluate, score
from ml.features import FEATURES, LABEL
from ml.versions import load_version

FIGURES = {"auc", "pr_auc", "log_loss", "skill", "ece", "mean_prediction"}
RANKING = {"auc", "pr_auc"}
CHARTS = ["Reliability", "ROC", "Lift"]


@pytest.fixture(scope="module")
def evaluated(examples: str, version: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an evaluation of the version beside itself."""
    folder = tmp_path_factory.mktemp("evaluated")
    asked = ["--examples", examples, "--model", version, "--champion", version, "--output", str(folder)]
    evaluate.main(asked)
    return folder


@pytest.fixture
def metrics(evaluated: Path) -> dict:
    return json.loads((evaluated / "metrics.json").read_text())


def test_metrics_measure_the_test_split(metrics: dict, extract: pd.DataFrame) -> None:
    positives = int(extract.loc[extract["split"] == "test", LABEL].sum())
    assert metrics["snapshot_date"] == "2017-09-01"
    assert (metrics["n"], metrics["positives"]) == (400, positives)
    assert metrics["base_rate"] == positives / 400
    assert metrics["auc"] > 0.6 > metrics["baselines"]["fewer_active_weeks"]["auc"]


def test_metrics_tell_what_the_version_has_learned_from(metrics: dict) -> None:
    # 30 days after the validation snapshot.
    assert metrics["trained_until"] == metrics["champion"]["trained_until"] == "2017-08-31"


def test_every_figure_has_an_interval(metrics: dict) -> None:
    assert metrics["intervals"].keys() == FIGURES
    low, high = metrics["intervals"]["auc"]
    assert low < metrics["auc"] < high
    assert high - low < 0.2


def test_every_baseline_is_measured_on_the_same_rows(metrics: dict) -> None:
    measured = {name: set(figures) for name, figures in metrics["baselines"].items()}
    assert measured == {"base_rate": FIGURES, "fewer_active_weeks": RANKING, "rfm_logistic": FIGURES}
    assert metrics["baselines"]["base_rate"]["auc"] == 0.5
    difference = metrics["differences"]["base_rate"]["auc"]
    assert difference["value"] == pytest.approx(metrics["auc"] - 0.5)
    assert difference["low"] == pytest.approx(metrics["intervals"]["auc"][0] - 0.5)


def test_a_version_differs_from_itself_by_nothing(metrics: dict) -> None:
    assert {name: metrics["champion"][name] for name in FIGURES} == {name: metrics[name] for name in FIGURES}
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert metrics["differences"]["champion"] == dict.fromkeys(
        ["auc", "pr_auc", "log_loss", "skill", "ece", "mean_prediction"], nothing
    )


def test_the_slices_of_a_feature_add_up(metrics: dict) -> None:
    slices = [part for part in metrics["slices"] if part["feature"] == "recency_days"]
    assert [part["values"] for part in slices] == ["below 7", "7 to below 30", "30 and more"]
    assert sum(part["n"] for part in slices) == metrics["n"]
    assert sum(part["positives"] for part in slices) == metrics["positives"]


def test_the_curves_end_where_they_have_to(metrics: dict) -> None:
    curves = metrics["curves"]
    assert len(curves["reliability"]) == 10
    assert (curves["roc"][0][0], curves["roc"][-1]) == (0.0, [1.0, 1.0])
    assert curves["lift"][0][1] > 1 == curves["lift"][-1][1]


@pytest.mark.parametrize("name", ["card.md", "card.html"])
def test_the_card_tells_what_the_version_is_made_of(evaluated: Path, metrics: dict, name: str) -> None:
    card = (evaluated / name).read_text()
    assert "f1 (365 partitions)" in card
    assert "r1" in card
    assert f"{metrics['auc']:.4f}" in card
    assert "logistic regression on RFM, AUC" in card
    for feature in FEATURES:
        assert re.search(rf"\b{feature}\b", card)


def test_the_page_draws_its_charts_and_asks_for_no_other_file(evaluated: Path) -> None:
    page = (evaluated / "card.html").read_text()
    svgs = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page)]
    assert [svg.attrib["aria-label"] for svg in svgs] == CHARTS
    for svg in svgs:
        lines = {line.attrib["class"]: line.attrib["points"].split() for line in svg.iter("polyline")}
        assert lines.keys() == {"model", "beside"}
        assert len(lines["model"]) >= 10
    assert not re.search(r"(src|href)=\"(?!data:)|<script|@import|url\(", page)


def test_a_retry_keeps_the_evaluation_and_makes_the_card_of_it(
    metrics: dict, version: str, tmp_path: Path
) -> None:
    written = json.dumps({**metrics, "auc": 0.12345})  # of another processor, say, that was killed next
    (tmp_path / "metrics.json").write_text(written)
    for _ in range(2):
        evaluate.main(["--examples", "/no/such/extract", "--model", version, "--output", str(tmp_path)])
        assert (tmp_path / "metrics.json").read_text() == written
        for name in ("card.md", "card.html"):
            assert "Area under the curve: 0.1235." in (tmp_path / name).read_text()


def test_a_first_version_is_held_against_nobody(
    spark: SparkSession, extract: pd.DataFrame, version: str
) -> None:
    training, test = (extract[extract["split"] == name] for name in ("train", "test"))
    metrics = evaluate.evaluate(training, test, evaluate.forecast(load_version(spark, version), test), None)
    assert metrics["champion"] is None
    assert "champion" not in metrics["differences"]


def test_a_live_version_whose_features_are_no_more_is_named_and_not_measured(
    examples: str, version: str, tmp_path: Path
) -> None:
    live = tmp_path / "live"
    shutil.copytree(version, live, ignore=shutil.ignore_patterns("*.crc"))  # which would tell of other bytes
    told = json.loads((live / "training.json").read_text())
    told.update(version="v0", features=[*told["features"], "visits"])
    (live / "training.json").write_text(json.dumps(told))
    output = tmp_path / "evaluated"
    evaluate.main(
        ["--examples", examples, "--model", version, "--champion", str(live), "--output", str(output)]
    )
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["champion"] == {"version": "v0", "lacking": ["visits"]}
    assert "champion" not in metrics["differences"]
    with pytest.raises(MedallionError, match="Features: expected visits, with which the model was made"):
        score.main(["--examples", examples, "--model", str(live), "--version", "v0", "--output", str(output)])


def test_labels_that_are_all_alike_are_refused(
    spark: SparkSession, extract: pd.DataFrame, version: str
) -> None:
    inactive = extract[extract["split"] == "test"].assign(**{LABEL: 1.0})
    said = evaluate.forecast(load_version(spark, version), inactive)
    with pytest.raises(MedallionError, match="got 400 inactive of 400"):
        evaluate.evaluate(inactive, inactive, said, None)
