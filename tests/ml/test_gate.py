"""The gate of the model file on versions trained on the sample year: what it lets pass, what not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medallion.promotion import Decision
from ml import baselines
from ml.evaluate import Forecast
from ml.examples import labels
from tests.ml.year import A_MONTH_AGO, FOUR_MONTHS_AGO, NOW, Year, shuffled


@pytest.fixture
def live(year: Year) -> Forecast:
    """The version of a month ago."""
    return year.forecast(A_MONTH_AGO)


@pytest.fixture
def today(year: Year) -> Forecast:
    """The version of today's data."""
    return year.forecast(NOW)


def one_percent(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sample(frac=0.01, random_state=5).sort_index()


def oversampled(rows: pd.DataFrame) -> pd.DataFrame:
    """As many inactive customers as active ones, and nothing done about it afterwards."""
    inactive = rows[rows["inactive_30d"] == 1]
    times = round((len(rows) - len(inactive)) / len(inactive))
    return pd.concat([rows, *[inactive] * (times - 1)]).sort_index(kind="stable")


def cents(rows: pd.DataFrame) -> pd.DataFrame:
    money = ["sales_30", "sales_31_60", "sales_90", "aov_90"]
    return rows.assign(**{name: rows[name] * 100 for name in money})


def is_worse(decision: Decision) -> bool:
    """Whether a version is held back for what it says beside the live one, among others maybe."""
    return any(reason.startswith("log loss above the live model's") for reason in decision.reasons)


def saying(today: Forecast, probabilities: np.ndarray) -> Forecast:
    """A version of today's data that says something else."""
    return replace(today, version="other", probabilities=probabilities)


def test_a_first_version_goes_live(year: Year, today: Forecast) -> None:
    assert year.decide(today, None).reasons == ()


def test_a_version_that_is_trained_on_a_later_month_goes_live(
    year: Year, today: Forecast, live: Forecast
) -> None:
    assert year.decide(today, live).reasons == ()


@pytest.mark.slow
def test_a_version_with_another_seed_goes_live(year: Year, today: Forecast) -> None:
    assert year.decide(year.forecast(NOW, seed=1), today).reasons == ()


@pytest.mark.slow
def test_a_new_version_follows_one_that_is_four_months_old(year: Year, today: Forecast) -> None:
    assert year.decide(today, year.forecast(FOUR_MONTHS_AGO)).reasons == ()


def test_one_percent_of_the_data_is_too_little(year: Year, live: Forecast) -> None:
    assert is_worse(year.decide(year.forecast(NOW, change=one_percent), live))


@pytest.mark.parametrize(
    "share", [0.2, *(pytest.param(share, marks=pytest.mark.slow) for share in (0.5, 1.0))]
)
def test_shuffled_labels_are_found_out(year: Year, live: Forecast, share: float) -> None:
    assert is_worse(year.decide(year.forecast(NOW, change=shuffled(share)), live))


def test_cents_instead_of_dollars_are_found_out(year: Year, today: Forecast, live: Forecast) -> None:
    assert is_worse(year.decide(saying(today, year.predictions(NOW, scored=cents)), live))


def test_oversampling_without_correction_is_found_out(year: Year, live: Forecast) -> None:
    reasons = year.decide(year.forecast(NOW, change=oversampled), live).reasons
    assert any(reason.startswith("calibration error") for reason in reasons)
    assert any(reason.startswith("mean prediction / base rate") for reason in reasons)


def test_a_constant_is_no_model(year: Year, today: Forecast, live: Forecast) -> None:
    rate = labels(year.split(NOW, "train")).mean()
    reasons = year.decide(saying(today, np.full(len(today.probabilities), rate)), live).reasons
    assert any(reason.startswith("AUC: expected at least 0.835, got 0.5") for reason in reasons)


def test_logistic_regression_on_rfm_is_no_match(year: Year, today: Forecast, live: Forecast) -> None:
    said = baselines.rfm_logistic(year.split(NOW, "train"), year.split(NOW, "test"))
    assert is_worse(year.decide(saying(today, said), live))


def test_a_leaked_feature_raises_the_alarm(year: Year) -> None:
    reasons = year.decide(year.leaked(), None).reasons
    assert any(reason.startswith("AUC too good to be true") for reason in reasons)


def test_a_version_that_has_seen_the_test_snapshot_is_no_measure(year: Year, today: Forecast) -> None:
    seen = replace(today, version="later", trained_until="2017-12-31")
    (reason,) = year.decide(today, seen).reasons
    assert reason.startswith("test snapshot 2017-12-01: expected one that nobody has seen")
