"""A gold table is refreshed by what was touched, and shown only once it has passed its checks."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from medallion.sql import SQL
from pipeline.scripts import script
from tests.dags.pipeline.conftest import SELECT, Define
from tests.dags.pipeline.orders import Pipeline

DAY = 86_400
SHOWN = "SELECT CAST(order_date AS STRING), amount FROM gold.{product} ORDER BY order_date"
CHECKED = (
    "SELECT name, severity, passed, detail, offending FROM ops.checks"
    " WHERE product = '{product}' AND step = 'gold' AND run = '%s' ORDER BY name"
)


def refresh(pipeline: Pipeline, *lines: str, name: str = "a.csv") -> str:
    """Publishes a file and refreshes gold; returns the run."""
    found = pipeline.run(*lines, name=name)
    pipeline.refresh(found)
    return found["run"]


def test_only_touched_dates_are_written_anew(pipeline: Pipeline, define: Define) -> None:
    refresh(pipeline, "1,0,10", f"2,{DAY},20")
    # A mark on a row that no refresh has a reason to write.
    pipeline.query("UPDATE gold.{product} SET amount = -1 WHERE order_date = '2017-01-02'")
    refresh(pipeline, f"3,{DAY},5", name="b.csv")
    assert pipeline.query(SHOWN) == [("2017-01-02", -1), ("2017-01-03", 25)]


def test_a_failing_check_leaves_the_table_as_it_was_and_keeps_the_keys(
    pipeline: Pipeline, define: Define
) -> None:
    refresh(pipeline, "1,0,10")
    found = pipeline.run(f"2,{DAY},500", f"3,{DAY},1", f"4,{2 * DAY},7", name="b.csv")
    with pytest.raises(AirflowFailException, match=r"stays as it was: .*\.small: 1 rows against: a date has"):
        pipeline.refresh(found)
    assert pipeline.query(SHOWN) == [("2017-01-02", 10)]
    lonely, small = pipeline.query(CHECKED % found["run"])
    assert small[1:4] == ("fail", False, "1 rows against: a date has at most 100")
    assert [json.loads(key) for key in small[4]] == [{"order_date": "2017-01-03", "amount": 501}]
    assert (lonely[1:3], len(lonely[4])) == (("warn", False), 1)


def test_a_refresh_that_failed_is_made_up_for_by_the_next_one(pipeline: Pipeline, define: Define) -> None:
    refresh(pipeline, "1,0,10")
    with pytest.raises(AirflowFailException, match="small"):
        refresh(pipeline, f"2,{DAY},500", name="b.csv")
    refresh(pipeline, f"2,{DAY + 1},50", name="c.csv")
    assert pipeline.query(SHOWN) == [("2017-01-02", 10), ("2017-01-03", 50)]


def test_a_second_try_notes_what_was_found_once(pipeline: Pipeline, define: Define) -> None:
    found = pipeline.run("2,0,500")
    for _ in range(2):
        with pytest.raises(AirflowFailException, match="small"):
            pipeline.refresh(found)
    assert [(severity, passed) for _, severity, passed, *_ in pipeline.query(CHECKED % found["run"])] == [
        ("warn", False),
        ("fail", False),
    ]


def test_a_table_without_checks_is_shown(pipeline: Pipeline, define: Define) -> None:
    define(checks="")
    run = refresh(pipeline, "1,0,500")
    assert pipeline.query(SHOWN) == [("2017-01-02", 500)]
    assert pipeline.query(CHECKED % run) == []


@pytest.mark.parametrize(
    "name", ["pipeline/audit", "pipeline/checks", "pipeline/gold", "training/scores_checks"]
)
def test_of_tables_that_products_share_rows_are_deleted_only_where_there_are_some(name: str) -> None:
    """BigQuery lets two statements at once change rows of a table, and fails those after the next twenty."""
    statements = re.split(r";\n", (SQL / f"{name}.sql").read_text())
    deleting = [statement for statement in statements if "DELETE FROM `{{ ops }}" in statement]
    assert len(deleting) == 1
    assert re.search(r"IF EXISTS \(\s*SELECT 1\s+FROM `\{\{ ops .*\) THEN\s+DELETE", deleting[0], re.DOTALL)


def test_a_warning_is_noted_and_stops_nothing(pipeline: Pipeline, define: Define) -> None:
    run = refresh(pipeline, "1,0,10")
    assert [row[1:4] for row in pipeline.query(CHECKED % run)] == [
        ("warn", False, "1 rows against: a date has two orders or more"),
        ("fail", True, "0 rows against: a date has at most 100"),
    ]


def test_at_most_100_keys_are_kept(pipeline: Pipeline, define: Define) -> None:
    run = refresh(pipeline, *(f"{day},{day * DAY},1" for day in range(150)))
    lonely = pipeline.query(CHECKED % run)[0]
    assert (lonely[3], len(lonely[4])) == ("150 rows against: a date has two orders or more", 100)


def test_a_changed_select_makes_the_whole_table_anew(pipeline: Pipeline, define: Define) -> None:
    refresh(pipeline, "1,0,10", f"2,{DAY},20")
    define(SELECT.replace("order_date, COUNT(*)", "MAX(amount) AS greatest, order_date, COUNT(*)"))
    found = pipeline.discover()["ti"].returned["discover"]
    assert found == {}  # no file is new; only gold is owed
    pipeline.refresh(found)
    rows = pipeline.query("SELECT CAST(order_date AS STRING), greatest FROM gold.{product} ORDER BY 1")
    assert rows == [("2017-01-02", 10), ("2017-01-03", 20)]


def test_a_select_that_comes_back_makes_the_whole_table_anew(pipeline: Pipeline, define: Define) -> None:
    changed = SELECT.replace("order_date, COUNT(*)", "MAX(amount) AS greatest, order_date, COUNT(*)")
    refresh(pipeline, "1,0,10")
    for select in (changed, SELECT):
        define(select)
        found = pipeline.discover()["ti"].returned["discover"]
        pipeline.refresh(found)
    refresh(pipeline, f"2,{DAY},20", name="b.csv")
    assert pipeline.query("SELECT * FROM gold.{product} ORDER BY order_date") == [
        (date(2017, 1, 2), 1, 10),
        (date(2017, 1, 3), 1, 20),
    ]


@pytest.mark.parametrize("rebuild", ["touched_partitions", "full"])
def test_a_refresh_leaves_what_another_one_has_shown_since_it_began(
    pipeline: Pipeline, define: Define, monkeypatch: pytest.MonkeyPatch, rebuild: str
) -> None:
    (table,) = pipeline.product.gold
    pipeline.product = replace(pipeline.product, gold=(replace(table, rebuild=rebuild),))
    refresh(pipeline, "1,0,10")
    found = pipeline.run(f"2,{DAY},20", name="b.csv")
    product = f"product = '{pipeline.product.name}'"
    other = f"""
