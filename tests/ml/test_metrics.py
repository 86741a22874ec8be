import numpy as np
import pytest

from ml import metrics

LABELS = np.array([0.0, 0.0, 1.0, 1.0])
SCORES = np.array([0.1, 0.4, 0.35, 0.8])
ONCE = metrics.once(LABELS)


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    # Of the 4 pairs only (0.4, 0.35) is in the wrong order.
    assert metrics.auc(LABELS, SCORES, ONCE) == [0.75]


def test_auc_counts_a_tie_as_half_a_pair() -> None:
    assert metrics.auc(LABELS, np.array([0.1, 0.5, 0.5, 0.9]), ONCE) == [0.875]
    assert metrics.auc(LABELS, np.zeros(4), ONCE) == [0.5]


def test_average_precision_weighs_precision_by_the_gain_in_recall() -> None:
    # Hits at ranks 1 and 3: 1/2 * 1/1 + 1/2 * 2/3.
    assert metrics.average_precision(LABELS, SCORES, ONCE) == pytest.approx([5 / 6])


def test_average_precision_of_tied_scores_is_the_base_rate() -> None:
    labels = np.array([1.0, 0.0, 0.0, 0.0])
    assert metrics.average_precision(labels, np.ones(4), ONCE) == [0.25]


def test_log_loss_is_the_mean_negative_log_likelihood() -> None:
    labels = np.array([1.0, 0.0])
    expected = -(np.log(0.8) + np.log(0.5)) / 2
    assert metrics.log_loss(labels, np.array([0.8, 0.5]), metrics.once(labels)) == pytest.approx([expected])


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    labels = np.array([1.0])
    loss = metrics.log_loss(labels, np.array([0.0]), metrics.once(labels))
    assert loss == pytest.approx([-np.log(1e-7)])


def test_base_log_loss_of_an_even_base_rate_is_log_two() -> None:
    assert metrics.base_log_loss(LABELS, ONCE) == pytest.approx([np.log(2)])


def test_calibration_error_averages_the_gaps_of_the_bins() -> None:
    # Lower bin: mean 0.2 against 0; upper bin: mean 0.6 against 1.
    probabilities = np.array([0.1, 0.3, 0.5, 0.7])
    error = metrics.calibration_error(LABELS, probabilities, ONCE, bins=2)
    assert error == pytest.approx([(0.2 + 0.4) / 2])


def test_the_base_rate_has_no_skill() -> None:
    figures = metrics.measure(LABELS, np.full(4, 0.5), ONCE)
    assert figures["skill"] == pytest.approx([0])
    assert figures["mean_prediction"] == [0.5]


def test_counting_a_row_twice_is_having_it_twice() -> None:
    random = np.random.default_rng(3)
    scores = random.random(60).round(1)  # with ties
    labels = (random.random(60) < scores).astype(float)
    counts = random.integers(0, 3, (5, 60)).astype(float)
    drawn = metrics.measure(labels, scores, counts)
    for draw, often in enumerate(counts.astype(int)):
        rows = np.repeat(np.arange(60), often)
        alone = metrics.measure(labels[rows], scores[rows], np.ones((1, len(rows))))
        for name, figures in alone.items():
            # Where a bin ends among tied scores, which of them it takes is open.
            if name != "ece":
                assert drawn[name][draw] == pytest.approx(figures[0]), name
