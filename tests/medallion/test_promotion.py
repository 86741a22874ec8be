import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from medallion.promotion import decide

MODEL_FILE = Path(__file__).resolve().parents[2] / "conf/models/customer_churn.yaml"
GATE = yaml.safe_load(MODEL_FILE.read_text(encoding="utf-8"))["gate"]
GOOD: dict[str, Any] = {
    "n": 2320,
    "positives": 316,
    "base_rate": 0.136,
    "baseline_auc": 0.843,
    "auc": 0.856,
    "skill": 0.267,
    "ece": 0.013,
    "log_loss": 0.292,
    "mean_prediction": 0.136,
}


def test_a_version_that_clears_every_bar_is_promoted() -> None:
    decision = decide(GOOD, GATE, champion=None)
    assert decision.promote
    assert decision.reasons == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n": 1999}, "test rows: expected at least 2000, got 1999"),
        ({"positives": 199}, "positives: expected at least 200, got 199"),
        ({"auc": 0.834, "baseline_auc": 0.8}, "AUC: expected at least 0.835, got 0.834"),
        ({"auc": 0.84}, "AUC beside the rule of fewer active weeks: expected at least 0.843, got 0.84"),
        ({"skill": 0.229}, "skill: expected at least 0.23, got 0.229"),
        ({"ece": 0.031}, "calibration error: expected at most 0.03, got 0.031"),
        ({"mean_prediction": 0.068}, "mean prediction / base rate: expected at least 0.8, got 0.5"),
        ({"mean_prediction": 0.272}, "mean prediction / base rate: expected at most 1.2, got 2"),
        ({"skill": math.nan}, "skill: expected at least 0.23, got nan"),
    ],
)
def test_a_missed_bar_is_the_reason(change: dict[str, Any], reason: str) -> None:
    decision = decide(GOOD | change, GATE, champion=None)
    assert not decision.promote
    assert decision.reasons == (reason,)


def test_a_version_may_be_a_little_worse_than_the_live_model() -> None:
    assert decide(GOOD, GATE, champion={"auc": 0.865, "log_loss": 0.288}).promote


def test_a_version_that_is_worse_than_the_live_model_is_refused() -> None:
    decision = decide(GOOD, GATE, champion={"auc": 0.87, "log_loss": 0.28})
    assert decision.reasons == (
        "log loss above the live model's: expected at most 0.005, got 0.012",
        "AUC below the live model's: expected at most 0.01, got 0.014",
    )


def test_every_missed_bar_is_named() -> None:
    assert len(decide(GOOD | {"n": 10, "positives": 1, "ece": 0.2}, GATE, champion=None).reasons) == 3
