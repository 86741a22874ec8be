import math
from typing import Any

import pytest

from medallion.models import load_model
from medallion.promotion import decide

GATE = load_model("customer_churn").gate
GOOD: dict[str, Any] = {
    "trained_until": "2017-12-01",
    "snapshot_date": "2017-12-01",
    "n": 2320,
    "positives": 316,
    "base_rate": 0.136,
    "baselines": {"fewer_active_weeks": {"auc": 0.843}},
    "auc": 0.856,
    "skill": 0.267,
    "ece": 0.013,
    "log_loss": 0.292,
    "mean_prediction": 0.136,
    "champion": None,
}


def beside(log_loss: float, auc: float, trained_until: str = "2017-11-01") -> dict[str, Any]:
    """Figures of a version whose intervals beside the live one end there: above in log loss, below in AUC."""
    differences = {"log_loss": {"high": log_loss}, "auc": {"low": auc}}
    champion = {"version": "v1", "trained_until": trained_until}
    return {**GOOD, "champion": champion, "differences": {"champion": differences}}


def test_a_live_version_whose_features_are_no_more_stops_nobody() -> None:
    assert decide({**GOOD, "champion": {"version": "v1", "lacking": ["visits"]}}, GATE).promote


def test_a_version_that_clears_every_bar_is_promoted() -> None:
    decision = decide(GOOD, GATE)
    assert decision.promote
    assert decision.reasons == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n": 1999}, "test rows: expected at least 2000, got 1999"),
        ({"positives": 199}, "positives: expected at least 200, got 199"),
        (
            {"auc": 0.834, "baselines": {"fewer_active_weeks": {"auc": 0.8}}},
            "AUC: expected at least 0.835, got 0.834",
        ),
        ({"auc": 0.84}, "AUC beside the rule of fewer active weeks: expected at least 0.843, got 0.84"),
        (
            {"auc": 0.886},
            "AUC too good to be true, a feature may know the future: expected at most 0.885, got 0.886",
        ),
        ({"skill": 0.229}, "skill: expected at least 0.23, got 0.229"),
        ({"ece": 0.031}, "calibration error: expected at most 0.03, got 0.031"),
        ({"mean_prediction": 0.068}, "mean prediction / base rate: expected at least 0.8, got 0.5"),
        ({"mean_prediction": 0.272}, "mean prediction / base rate: expected at most 1.2, got 2"),
        ({"skill": math.nan}, "skill: expected at least 0.23, got nan"),
        (
            {"trained_until": "2017-12-02"},
            "test snapshot 2017-12-01: expected one that nobody has seen, "
            "got one within what it was trained on, which is up to 2017-12-02",
        ),
    ],
)
def test_a_missed_bar_is_the_reason(change: dict[str, Any], reason: str) -> None:
    decision = decide(GOOD | change, GATE)
    assert not decision.promote
    assert decision.reasons == (reason,)


def test_a_version_may_be_a_little_worse_than_the_live_model() -> None:
    assert decide(beside(log_loss=0.005, auc=-0.01), GATE).promote


def test_a_version_that_may_be_worse_than_the_live_model_is_refused() -> None:
    decision = decide(beside(log_loss=0.012, auc=-0.014), GATE)
    assert decision.reasons == (
        "log loss above the live model's, upper 95 %: expected at most 0.005, got 0.012",
        "AUC below the live model's, upper 95 %: expected at most 0.01, got 0.014",
    )


def test_a_live_model_that_has_seen_the_test_snapshot_is_no_measure() -> None:
    (reason,) = decide(beside(0, 0, trained_until="2017-12-31"), GATE).reasons
    assert reason.endswith("within what the live model was trained on, which is up to 2017-12-31")


def test_every_missed_bar_is_named() -> None:
    assert len(decide(GOOD | {"n": 10, "positives": 1, "ece": 0.2}, GATE).reasons) == 3
