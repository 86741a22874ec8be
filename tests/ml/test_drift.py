import numpy as np
import pytest

from ml.drift import reference, stability_index

TRAINED = np.arange(1000.0)


def test_the_bins_are_tenths_of_the_training_rows() -> None:
    found = reference(TRAINED)
    assert len(found["edges"]) == 9
    assert found["shares"] == pytest.approx([0.1] * 10)


def test_the_same_values_have_not_drifted() -> None:
    assert stability_index(reference(TRAINED), TRAINED) == 0


def test_the_index_adds_up_what_moved_between_bins() -> None:
    # The lowest tenth has become a fifth, the highest is gone to nearly nothing.
    values = np.concatenate([np.arange(900.0), np.arange(100.0)])
    expected = 0.1 * np.log(2) + (1e-4 - 0.1) * np.log(1e-4 / 0.1)
    assert stability_index(reference(TRAINED), values) == pytest.approx(expected)


def test_a_value_that_most_rows_have_is_a_bin_of_its_own() -> None:
    trained = np.array([0.0] * 900 + [5.0] * 100)
    found = reference(trained)
    assert found == {"edges": [0.0], "shares": [0.9, 0.1]}
    assert stability_index(found, np.array([0.0] * 90 + [1.0] * 10)) == pytest.approx(0)


def test_cents_instead_of_dollars_drift() -> None:
    assert stability_index(reference(TRAINED), TRAINED * 100) > 0.1
