"""What silver shows after runs of any order, and what becomes of a file that comes again."""

import itertools
import json
import re
from datetime import date

import pytest
from airflow.exceptions import AirflowFailException
from airflow.providers.google.cloud.hooks.gcs import GCSHook

from pipeline.scripts import client
from tests.dags.pipeline.conftest import Define
from tests.dags.pipeline.orders import STAGED, Pipeline
from tests.dags.pipeline.stand_in_job import HEADER, contract

SILVER = "SELECT order_id, amount FROM silver.{product} ORDER BY order_id"
SUPERSEDED = "SELECT order_id, amount FROM silver.{product}__superseded ORDER BY order_id, amount"
DATES = "SELECT order_id, order_date FROM silver.{product} ORDER BY order_id"
TOUCHED = "SELECT partition_date FROM ops.touched_partitions WHERE run = '%s' ORDER BY partition_date"
CHECKED = "SELECT CONCAT(step, ' ', name) FROM ops.checks WHERE product = '{product}' AND passed ORDER BY 1"
DAY = 86_400


def touched(pipeline: Pipeline, run: str) -> list[date]:
    return [row[0] for row in pipeline.query(TOUCHED % run)]


def test_the_newest_row_of_a_key_wins_whatever_the_order_of_arrival(pipeline: Pipeline) -> None:
    orders = list(itertools.permutations(("0,10", "9,19", "5,15")))
    process_in_orders(pipeline, orders)
    assert pipeline.query(SILVER) == [(key, 19) for key in range(len(orders))]
    lost = [(key, amount) for key in range(len(orders)) for amount in (10, 15)]
    assert pipeline.query(SUPERSEDED) == lost


def test_a_deleted_row_stays_away_whatever_the_order(pipeline: Pipeline) -> None:
    pipeline.contract = contract(deletes=True)
    header = f"{HEADER},gone"
    orders = list(itertools.permutations(("0,10,false", "5,10,true", "2,12,")))
    process_in_orders(pipeline, orders, header)
    assert pipeline.query(SILVER) == []
    pipeline.run("1,9,11,false", header=header, name="back.csv")
    assert pipeline.query(SILVER) == [(1, 11)]


def process_in_orders(pipeline: Pipeline, orders: list[tuple[str, ...]], header: str = HEADER) -> None:
    """A run for each place of the orders; each order has a key, which is its number, and files of its own."""
    for place, values in enumerate(zip(*orders, strict=True)):
        for key, value in enumerate(values[1:], 1):
            pipeline.land(f"{place}-{key}.csv", f"{key},{value}", header=header)
        pipeline.run(f"0,{values[0]}", header=header, name=f"{place}-0.csv")


