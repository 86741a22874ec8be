"""Rejected rows that are taken up again, once their contract is mended."""

import json

import pytest
from airflow.exceptions import AirflowFailException, AirflowSkipException

from pipeline.figures import Quality
from pipeline.report import read_figures
from pipeline.scripts import client
from tests.dags.pipeline.orders import Pipeline, skipped
from tests.dags.pipeline.stand_in_job import contract

SILVER = "SELECT order_id, amount FROM silver.{product} ORDER BY order_id"
SUPERSEDED = "SELECT COUNT(*) FROM silver.{product}__superseded"
QUARANTINE = "SELECT raw, resolved_by FROM quarantine.{product} ORDER BY raw"


@pytest.fixture
def rejected(pipeline: Pipeline) -> Pipeline:
    """Two files with three rows that are too small, and one that isn't."""
    pipeline.land("b.csv", "3,0,-5")
    pipeline.run("1,0,7", "2,0,-1", "4,0,-9")
    pipeline.contract = contract(minimum=-5)
    return pipeline


def test_replayed_rows_are_published_and_marked_and_the_others_stay(rejected: Pipeline) -> None:
    found = rejected.replay()
    assert found["replay"]["rows"] == 3
    assert rejected.query(SILVER) == [(1, 7), (2, -1), (3, -5)]
    run = found["run"]
    assert rejected.query(QUARANTINE) == [("2,0,-1", run), ("3,0,-5", run), ("4,0,-9", None)]


def test_a_replay_adds_a_run_and_no_file(rejected: Pipeline) -> None:
    ledger = "SELECT uri, generation, run FROM ops.files WHERE product = '{product}' ORDER BY uri"
    files = rejected.query(ledger)
    found = rejected.replay()
    assert rejected.query(ledger) == files
    assert rejected.query(
        "SELECT files, rows_read, rows_valid, rows_rejected, replayed FROM ops.runs"
        f" WHERE product = '{{product}}' AND run = '{found['run']}'"
    ) == [(2, 3, 2, 1, True)]


def test_what_was_resolved_is_not_replayed_again(rejected: Pipeline) -> None:
    rejected.contract = contract(minimum=-9)
    rejected.replay()
    with pytest.raises(AirflowSkipException, match="Nothing to replay"):
        rejected.discover({})


def test_a_second_replay_of_rows_that_still_fail_changes_nothing(rejected: Pipeline) -> None:
    first = rejected.replay()
    second, third = rejected.replay(), rejected.replay()
    assert second["run"] == third["run"] != first["run"]
    assert len(rejected.query(QUARANTINE)) == 3
    assert rejected.query(SILVER) == [(1, 7), (2, -1), (3, -5)]
    runs = "SELECT COUNT(*) FROM ops.runs WHERE product = '{product}'"
    assert rejected.query(runs) == [(3,)]


def test_the_same_rows_against_another_contract_are_another_run(rejected: Pipeline) -> None:
    first = rejected.discover({})["ti"].returned["discover"]
    rejected.contract = contract(minimum=-9)
    assert rejected.discover({})["ti"].returned["discover"]["run"] != first["run"]


def test_a_condition_chooses_the_rows(rejected: Pipeline) -> None:
    where = "source_file LIKE '%/a.csv' AND EXISTS (SELECT 1 FROM UNNEST(reasons) AS r WHERE r.value = '-1')"
    assert rejected.replay(where=where)["replay"]["rows"] == 1
    assert rejected.query(SILVER) == [(1, 7), (2, -1)]


@pytest.mark.parametrize(
    "where",
    [
        "no_such_column = 1",
        "TRUE) OR (TRUE",
        "TRUE UNION ALL SELECT 1",
        "TRUE; SELECT 1",
        "TRUE LIMIT 1",
        "SELECT TRUE",
        "TRUE /*",
    ],
)
def test_what_is_no_condition_is_refused(rejected: Pipeline, where: str) -> None:
    with pytest.raises(AirflowFailException, match=r"replay\.where: expected a GoogleSQL condition"):
        rejected.discover({"where": where})


def test_a_dry_run_publishes_nothing_and_says_what_would_pass(rejected: Pipeline) -> None:
    context = rejected.discover({"dry_run": True})
    rejected.clean(context)
    for task_id in ("stage.unchanged", "stage.tables", "stage.rows", "stage.files", "audit"):
        rejected.task(task_id, context)
    assert "of 3 rejected rows 2 would now pass, 1 would not" in skipped(rejected, "publish", context)
    assert rejected.query(SILVER) == [(1, 7)]
    assert [by for _, by in rejected.query(QUARANTINE)] == [None, None, None]


def test_the_replay_after_a_dry_run_is_the_same_run(rejected: Pipeline) -> None:
    dry = rejected.discover({"dry_run": True})["ti"].returned["discover"]
    assert rejected.replay()["run"] == dry["run"]


def test_rows_are_read_by_the_header_of_their_file(pipeline: Pipeline) -> None:
    pipeline.run("-1,2,0", header="amount,order_id,second")
    pipeline.contract = contract(minimum=-1)
    pipeline.replay()
    assert pipeline.query(SILVER) == [(2, -1)]


def test_rows_come_back_exactly_as_they_were_read(pipeline: Pipeline) -> None:
    pipeline.run('1,0,-1,"ü ☃\t\\ ', "2,0,-1,'\x01", header="order_id,second,amount,note")
    pipeline.contract = contract(minimum=-1)
    run = pipeline.replay()["run"]
    assert [by for _, by in pipeline.query(QUARANTINE)] == [run, run]


