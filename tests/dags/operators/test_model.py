"""A model version goes live on a local Cloud Storage, or is refused, and the pointer moves once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.cloud.storage import Bucket

from medallion.config import load_environment, load_model
from medallion.promotion import Decision
from operators import model as model_operators
from operators.dataproc import spark_job
from operators.model import MLModelTrainOperator, ModelDeployOperator, PromotionRaceError, read_live

MODEL = "churn"
GATE = load_model("customer_churn").gate
GOOD = {
    "n": 3000,
    "positives": 900,
    "base_rate": 0.3,
    "mean_prediction": 0.3,
    "auc": 0.86,
    "baseline_auc": 0.8,
    "skill": 0.3,
    "ece": 0.01,
    "log_loss": 0.4,
}


@pytest.fixture
def bucket(gcs_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket of models."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_url)
    bucket = GCSHook().get_conn().create_bucket("models")
    yield bucket
    bucket.delete(force=True)


def evaluated(bucket: Bucket, version: str, champion: str | None = None, **figures: float) -> None:
    """Writes the figures of a version that was held against the champion."""
    metrics = {**GOOD, **figures, "champion": champion and {**GOOD, "version": champion}}
    bucket.blob(f"{MODEL}/{version}/metrics.json").upload_from_string(json.dumps(metrics))


def deploy(bucket: Bucket, version: str, context: dict[str, Any]) -> dict[str, Any]:
    task = ModelDeployOperator(task_id="deploy", model=MODEL, version=version, bucket=bucket.name, gate=GATE)
    return task.execute(context)


def test_nothing_is_live_at_first(bucket: Bucket) -> None:
    assert read_live(bucket, MODEL) == (None, 0)


def test_a_first_version_that_passes_goes_live(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1")
    assert deploy(bucket, "v1", context) == {"version": "v1", "promoted": True, "reasons": []}
    assert read_live(bucket, MODEL)[0] == "v1"


def test_a_better_version_follows_the_live_one(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    evaluated(bucket, "v2", champion="v1", auc=0.87)
    assert deploy(bucket, "v2", context)["version"] == "v2"
    assert read_live(bucket, MODEL)[0] == "v2"


def test_a_version_that_misses_a_bar_is_refused_and_the_live_one_stays(
    bucket: Bucket, context: dict[str, Any]
) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    evaluated(bucket, "v2", champion="v1", ece=0.2)
    assert deploy(bucket, "v2", context) == {
        "version": "v1",
        "promoted": False,
        "reasons": ["calibration error: expected at most 0.03, got 0.2"],
    }
    assert read_live(bucket, MODEL)[0] == "v1"


def test_a_refused_first_version_leaves_nothing_live(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1", auc=0.5)
    assert deploy(bucket, "v1", context)["version"] is None
    assert read_live(bucket, MODEL) == (None, 0)


def test_a_refused_version_stays_in_its_folder(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1", auc=0.5)
    deploy(bucket, "v1", context)
    assert bucket.blob(f"{MODEL}/v1/metrics.json").exists()


def test_a_version_that_is_live_already_moves_nothing(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    before = read_live(bucket, MODEL)
    assert deploy(bucket, "v1", context) == {"version": "v1", "promoted": True, "reasons": []}
    assert read_live(bucket, MODEL) == before


def test_a_version_held_against_another_than_the_live_one_is_no_challenger(
    bucket: Bucket, context: dict[str, Any]
) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    evaluated(bucket, "v2", champion="v0")
    with pytest.raises(PromotionRaceError, match="v2 was evaluated against another version than v1"):
        deploy(bucket, "v2", context)
    assert read_live(bucket, MODEL)[0] == "v1"


def test_a_pointer_that_moves_meanwhile_is_left_alone(
    bucket: Bucket, context: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated(bucket, "v1")

    def decide_late(*_: Any) -> Decision:
        bucket.blob(f"{MODEL}/live.json").upload_from_string('{"version": "v9"}')
        return Decision(promote=True, reasons=())

    monkeypatch.setattr(model_operators, "decide", decide_late)
    with pytest.raises(PromotionRaceError, match="v1 was evaluated against another version"):
        deploy(bucket, "v1", context)
    assert read_live(bucket, MODEL)[0] == "v9"


def test_training_returns_the_version_and_its_folder(bucket: Bucket, context: dict[str, Any]) -> None:
    training = {"version": "v1", "features": ["recency_days"]}
    bucket.blob(f"{MODEL}/v1/training.json").upload_from_string(json.dumps(training))
    job = spark_job(
        load_environment("local"), identity="t", release="r", entry="ml/train.py", arguments=[], labels={}
    )
    task = MLModelTrainOperator(task_id="train", bucket=bucket.name, folder=f"{MODEL}/v1", **job)
    event = {"batch_id": "t-1", "batch_state": "SUCCEEDED", "batch_state_message": ""}
    assert task.execute_complete(context, event) == {"version": "v1", "uri": f"gs://models/{MODEL}/v1"}
