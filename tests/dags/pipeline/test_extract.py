"""A source's values may be an Airflow variable's, which is read at each run and held to the schema."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.exceptions import AirflowFailException

from medallion.environments import load_environment
from medallion.products import load_product
from medallion.sources import SqlSource
from pipeline.extract import pull_source
from pipeline.product import product_dag

VARIABLE = "AIRFLOW_VAR_BIKE_STATIONS_SOURCE"
PRODUCT = load_product("bike_stations")


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> list[SqlSource]:
    """The sources that are pulled from, with no database behind them."""
    sources: list[SqlSource] = []

    def pull(source: SqlSource, *_: Any) -> int:
        sources.append(source)
        return 1

    monkeypatch.setattr("pipeline.extract.bronze_of", lambda *_: None)
    monkeypatch.setattr("pipeline.extract.pull_table", pull)
    return sources


def pull() -> int:
    assert isinstance(PRODUCT.source, SqlSource)
    context = {"logical_date": datetime(2026, 1, 10, tzinfo=UTC)}
    return pull_source(PRODUCT, PRODUCT.source, load_environment("local"), context)


def test_without_the_variable_the_file_holds(pulled: list[SqlSource]) -> None:
    assert pull() == 1
    assert pulled == [PRODUCT.source]


def test_the_variable_takes_the_place_of_what_it_names(
    pulled: list[SqlSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"table": "stations_sample", "watermark": {"column": "updated_at", "overlap_minutes": 1440}}
    monkeypatch.setenv(VARIABLE, json.dumps(changes))
    pull()
    assert [(source.table, source.overlap_minutes) for source in pulled] == [("stations_sample", 1440)]
    assert pulled[0].connection == "bike_database"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "a; b"}, r"source\.table: expected pattern .*, got 'a; b'"),
        ({"password": "x"}, "source: expected only the keys type, connection, .* got 'password'"),
        ({"type": "files"}, "the file: expected an object of a source's keys without type"),
        (["stations"], "the file: expected an object of a source's keys without type"),
        ("{'table': 'stations'}", "expected JSON, got none: Expecting property name"),
    ],
)
def test_a_variable_that_is_wrong_is_told_and_nothing_is_pulled(
    pulled: list[SqlSource], monkeypatch: pytest.MonkeyPatch, changes: Any, message: str
) -> None:
    monkeypatch.setenv(VARIABLE, changes if isinstance(changes, str) else json.dumps(changes))
    wrong = f"Airflow's variable bike_stations_source: {message}.*Next: mend the variable"
    with pytest.raises(AirflowFailException, match=wrong):
        pull()
    assert pulled == []


def test_no_variable_is_read_when_the_dag_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a variable was read")

    monkeypatch.setattr("pipeline.extract.Variable.get", refuse)
    assert product_dag(PRODUCT, load_environment("local")).get_task("extract")


def test_an_api_that_asks_to_wait_for_many_minutes_is_asked_again_after_them() -> None:
    task = product_dag(load_product("weather"), load_environment("local")).get_task("extract")
    assert task.retry_exponential_backoff
    delays = [min(task.retry_delay * 2**number, task.max_retry_delay) for number in range(task.retries)]
    assert delays == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=10)]
