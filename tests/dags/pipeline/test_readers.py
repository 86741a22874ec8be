"""Readers see the whole of a run or nothing of it, and nothing that has failed its audit or its checks."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from airflow.exceptions import AirflowFailException

from medallion.sql import SQL
from tests.dags.pipeline.conftest import Define
from tests.dags.pipeline.orders import Pipeline

DAY = 86_400
# Silver, what files and runs say of it, and gold with the number of runs that it shows.
STATE = """
SELECT
  (SELECT COUNT(*) FROM silver.{product}),
  (SELECT SUM(rows_valid) FROM ops.files WHERE product = '{product}'),
  (SELECT SUM(rows_valid) FROM ops.runs WHERE product = '{product}'),
  (SELECT SUM(orders) FROM gold.{product}),
  (SELECT COUNT(*) FROM ops.refreshes WHERE product = '{product}')
"""
ROWS_OF_A_RUN = 3
RUNS = 4
SECONDS = 60  # until a torn state must have been seen


def is_torn(state: tuple[Any, ...]) -> bool:
    silver, files, runs, gold, refreshes = state
    return not silver == files == runs or gold != refreshes * ROWS_OF_A_RUN


@contextmanager
def reader(pipeline: Pipeline) -> Iterator[list[tuple[Any, ...]]]:
    """Reads the state again and again, until the block ends; yields the list of what it has seen."""
    seen: list[tuple[Any, ...]] = []
    stop = Event()

    def read() -> None:
        while not stop.is_set():
            seen.extend(pipeline.query(STATE))

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            yield seen
        finally:
            stop.set()
        reading.result()


def lines(run: int) -> list[str]:
    return [f"{run * ROWS_OF_A_RUN + row},{row * DAY},1" for row in range(ROWS_OF_A_RUN)]


def test_a_reader_sees_no_torn_state_while_runs_are_published(pipeline: Pipeline, define: Define) -> None:
    pipeline.refresh(pipeline.run(*lines(0), name="0.csv"))
    with reader(pipeline) as seen:
        for run in range(1, RUNS):
            pipeline.refresh(pipeline.run(*lines(run), name=f"{run}.csv"))
    assert [state for state in seen if is_torn(state)] == []
    assert {state[0] for state in seen} >= {ROWS_OF_A_RUN * run for run in (1, 2, RUNS - 1)}


def test_the_reader_would_see_a_table_that_is_replaced_in_two_jobs(
    pipeline: Pipeline, define: Define
) -> None:
    pipeline.refresh(pipeline.run(*lines(0)))
    with reader(pipeline) as seen:
        pipeline.query("CREATE TABLE staging.{product}_copy AS SELECT * FROM silver.{product}")
        pipeline.query("DELETE FROM silver.{product} WHERE TRUE")
        deadline = time.monotonic() + SECONDS
        while not any(is_torn(state) for state in seen[-2:]):
            assert time.monotonic() < deadline
            pipeline.query("SELECT 1")
        pipeline.query("INSERT INTO silver.{product} SELECT * FROM staging.{product}_copy")
    assert any(is_torn(state) for state in seen)


@pytest.mark.parametrize(
    ("script", "written"),
    [
        ("publish", ("silver", "quarantine", "files", "runs", "touched_partitions")),
        ("gold", ("gold", "refreshes")),
    ],
)
def test_what_readers_see_is_written_in_one_transaction(script: str, written: tuple[str, ...]) -> None:
    """The emulator runs a script in one go, with a transaction or without: so the text has to tell."""
    text = (SQL / "pipeline" / f"{script}.sql").read_text()
    before, transaction, after = re.split(r"BEGIN TRANSACTION;|COMMIT TRANSACTION;", text)
    write = r"(?:INSERT INTO|DELETE FROM|UPDATE|MERGE(?: INTO)?) `\{\{ (\w+) \}\}\.(\w*)"
    told = {found for dataset, table in re.findall(write, transaction) for found in (dataset, table)}
    assert told >= set(written) - {"refreshes"}
    outside = {found for dataset, table in re.findall(write, before + after) for found in (dataset, table)}
    assert outside & set(written) <= {"refreshes"}


Failure = Callable[[Pipeline], None]


def breaks_the_audit(pipeline: Pipeline) -> None:
    pipeline.product = replace(pipeline.product, max_rejected_ratio=0.0)
    with pytest.raises(AirflowFailException, match="audit failed, nothing published: rejected_ratio"):
        pipeline.run("7,0,7", "8,0,-1", name="b.csv")


def drifts_where_it_may_not(pipeline: Pipeline) -> None:
    pipeline.contract["schema"][0]["customProperties"][1]["value"] = "fail"
    with pytest.raises(AirflowFailException, match="audit failed, nothing published: drift"):
        pipeline.run("7,0,7,x", header="order_id,second,amount,tier", name="b.csv")


@pytest.mark.parametrize("failure", [breaks_the_audit, drifts_where_it_may_not])
def test_a_run_that_fails_its_audit_leaves_every_table_as_it_was(
    pipeline: Pipeline, define: Define, failure: Failure
) -> None:
    pipeline.refresh(pipeline.run("1,0,10", "2,0,-1", f"3,{DAY},30"))
    before = pipeline.published()
    assert all(before[name] for name in before if not name.endswith("__superseded"))
    failure(pipeline)
    assert pipeline.published() == before


def test_a_run_that_fails_a_check_leaves_gold_as_it_was(pipeline: Pipeline, define: Define) -> None:
    pipeline.refresh(pipeline.run("1,0,10", f"3,{DAY},30"))
    found = pipeline.run("2,0,500", name="b.csv")
    before = pipeline.published()
    with pytest.raises(AirflowFailException, match="failed its checks and stays as it was"):
        pipeline.refresh(found)
    assert pipeline.published() == before