INSERT INTO ops.refreshes (product, table_name, definition, run, refreshed_at)
SELECT product, table_name, definition, '{found["run"]}', refreshed_at FROM ops.refreshes WHERE {product};
INSERT INTO gold.{table.table} (order_date, orders, amount) VALUES (DATE '2017-01-03', 2, 21);
"""
    # The emulator runs a script in one go: what the other refresh does meanwhile is put into it.
    build = "CREATE OR REPLACE TABLE `staging."
    submitted_as(monkeypatch, lambda sql: sql.replace(build, f"{other}{build}"))
    with pytest.raises(AirflowException, match="could not serialize with another refresh") as failure:
        pipeline.refresh(found)
    assert type(failure.value) is AirflowException  # which is tried again
    assert pipeline.query(SHOWN) == [("2017-01-02", 10), ("2017-01-03", 21)]


def test_each_refresh_of_dates_changes_a_row_of_its_tables_own(pipeline: Pipeline, define: Define) -> None:
    """BigQuery aborts one of two transactions that change the same table. The emulator runs one at a time."""
    for number in range(3):  # the first one makes the table
        refresh(pipeline, f"{number},{number * DAY},7", name=f"{number}.csv")
        assert pipeline.query("SELECT turns FROM silver.{product}__gold_turn") == [(number,)]


def test_a_changed_layout_makes_the_table_anew_and_a_changed_select_replaces_it(
    pipeline: Pipeline, define: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(pipeline, "1,0,10")
    (table,) = pipeline.product.gold
    # BigQuery replaces no table by one of another layout, the emulator does: it is told to replace none.
    made = "TABLE `gold."
    submitted_as(monkeypatch, lambda sql: sql.replace(f"CREATE OR REPLACE {made}", f"CREATE {made}"))
    clustered = [
        replace(table, cluster_by=columns) for columns in (("orders", "amount"), ("amount", "orders"))
    ]
    for changed in (*clustered, replace(table, rebuild="full", partition_by=None)):
        pipeline.product = replace(pipeline.product, gold=(changed,))
        pipeline.refresh(pipeline.discover()["ti"].returned["discover"])
        assert pipeline.query(SHOWN) == [("2017-01-02", 10)]
    define(SELECT.replace("Orders of", "All orders of"))
    with pytest.raises(AirflowFailException, match="Already Exists"):
        pipeline.refresh({})


def submitted_as(monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]) -> None:
    """Scripts of refreshes are changed before they are submitted."""
    monkeypatch.setattr(
        "pipeline.gold.script", lambda environment, sql, named: script(environment, change(sql), named)
    )


def test_checks_without_a_head_are_named(pipeline: Pipeline, define: Define) -> None:
    define(checks="SELECT 1")
    found = pipeline.run("1,0,10")
    with pytest.raises(
        Exception, match=r"sql/gold/.*checks.sql: a check: expected -- #fail or #warn, .* 'SELECT 1'"
    ):
        pipeline.refresh(found)
