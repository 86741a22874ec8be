"""Files that are processed again by today's contract: first told, then done."""

import json
from typing import Any

import pytest
from airflow.exceptions import AirflowFailException, AirflowSkipException

from tests.dags.pipeline.orders import Pipeline
from tests.dags.pipeline.stand_in_job import contract

DAY = 86_400
JANUARY = {"first": "2017-01-01", "last": "2017-01-31"}
SILVER = "SELECT order_id, amount FROM silver.{product} ORDER BY order_id"


def change(day: int, added: int = 0, changed: int = 0, removed: int = 0) -> dict[str, Any]:
    return {"partition_date": f"2017-01-{day:02}", "added": added, "changed": changed, "removed": removed}


def strict() -> dict[str, Any]:
    """A contract by which a file without the column `gone` is rejected as a whole."""
    made = contract(deletes=True)
    made["schema"][0]["properties"][-1]["required"] = True
    return made


@pytest.fixture
def mended(pipeline: Pipeline) -> Pipeline:
    """A contract that takes smaller amounts than it did when two files came, and greater ones than 0."""
    pipeline.run("1,0,7", "2,0,-1", f"3,{DAY},-1", name="a.csv")
    pipeline.run(f"4,{9 * DAY},4", name="b.csv")
    pipeline.contract = contract(minimum=-1)
    return pipeline


def test_a_backfill_tells_what_would_change_and_changes_nothing(mended: Pipeline) -> None:
    before = mended.query(SILVER)
    assert mended.backfill("2017-01-01", "2017-01-31", apply=False) == [
        change(2, added=1),
        change(3, added=1),
    ]
    assert mended.query(SILVER) == before == [(1, 7), (4, 4)]


def test_a_backfill_that_is_applied_does_what_it_told(mended: Pipeline) -> None:
    told = mended.backfill("2017-01-01", "2017-01-31", apply=True)
    assert told == [change(2, added=1), change(3, added=1)]
    assert mended.query(SILVER) == [(1, 7), (2, -1), (3, -1), (4, 4)]
    assert mended.query("SELECT COUNT(*) FROM quarantine.{product} WHERE resolved_by IS NULL") == [(0,)]
    assert mended.backfill("2017-01-01", "2017-01-31", apply=False) == []


def test_what_an_applied_backfill_told_stays_when_its_task_goes_on(mended: Pipeline) -> None:
    context = mended.discover(backfill={"first": "2017-01-01", "last": "2017-01-31", "apply": True})
    mended.clean(context)
    for _ in range(2):
        mended.publish(context)
    told = mended.path(f"{mended.manifest(context).output}/changes.json").read_text()
    assert json.loads(told) == [change(2, added=1), change(3, added=1)]


def test_a_file_that_fails_as_a_whole_by_now_can_still_take_its_rows_away(pipeline: Pipeline) -> None:
    usable = contract(deletes=True)
    pipeline.contract = usable
    pipeline.run("1,0,7", "2,0,8", name="a.csv")
    pipeline.contract = strict()
    assert pipeline.backfill("2017-01-02", "2017-01-02", apply=True) == []
    assert pipeline.query("SELECT state FROM ops.files WHERE product = '{product}'") == [("rejected",)]
    assert pipeline.query(SILVER) == [(1, 7), (2, 8)]
    pipeline.contract = usable
    pipeline.run("2,1,5", name="a.csv")
    assert pipeline.query(SILVER) == [(2, 5)]


