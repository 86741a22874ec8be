"""Columns that files bring and the contract doesn't know, on their way to silver."""

import re
from typing import Any

import pytest
from airflow.exceptions import AirflowFailException

from medallion.environments import load_environment
from medallion.odcs import parse_contract
from medallion.sql import render
from pipeline.drift import DriftError, evolved_columns
from tests.dags.pipeline.orders import Pipeline
from tests.dags.pipeline.stand_in_job import HEADER, contract

TIERED = f"{HEADER},tier"
SILVER = "SELECT order_id, amount, tier FROM silver.{product} ORDER BY order_id"


def test_a_new_column_is_added_and_filled(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7")
    pipeline.run("2,0,8,gold", "3,0,9,", header=TIERED, name="b.csv")
    assert pipeline.query(SILVER) == [(1, 7, None), (2, 8, "gold"), (3, 9, "")]


def test_the_first_run_may_bring_one(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7,gold", header=TIERED)
    assert pipeline.query(SILVER) == [(1, 7, "gold")]


def test_a_new_column_may_be_called_whatever_sql_calls_its_own(pipeline: Pipeline) -> None:
    names = ["order", "select", "group", "a__b", "place__c", "c_partitiontime", "x" * 128]
    pipeline.run(",".join(["1,0,7", *names]), header=",".join([HEADER, *names]))
    found = ", ".join(f"`{name}`" for name in names)
    assert pipeline.query(f"SELECT {found} FROM silver.{{product}}") == [tuple(names)]


def test_two_files_of_a_run_may_differ(pipeline: Pipeline) -> None:
    pipeline.land("b.csv", "2,0,8")
    pipeline.run("1,0,7,gold,x", header=f"{TIERED},note")
    assert pipeline.query(SILVER) == [(1, 7, "gold"), (2, 8, None)]
    assert pipeline.query("SELECT note FROM silver.{product} ORDER BY order_id") == [("x",), (None,)]


@pytest.mark.parametrize("order", ["newer first", "newer last"])
def test_the_newest_row_wins_whole_whatever_the_order(pipeline: Pipeline, order: str) -> None:
    older, newer = ("1,0,7,gold", TIERED, "a.csv"), ("1,1,8", HEADER, "b.csv")
    pipeline.run("9,0,1,silver", header=TIERED, name="first.csv")
    for line, header, name in (older, newer) if order == "newer last" else (newer, older):
        pipeline.run(line, header=header, name=name)
    assert pipeline.query(SILVER) == [(1, 8, None), (9, 1, "silver")]


def test_a_new_column_is_let_be_where_the_contract_ignores_it(pipeline: Pipeline) -> None:
    pipeline.contract = contract(new_columns="ignore")
    pipeline.run("1,0,7,gold", header=TIERED)
    (row,) = pipeline.query("SELECT * FROM silver.{product}")
    assert "gold" not in row


def test_a_new_column_stops_the_run_where_the_contract_says_so(pipeline: Pipeline) -> None:
    pipeline.contract = contract(new_columns="fail")
    with pytest.raises(AirflowFailException, match="drift: columns beyond the contract: note, tier"):
        pipeline.run("1,0,7,gold,x", header=f"{TIERED},note")
    assert pipeline.query("SELECT COUNT(*) FROM ops.runs WHERE product = '{product}'") == [(0,)]


def test_a_nullable_column_that_the_contract_gains_is_added(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7")
    pipeline.query("ALTER TABLE silver.{product} DROP COLUMN amount")
    pipeline.run("2,0,8", name="b.csv")
    assert pipeline.query("SELECT order_id, amount FROM silver.{product} ORDER BY 1") == [(1, None), (2, 8)]


def test_a_column_that_was_gained_as_optional_may_be_demanded_later(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7", name="a.csv")
    optional, demanded = contract(deletes=True), contract(deletes=True)
    demanded["schema"][0]["properties"][-1]["required"] = True
    for number, known in ((2, optional), (3, demanded)):
        pipeline.contract = known
        pipeline.run(f"{number},0,{number},false", header=f"{HEADER},gone", name=f"{number}.csv")
    rows = pipeline.query("SELECT order_id, gone FROM silver.{product} ORDER BY order_id")
    assert rows == [(1, None), (2, False), (3, False)]


def test_publishing_again_adds_nothing(pipeline: Pipeline) -> None:
    pipeline.land("a.csv", "1,0,7,gold", header=TIERED)
    context = pipeline.discover()
    pipeline.clean(context)
    pipeline.publish(context)
    pipeline.task("publish", context)
    assert pipeline.query(SILVER) == [(1, 7, "gold")]
    assert pipeline.query("SELECT COUNT(*) FROM ops.files WHERE product = '{product}'") == [(1,)]


def test_a_file_keeps_its_format_and_its_header_in_the_ledger(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7,gold", header=TIERED)
    ledger = pipeline.query("SELECT format, header FROM ops.files WHERE product = '{product}'")
    assert ledger == [("csv", TIERED)]


@pytest.mark.parametrize("stored", [{}, {"tier": "STRING"}])
def test_the_columns_are_the_same_before_and_after_they_are_added(stored: dict[str, str]) -> None:
    known = {"order_id": "INTEGER", "run": "STRING", "note": "STRING", "stock": "INTEGER"}
    assert evolved_columns(orders(), {"tier": 1}, {**known, **stored}) == (["note", "tier"], [])


@pytest.mark.parametrize(
    "name", ["Tier", "1st", "a b", "a`b", "order_id", "run", "row_hash", "", "place__", "a\n"]
)
def test_a_name_that_silver_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(DriftError, match="expected a new column's name"):
        evolved_columns(orders(), {name: 1}, {})


def test_a_name_that_differs_from_a_columns_in_case_only_is_refused() -> None:
    document = contract()
    document["schema"][0]["properties"][3]["name"] = "Amount"
    with pytest.raises(DriftError, match="expected a new column's name, got 'amount'"):
        evolved_columns(parse_contract(document, "orders.yaml"), {"amount": 1}, {})


def test_silver_takes_a_thousand_new_columns_those_of_most_files_first() -> None:
    brought = {"tier": 9, **{f"c{number:04}": 1 for number in range(1_001)}}
    evolved, left_out = evolved_columns(orders(), brought, {"amount": "INTEGER"})
    assert (len(evolved), "tier" in evolved, left_out) == (1_000, True, ["c0999", "c1000"])


@pytest.mark.parametrize("length", [5, 20, 128])
def test_the_publications_script_is_none_that_is_too_long_for_bigquery(length: int) -> None:
    brought = {f"c{number:0{length - 1}}": 1 for number in range(1_000)}
    evolved, left_out = evolved_columns(orders(), brought, {})
    assert (len(evolved), len(evolved) + len(left_out)) == (min(1_000, 20_000 // length), 1_000)
    assert evolved_columns(orders(), brought, dict.fromkeys(evolved, "STRING")) == (evolved, left_out)
    assert 10_000 < len(publication(evolved)) < 850_000  # of 1,000,000, with room for a wide contract


def test_a_script_that_ends_between_two_tables_adds_the_column_to_both_the_next_time() -> None:
    added = re.findall(r"ALTER TABLE `(.*)`\n  ADD COLUMN IF NOT EXISTS `tier`", publication(["tier"]))
    assert added == ["silver.orders__superseded", "silver.orders"]  # the last tells what is there


@pytest.mark.parametrize("room", [0, 1])
def test_what_silver_has_already_takes_of_its_room(room: int) -> None:
    stored = {f"c{number}": "STRING" for number in range(1_000 - room)}
    evolved, left_out = evolved_columns(orders(), {"tier": 1, "c0": 1, "note": 2}, stored)
    assert evolved == sorted([*stored, *["note", "tier"][:room]])
    assert left_out == ["note", "tier"][room:]


def test_files_that_bring_too_much_together_are_published_without_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.drift.MAX_NEW_COLUMNS", 1)
    pipeline.land("b.csv", "2,0,8,x", header=f"{HEADER},note")
    pipeline.land("c.csv", "3,0,9,y", header=f"{HEADER},remark")
    pipeline.run("1,0,7,gold,z", header=f"{TIERED},note")
    found = pipeline.query("SELECT order_id, amount, note FROM silver.{product} ORDER BY order_id")
    assert found == [(1, 7, "z"), (2, 8, "x"), (3, 9, None)]
    told = (
        "SELECT severity, passed, detail FROM ops.checks WHERE product = '{product}' AND name = 'new_columns'"
    )
    ((severity, passed, detail),) = pipeline.query(told)
    assert (severity, passed) == ("warn", False)
    assert detail == (
        "2 new columns are left in their files, for silver has at most 1 beyond the contract, of 20,000 "
        "letters in all: remark, tier. Next: put those that are wanted into the contract, and backfill."
    )


def test_a_column_of_another_type_is_not_taken_for_a_new_one() -> None:
    with pytest.raises(DriftError, match=r"orders\.tier: expected STRING in silver, .* got INTEGER"):
        evolved_columns(orders(), {"tier": 1}, {"tier": "INTEGER"})


def orders() -> Any:
    return parse_contract(contract(), "orders.yaml")


def publication(evolved: list[str]) -> str:
    """The script of a publication of orders, of which silver has these columns beyond the contract."""
    product = {"product": "orders", "partition_by": "order_date", "cluster_by": [], "left_out": None}
    run = {"run": "0123456789abcdef", "table": "orders__0123456789abcdef", "release": "", "replay": None}
    known = {"contract": orders(), "evolved": evolved, "fresh": True}
    return render("pipeline/publish.sql", load_environment("local"), **product, **run, **known)
