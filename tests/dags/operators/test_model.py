"""A model version goes live on a local Cloud Storage, or is refused, and the pointer moves once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.cloud.storage import Blob, Bucket

from medallion.environments import Spark, load_environment
from medallion.models import load_model
from medallion.pointer import NothingEarlierError, PointerMovedError, promote, read_pointer, roll_back
from medallion.promotion import Decision
from operators import model as model_operators
from operators.dataproc import spark_job
from operators.model import (
    MLModelTrainJobOperator,
    MLModelTrainOperator,
    ModelDeployOperator,
    PromotionRaceError,
)

MODEL = "churn"
GATE = load_model("customer_churn").gate
GOOD = {
    "trained_until": "2017-12-01",
    "snapshot_date": "2017-12-01",
    "n": 3000,
    "positives": 900,
    "base_rate": 0.3,
    "mean_prediction": 0.3,
    "auc": 0.86,
    "baselines": {"fewer_active_weeks": {"auc": 0.8}},
    "differences": {"champion": {"log_loss": {"high": 0.0}, "auc": {"low": 0.0}}},
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


def evaluated(bucket: Bucket, version: str, champion: str | None = None, **figures: Any) -> None:
    """Writes the figures of a version that was held against the champion."""
    metrics = {**GOOD, **figures, "champion": champion and {**GOOD, "version": champion}}
    bucket.blob(f"{MODEL}/{version}/metrics.json").upload_from_string(json.dumps(metrics))


def deploy(bucket: Bucket, version: str, context: dict[str, Any]) -> dict[str, Any]:
    task = ModelDeployOperator(task_id="deploy", model=MODEL, version=version, bucket=bucket.name, gate=GATE)
    return task.execute(context)


def live(bucket: Bucket) -> str | None:
    return read_pointer(bucket, MODEL).version


def kept(bucket: Bucket, version: str) -> dict[str, Any]:
    """The decision that is kept beside a version."""
    return json.loads(bucket.blob(f"{MODEL}/{version}/decision.json").download_as_bytes())


def test_nothing_is_live_at_first(bucket: Bucket) -> None:
    assert live(bucket) is None


def test_a_first_version_that_passes_goes_live(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1")
    assert deploy(bucket, "v1", context) == {"live": "v1", "promoted": True, "reasons": []}
    assert live(bucket) == "v1"


def test_a_better_version_follows_the_live_one(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    evaluated(bucket, "v2", champion="v1", auc=0.87)
    assert deploy(bucket, "v2", context)["live"] == "v2"
    assert live(bucket) == "v2"


def test_a_version_that_misses_a_bar_is_refused_and_the_live_one_stays(
    bucket: Bucket, context: dict[str, Any]
) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    evaluated(bucket, "v2", champion="v1", ece=0.2)
    assert deploy(bucket, "v2", context) == {
        "live": "v1",
        "promoted": False,
        "reasons": ["calibration error: expected at most 0.03, got 0.2"],
    }
    assert live(bucket) == "v1"


def test_a_refused_first_version_leaves_nothing_live(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1", auc=0.5)
    assert deploy(bucket, "v1", context)["live"] is None
    assert live(bucket) is None


def test_a_refused_version_is_kept_with_its_reasons(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1", ece=0.2)
    deploy(bucket, "v1", context)
    assert bucket.blob(f"{MODEL}/v1/metrics.json").exists()
    assert kept(bucket, "v1") == {
        "promoted": False,
        "reasons": ["calibration error: expected at most 0.03, got 0.2"],
    }


def test_a_version_that_may_be_worse_than_the_live_one_is_refused(
    bucket: Bucket, context: dict[str, Any]
) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    worse = {"champion": {"log_loss": {"high": 0.006}, "auc": {"low": 0.0}}}
    evaluated(bucket, "v2", champion="v1", differences=worse)
    assert deploy(bucket, "v2", context)["reasons"] == [
        "log loss above the live model's, upper 95 %: expected at most 0.005, got 0.006"
    ]
    assert live(bucket) == "v1"


def test_a_version_that_is_live_already_moves_nothing(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    before = read_pointer(bucket, MODEL)
    assert deploy(bucket, "v1", context) == {"live": "v1", "promoted": True, "reasons": []}
    assert read_pointer(bucket, MODEL) == before


def test_a_version_held_against_another_than_the_live_one_is_no_challenger(
    bucket: Bucket, context: dict[str, Any]
) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    evaluated(bucket, "v2", champion="v0")
    with pytest.raises(PromotionRaceError, match="v2 was evaluated against another version than v1"):
        deploy(bucket, "v2", context)
    assert live(bucket) == "v1"


def test_a_pointer_that_moves_meanwhile_is_left_alone(
    bucket: Bucket, context: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated(bucket, "v1")

    def decide_late(*_: Any) -> Decision:
        promote(bucket, MODEL, read_pointer(bucket, MODEL), "v9")
        return Decision(promote=True, reasons=())

    monkeypatch.setattr(model_operators, "decide", decide_late)
    with pytest.raises(PromotionRaceError, match="v1 was evaluated against another version"):
        deploy(bucket, "v1", context)
    assert live(bucket) == "v9"


def test_of_racing_promotions_one_wins(bucket: Bucket) -> None:
    seen = read_pointer(bucket, MODEL)
    racers = [f"v{number}" for number in range(8)]

    def run(version: str) -> str | None:
        try:
            promote(bucket, MODEL, seen, version)
        except PointerMovedError:
            return None
        return version

    with ThreadPoolExecutor(len(racers)) as pool:
        winners = [version for version in pool.map(run, racers) if version]
    assert winners == [live(bucket)]


def test_a_rollback_points_to_the_version_before(bucket: Bucket) -> None:
    for version in ("v1", "v2", "v3"):
        promote(bucket, MODEL, read_pointer(bucket, MODEL), version)
    assert roll_back(bucket, MODEL).version == "v3"
    assert live(bucket) == "v2"
    roll_back(bucket, MODEL)
    pointer = read_pointer(bucket, MODEL)
    assert (pointer.version, pointer.earlier, pointer.withdrawn) == ("v1", (), ("v2", "v3"))


def test_a_rollback_whose_reply_was_lost_goes_back_once(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("v1", "v2", "v3"):
        promote(bucket, MODEL, read_pointer(bucket, MODEL), version)
    upload = Blob.upload_from_string

    def upload_twice(*args: Any, **kwargs: Any) -> None:  # as the client does, where no reply comes
        upload(*args, **kwargs)
        upload(*args, **kwargs)

    monkeypatch.setattr(Blob, "upload_from_string", upload_twice)
    roll_back(bucket, MODEL)
    assert live(bucket) == "v2"


def test_there_is_no_rollback_from_the_first_version(bucket: Bucket) -> None:
    promote(bucket, MODEL, read_pointer(bucket, MODEL), "v1")
    with pytest.raises(NothingEarlierError, match="expected a version before the live one, got v1 alone"):
        roll_back(bucket, MODEL)
    assert live(bucket) == "v1"


def test_a_version_that_was_taken_back_does_not_come_again(bucket: Bucket, context: dict[str, Any]) -> None:
    evaluated(bucket, "v1")
    deploy(bucket, "v1", context)
    evaluated(bucket, "v2", champion="v1")
    deploy(bucket, "v2", context)
    roll_back(bucket, MODEL)
    assert deploy(bucket, "v2", context) == {
        "live": "v1",
        "promoted": False,
        "reasons": ["withdrawn by a rollback"],
    }


@pytest.mark.parametrize(
    ("spark", "operator", "event"),
    [
        (
            load_environment("local").spark,
            MLModelTrainOperator,
            {"batch_id": "t-1", "batch_state": "SUCCEEDED", "batch_state_message": ""},
        ),
        (
            Spark(runner="cluster", poll_seconds=1, cluster="etl"),
            MLModelTrainJobOperator,
            {"job_id": "t-1", "job_state": "DONE", "job": {}},
        ),
    ],
)
def test_training_returns_the_version_and_its_folder(
    bucket: Bucket, context: dict[str, Any], spark: Spark, operator: Any, event: dict[str, Any]
) -> None:
    training = {"version": "v1", "features": ["recency_days"]}
    bucket.blob(f"{MODEL}/v1/training.json").upload_from_string(json.dumps(training))
    place = replace(load_environment("local"), spark=spark)
    job = spark_job(place, identity="t", release="r", entry="ml/train.py", arguments=[], labels={})
    task = operator(task_id="train", bucket=bucket.name, folder=f"{MODEL}/v1", **job)
    assert "folder" in task.template_fields
    assert task.execute_complete(context, event) == {"version": "v1", "uri": f"gs://models/{MODEL}/v1"}


def test_a_batch_runs_in_the_image_of_its_model_where_there_is_a_repository() -> None:
    place = load_environment("prod")
    known = {"identity": "t", "release": "r", "entry": "ml/train.py", "arguments": [], "labels": {}}
    batch = spark_job(place, image="customer-churn:1", **known)["batch"]
    assert batch["runtime_config"]["container_image"] == f"{place.spark.images}/customer-churn:1"
    assert "container_image" not in spark_job(place, **known)["batch"]["runtime_config"]
    local = spark_job(load_environment("local"), image="customer-churn:1", **known)["batch"]
    assert "container_image" not in local["runtime_config"]