def test_what_was_not_utf8_is_told_from_what_has_its_mark(pipeline: Pipeline) -> None:
    pipeline.run("1,0,-1,\ufffd", "2,0,-2,\ufffd", header="order_id,second,amount,note")
    reasons = "[STRUCT('' AS `column`, 'encoding' AS rule, '' AS value)]"
    pipeline.query(f"UPDATE quarantine.{{product}} SET reasons = {reasons} WHERE STARTS_WITH(raw, '2')")
    folder = pipeline.path(pipeline.manifest(pipeline.discover({"dry_run": True})).replay or "")
    lines = [json.loads(line) for part in folder.glob("*.json") for line in part.read_text().splitlines()]
    assert sorted((line["raw"], line["is_utf8"]) for line in lines) == [
        ("1,0,-1,\ufffd", True),
        ("2,0,-2,\ufffd", False),
    ]


def test_a_line_that_was_rejected_twice_is_resolved_twice(pipeline: Pipeline) -> None:
    pipeline.run("1,0,-1", "1,0,-1")
    pipeline.contract = contract(minimum=-1)
    run = pipeline.replay()["run"]
    assert pipeline.query(SILVER) == [(1, -1)]
    assert pipeline.query(QUARANTINE) == [("1,0,-1", run), ("1,0,-1", run)]


def test_of_a_file_that_came_again_the_newest_version_alone_is_replayed(pipeline: Pipeline) -> None:
    pipeline.run("1,0,-1")
    pipeline.run("1,1,-2")
    pipeline.contract = contract(minimum=-2)
    assert pipeline.replay()["replay"]["rows"] == 1
    assert pipeline.query(SILVER) == [(1, -2)]


def test_a_row_that_is_lost_on_the_way_stops_the_replay(rejected: Pipeline) -> None:
    context = rejected.discover({})
    (exported,) = rejected.path(rejected.manifest(context).replay or "").glob("*.json")
    exported.write_text("".join(exported.read_text().splitlines(keepends=True)[1:]))
    rejected.clean(context)
    with pytest.raises(AirflowFailException, match="replayed_rows: 3 rows selected from quarantine, 2 read"):
        rejected.publish(context)
    assert rejected.query(SILVER) == [(1, 7)]


def test_rows_that_another_run_has_taken_up_meanwhile_are_not_brought_again(rejected: Pipeline) -> None:
    late = rejected.discover({})
    rejected.clean(late)
    rejected.replay(where="source_file LIKE '%/a.csv'")
    before = rejected.published()
    with pytest.raises(AirflowFailException, match="1 rows of this replay are no longer to be brought"):
        rejected.publish(late)
    assert rejected.published() == before
    rejected.replay()
    assert rejected.query(SILVER) == [(1, 7), (2, -1), (3, -5)]
    assert rejected.query(SUPERSEDED) == [(0,)]


def test_rows_that_all_fail_still_pass_the_ratio(rejected: Pipeline) -> None:
    rejected.contract = contract(minimum=0)
    rejected.replay()
    checks = rejected.query("SELECT DISTINCT name FROM ops.checks WHERE product = '{product}' ORDER BY name")
    assert ("rejected_ratio",) in checks and ("replayed_rows",) in checks


def test_a_replay_does_not_look_at_files_that_are_gone(rejected: Pipeline) -> None:
    context = rejected.discover({})
    for name in ("a.csv", "b.csv"):
        rejected.path(f"gs://local-bronze/{rejected.product.name}/{name}").unlink()
    rejected.task("stage.unchanged", context)


def test_a_product_that_has_never_run_has_nothing_to_replay(pipeline: Pipeline) -> None:
    with pytest.raises(AirflowSkipException, match="Nothing to replay"):
        pipeline.discover({})


def test_the_ledger_counts_a_replayed_row_as_what_it_is_by_now(rejected: Pipeline) -> None:
    rejected.contract = contract(minimum=0)
    rejected.run("5,0,-1", "5,1,-2", name="c.csv")
    rejected.contract = contract(minimum=-5)
    rejected.replay()
    ledger = "SELECT rows_read, rows_valid, rows_rejected, rows_duplicate FROM ops.files"
    assert rejected.query(f"{ledger} WHERE product = '{{product}}' ORDER BY uri") == [
        (3, 2, 1, 0),
        (1, 1, 0, 0),
        (2, 1, 0, 1),
    ]


def test_the_report_counts_the_rows_of_a_file_once_however_often_they_are_read(rejected: Pipeline) -> None:
    assert _quality(rejected) == Quality(1, 2, 4, 1, 3, 0)
    rejected.replay()
    assert _quality(rejected) == Quality(2, 2, 4, 3, 1, 0)
    rejected.contract = contract(minimum=-9)
    rejected.backfill("2017-01-01", "2017-01-31", apply=True)
    assert _quality(rejected) == Quality(3, 2, 4, 4, 0, 0)
    rejected.run("1,0,7", "2,1,-10")
    assert _quality(rejected) == Quality(4, 2, 3, 2, 1, 0)


def _quality(pipeline: Pipeline) -> Quality:
    return read_figures(client(pipeline.environment), pipeline.environment, pipeline.product, "r").quality
