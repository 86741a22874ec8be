import tracemalloc

import numpy as np
import pytest

from ml.bootstrap import interval, resample

CUSTOMERS = np.array([7, 7, 8, 9])


def test_the_rows_as_they_are_come_before_the_draws() -> None:
    assert resample(CUSTOMERS, 2)[0].tolist() == [1, 1, 1, 1]


def test_a_customer_is_drawn_with_all_rows() -> None:
    counts = resample(CUSTOMERS)
    assert counts.shape == (1001, 4)
    assert (counts[:, 0] == counts[:, 1]).all()
    # As many customers are drawn as there are.
    assert (counts[:, 1:].sum(axis=1) == 3).all()


def test_the_same_customers_give_the_same_draws() -> None:
    assert (resample(CUSTOMERS, 50) == resample(CUSTOMERS, 50)).all()


def test_draws_are_made_in_parts_and_are_those_of_one_call() -> None:
    customers = np.arange(300)
    at_once = np.random.default_rng(20170101).multinomial(300, np.full(300, 1 / 300), size=130)
    assert (resample(customers, 130)[1:] == at_once).all()


def test_an_evaluation_holds_two_bytes_a_count_and_little_more() -> None:
    customers = np.arange(20_000)
    tracemalloc.start()
    counts = resample(customers)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counts.nbytes == 1001 * 20_000 * 2
    assert most < 1.5 * counts.nbytes


def test_the_interval_of_a_mean_is_that_of_the_formula() -> None:
    values = np.random.default_rng(2).normal(size=2000)
    counts = resample(np.arange(2000))[1:]
    low, high = interval(counts @ values / 2000)
    error = 1.96 * values.std() / 2000**0.5
    assert low == pytest.approx(values.mean() - error, abs=error / 5)
    assert high == pytest.approx(values.mean() + error, abs=error / 5)


def test_draws_without_a_figure_do_not_count() -> None:
    assert interval(np.array([np.nan, 1.0, 2.0, 3.0])) == [1.05, 2.95]