def test_a_correction_that_moves_a_row_to_another_date_leaves_one_row(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7", "2,0,7")
    run = pipeline.run(f"1,{3 * DAY},8", name="b.csv")["run"]
    assert pipeline.query(DATES) == [(1, date(2017, 1, 5)), (2, date(2017, 1, 2))]
    assert touched(pipeline, run) == [date(2017, 1, 2), date(2017, 1, 5)]


def test_an_older_row_that_comes_late_changes_nothing_and_touches_no_date(pipeline: Pipeline) -> None:
    pipeline.run(f"1,{3 * DAY},8")
    run = pipeline.run("1,0,7", name="b.csv")["run"]
    assert pipeline.query(SILVER) == [(1, 8)]
    assert touched(pipeline, run) == []


def test_a_newer_generation_takes_the_place_of_the_older_one(pipeline: Pipeline) -> None:
    pipeline.run("1,5,10", "2,5,20", f"3,{DAY},30")
    # Older by its time, and yet what the file says now.
    run = pipeline.run("1,0,11", "4,0,40")["run"]
    assert pipeline.query(SILVER) == [(1, 11), (4, 40)]
    assert pipeline.query(SUPERSEDED) == []
    assert touched(pipeline, run) == [date(2017, 1, 2), date(2017, 1, 3)]


def test_a_file_that_comes_again_and_cannot_be_used_takes_nothing_away(pipeline: Pipeline) -> None:
    pipeline.run("1,0,10", "2,0,-1")
    run = pipeline.run()["run"]  # header only
    assert pipeline.query(SILVER) == [(1, 10)]
    assert pipeline.query("SELECT resolved_by FROM quarantine.{product}") == [(None,)]
    assert touched(pipeline, run) == []
    told = f"SELECT name, severity FROM ops.checks WHERE run = '{run}' AND NOT passed"
    assert pipeline.query(told) == [("unusable_files", "warn")]
    pipeline.run("1,0,11")
    assert pipeline.query(SILVER) == [(1, 11)]
    assert pipeline.query("SELECT resolved_by IS NULL FROM quarantine.{product}") == [(False,)]


def test_a_run_of_more_dates_than_bigquery_takes_is_told_before_it_fails(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.audit.MAX_DATES", 1)
    pipeline.run("1,0,10")
    with pytest.raises(AirflowFailException, match="business_dates: 2 business dates in one run"):
        pipeline.run("1,0,10", f"2,{DAY},20")


def test_what_an_older_generation_outdid_is_shown_again(pipeline: Pipeline) -> None:
    pipeline.run(f"1,{9 * DAY},90", name="a.csv")
    pipeline.run("1,1,10", "1,0,5", name="b.csv")
    pipeline.run(f"1,{3 * DAY},30", name="c.csv")
    run = pipeline.run("2,0,2", name="a.csv")["run"]
    assert pipeline.query(SILVER) == [(1, 30), (2, 2)]
    assert pipeline.query(SUPERSEDED) == [(1, 5), (1, 10)]
    assert touched(pipeline, run) == [date(2017, 1, 2), date(2017, 1, 5), date(2017, 1, 11)]


def test_the_ledger_has_the_checksums_that_a_listing_leaves_out(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7", name="a b.csv")
    context = pipeline.discover(backfill={"first": "2017-01-02", "last": "2017-01-02", "apply": False})
    bronze = GCSHook().get_conn().bucket(pipeline.environment.buckets["bronze"])
    checksum = bronze.get_blob(f"{pipeline.product.name}/a b.csv").crc32c
    assert pipeline.query("SELECT checksum FROM ops.files WHERE product = '{product}'") == [(checksum,)]
    assert [file.checksum for file in pipeline.manifest(context).files] == [checksum]


def test_an_unchanged_file_that_comes_again_touches_no_date(pipeline: Pipeline) -> None:
    pipeline.run("1,0,10", "2,0,20")
    run = pipeline.run("1,0,10", "2,0,20")["run"]
    assert pipeline.query(SILVER) == [(1, 10), (2, 20)]
    assert touched(pipeline, run) == []


def test_rejected_rows_of_an_older_generation_are_not_replayed(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7", "2,0,-1")
    run = pipeline.run("1,0,7")["run"]
    assert pipeline.query("SELECT resolved_by FROM quarantine.{product}") == [(run,)]


def test_quarantine_is_not_gone_through_for_a_file_that_never_came_before(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7", name="b.csv")
    bronze = pipeline.environment.buckets["bronze"]
    # No ledger line of a.csv says that there is such a row: whoever looks through the table would find it.
    pipeline.query(
        "INSERT INTO quarantine.{product} (run, source_file, source_generation, contract_version, raw)"
        f" VALUES ('r', 'gs://{bronze}/{{product}}/a.csv', 1, '1.0.0', '2,0,-1')"
    )
    pipeline.run("2,0,7", name="a.csv")
    assert pipeline.query("SELECT resolved_by FROM quarantine.{product}") == [(None,)]


def test_a_file_that_is_overwritten_under_its_run_is_not_published(pipeline: Pipeline) -> None:
    pipeline.land("a.csv", "1,0,10")
    context = pipeline.discover()
    pipeline.clean(context)
    pipeline.land("a.csv", "1,0,11")
    with pytest.raises(AirflowFailException, match="1 files were overwritten or deleted"):
        pipeline.publish(context)
    assert pipeline.query("SELECT COUNT(*) FROM ops.runs WHERE product = '{product}'") == [(0,)]


def test_the_rows_of_an_overtaken_generation_are_not_shown(pipeline: Pipeline) -> None:
    pipeline.land("a.csv", "1,0,10", "2,0,20")
    overtaken = pipeline.discover()
    pipeline.clean(overtaken)
    pipeline.run("1,0,11")
    for task in ("stage.tables", "stage.rows", "stage.files", "audit", "publish"):
        pipeline.task(task, overtaken)
    assert pipeline.query(SILVER) == [(1, 11)]


def test_a_run_that_is_published_again_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.land("a.csv", "1,0,10", "1,1,11", "2,0,-1")
    context = pipeline.discover()
    pipeline.clean(context)
    pipeline.publish(context)
    tables = (
        "silver.{product}",
        "silver.{product}__superseded",
        "silver.{product}__keys",
        "quarantine.{product}",
    )
    before = [pipeline.query(f"SELECT * FROM {table}") for table in tables]
    sql = submitted(pipeline, context["ti"].returned["discover"]["run"])
    pipeline.query(sql.replace("{", "{{").replace("}", "}}"))
    assert [pipeline.query(f"SELECT * FROM {table}") for table in tables] == before


def test_a_run_that_was_undone_is_published_again(pipeline: Pipeline, define: Define) -> None:
    pipeline.land("a.csv", "1,0,10", "1,1,11", "2,0,-1")
    runs, shown = [], []
    for _ in range(2):
        context = pipeline.discover()
        pipeline.clean(context)
        pipeline.publish(context)
        runs.append(context["ti"].returned["discover"])
        pipeline.refresh(runs[-1])
        published = pipeline.published()
        shown.append({name: rows for name, rows in published.items() if not name.startswith("ops.")})
        shown[-1]["ops.checks"] = [told for (told,) in pipeline.query(CHECKED)]
        # As if all were restored from before the run, of which Cloud Storage and the jobs still tell.
        for name in (*published, "ops.checks"):
            which = "product = '{product}'" if name.startswith("ops.") else "TRUE"
            pipeline.query(f"DELETE FROM {name} WHERE {which}")
    assert runs[0]["run"] == runs[1]["run"]
    assert shown[0] == shown[1]
    assert all(shown[0].values())
    assert f"gold.{pipeline.product.name}" in shown[0]


def test_a_run_that_others_have_overtaken_leaves_their_files_alone(pipeline: Pipeline) -> None:
    pipeline.land("a.csv", "1,0,10", "2,0,-1")
    pipeline.land("b.csv", "3,0,10", "4,0,-1")
    overtaken = pipeline.discover()
    pipeline.clean(overtaken)
    pipeline.land("c.csv", "5,0,10")
    pipeline.contract = contract(minimum=-1)
    pipeline.run("3,1,11", "4,1,-1", name="b.csv")
    before = pipeline.published()
    for task_id in (*STAGED[1:], "audit", "publish"):  # the first one saw the files before b.csv came again
        pipeline.task(task_id, overtaken)
    told = pipeline.published()
    (run,) = set(told.pop("ops.runs")) - set(before.pop("ops.runs"))
    (line,) = set(told.pop("ops.files")) - set(before.pop("ops.files"))
    assert told == before
    assert (json.loads(run)["files"], json.loads(run)["rows_read"]) == (1, 2)
    assert json.loads(line)["uri"].endswith("/b.csv")  # of the version that is no more


def test_files_that_another_run_has_published_meanwhile_are_not_published_again(pipeline: Pipeline) -> None:
    pipeline.land("a.csv", "1,0,10", "1,1,11", "2,0,-1")
    late = pipeline.discover()
    pipeline.clean(late)
    first = pipeline.run("3,0,10", name="b.csv")["run"]
    before = pipeline.published()
    pipeline.publish(late)
    told = pipeline.published()
    assert late["ti"].returned["discover"]["run"] != first
    (run,) = set(told.pop("ops.runs")) - set(before.pop("ops.runs"))
    assert (json.loads(run)["files"], json.loads(run)["rows_valid"]) == (0, 0)
    assert told == before


def test_each_publication_changes_a_row_of_its_products_own_first(pipeline: Pipeline) -> None:
    """BigQuery aborts one of two transactions that change the same table. The emulator runs one at a time."""
    for number in (1, 2):
        # Keys and files that nobody has seen: of silver and the ledger, no row is changed.
        run = pipeline.run(f"{number},0,7", name=f"{number}.csv")["run"]
        assert pipeline.query("SELECT turns FROM silver.{product}__turn") == [(number,)]
        _, _, transaction = submitted(pipeline, run).partition("BEGIN TRANSACTION;")
        turn = rf"\s*--[^\n]*\s*UPDATE `silver\.{pipeline.product.name}__turn`"
        assert re.match(turn, transaction)


def test_new_files_change_no_row_that_products_share(pipeline: Pipeline) -> None:
    new = pipeline.run("1,0,7")["run"]
    pipeline.backfill("2017-01-02", "2017-01-02", apply=True)
    again = pipeline.query("SELECT run FROM ops.files WHERE product = '{product}'")[0][0]
    assert again != new
    shared = r"(?:UPDATE|DELETE FROM|MERGE) `(ops\.\w+)`"
    told = {run: re.findall(shared, submitted(pipeline, run)) for run in (new, again)}
    assert told == {new: [], again: ["ops.files"]}


@pytest.mark.parametrize("later", ["optional", "gone"])
def test_what_a_contract_demands_no_more_may_be_null(pipeline: Pipeline, later: str) -> None:
    header = f"{HEADER},gone"
    strict, optional = contract(deletes=True), contract(deletes=True)
    strict["schema"][0]["properties"][-1]["required"] = True
    changed = optional if later == "optional" else contract()
    for number, known in enumerate((strict, changed, changed)):
        pipeline.contract = known
        pipeline.run(f"{number},0,10,false", header=header, name=f"{number}.csv")
    pipeline.query("UPDATE silver.{product} SET gone = NULL WHERE order_id = 2")
    shown = False if later == "optional" else None
    assert pipeline.query("SELECT gone FROM silver.{product} ORDER BY order_id") == [
        (False,),
        (shown,),
        (None,),
    ]


def submitted(pipeline: Pipeline, run: str) -> str:
    """The script that publish has run, as a second try would submit it if the first one's job were lost."""
    jobs = client(pipeline.environment).list_jobs(all_users=True)
    (sql,) = {job.query for job in jobs if job.job_id.startswith(f"{pipeline.product.name}-{run}-publish")}
    return sql