def test_rows_that_fail_by_now_are_taken_away(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7", "2,0,3", name="a.csv")
    pipeline.run("2,1,9", name="b.csv")
    pipeline.contract = contract(minimum=8)
    assert pipeline.backfill("2017-01-02", "2017-01-02", apply=True) == [change(2, removed=1)]
    assert pipeline.query(SILVER) == [(2, 9)]
    assert pipeline.query("SELECT COUNT(*) FROM silver.{product}__superseded") == [(0,)]


def test_a_newer_row_that_fails_by_now_gives_way_to_the_older_one(pipeline: Pipeline) -> None:
    pipeline.run("1,0,90", name="a.csv")
    pipeline.run("1,1,7", name="b.csv")
    pipeline.contract = contract(minimum=8)
    assert pipeline.backfill("2017-01-02", "2017-01-02", apply=True) == [change(2, changed=1)]
    assert pipeline.query(SILVER) == [(1, 90)]


def test_a_column_that_the_contract_gained_is_filled(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7,true", header="order_id,second,amount,gone", name="a.csv")
    pipeline.contract = contract(deletes=True)
    assert pipeline.backfill("2017-01-02", "2017-01-02", apply=True) == [change(2, removed=1)]
    assert pipeline.query("SELECT order_id, gone FROM silver.{product}__superseded") == [(1, True)]


def test_only_files_of_the_span_are_processed(mended: Pipeline) -> None:
    asked = {"first": "2017-01-03", "last": "2017-01-05"}
    # Two rows of the file were rejected: their dates are not known, that of its valid row is another one.
    with pytest.raises(AirflowSkipException, match=r"No file of .* has rows from 2017-01-03 to 2017-01-05"):
        mended.discover(backfill=asked)
    files = mended.manifest(mended.discover(backfill={"first": "2017-01-05", "last": "2017-01-11"})).files
    assert [file.uri.rpartition("/")[2] for file in files] == ["b.csv"]


def test_a_file_that_came_again_is_left_to_the_next_run(mended: Pipeline) -> None:
    mended.land("b.csv", f"4,{9 * DAY},5")
    files = mended.manifest(mended.discover(backfill=JANUARY)).files
    assert [file.uri.rpartition("/")[2] for file in files] == ["a.csv"]


def test_a_file_that_is_gone_is_named(mended: Pipeline) -> None:
    mended.path(f"gs://local-bronze/{mended.product.name}/b.csv").unlink()
    with pytest.raises(
        AirflowFailException, match=r"b\.csv: expected the file in bronze, got none, as for 1 of 2"
    ):
        mended.discover(backfill=JANUARY)


def test_a_file_that_was_rejected_whole_and_is_gone_stops_nothing(pipeline: Pipeline) -> None:
    pipeline.contract = contract(deletes=True)
    pipeline.run("1,0,7", name="a.csv")
    pipeline.contract = strict()
    pipeline.run("2,0,8", name="b.csv")
    pipeline.path(f"gs://local-bronze/{pipeline.product.name}/b.csv").unlink()
    files = pipeline.manifest(pipeline.discover(backfill=JANUARY)).files
    assert [file.uri.rpartition("/")[2] for file in files] == ["a.csv"]


def test_a_file_that_is_gone_is_named_as_long_as_silver_shows_its_rows(pipeline: Pipeline) -> None:
    pipeline.contract = contract(deletes=True)
    pipeline.run("1,0,7", name="a.csv")
    pipeline.contract = strict()
    pipeline.backfill("2017-01-02", "2017-01-02", apply=True)
    assert pipeline.query("SELECT state FROM ops.files WHERE product = '{product}'") == [("rejected",)]
    assert pipeline.query(SILVER) == [(1, 7)]
    pipeline.path(f"gs://local-bronze/{pipeline.product.name}/a.csv").unlink()
    with pytest.raises(AirflowFailException, match=r"a\.csv: expected the file in bronze, got none"):
        pipeline.discover(backfill=JANUARY)


def test_the_ledger_holds_a_version_of_a_file_once(mended: Pipeline) -> None:
    mended.backfill("2017-01-01", "2017-01-31", apply=True)
    ledger = mended.query("SELECT uri, rows_valid FROM ops.files WHERE product = '{product}' ORDER BY uri")
    assert [(uri.rpartition("/")[2], valid) for uri, valid in ledger] == [("a.csv", 3), ("b.csv", 1)]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"backfill": {"first": "2017-02-01", "last": "2017-01-01"}}, "expected a date from 2017-02-01 on"),
        (
            {"backfill": {"first": "2017-01-01", "last": "2017-01-02"}, "replay": {}},
            "params: expected one, got replay, backfill",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(pipeline: Pipeline, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        pipeline.discover(**asked)
