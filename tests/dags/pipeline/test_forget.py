"""A person who is forgotten is in no table and in no file any more, and nobody else is missing."""

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from airflow.exceptions import AirflowFailException, AirflowSkipException
from google.cloud.storage import Client

from medallion.environments import Environment, load_environment
from medallion.odcs import parse_contract
from medallion.products import load_product
from medallion.sql import render
from pipeline import forget
from pipeline.forget import MODEL_TABLES
from pipeline.person import Person
from tests.dags.pipeline.collection import Collection
from tests.dags.pipeline.conftest import Define
from tests.dags.pipeline.orders import Pipeline
from tests.dags.pipeline.stand_in_job import contract

DAY = 86_400
MAX_QUERY = 1_000_000  # characters of a query without its parameters
SILVER = "SELECT order_id, amount FROM silver.{product} ORDER BY order_id"
NOTED = """
SELECT
  silver_rows, superseded_rows, quarantine_rows, files_rewritten,
  ARRAY_LENGTH(files_kept), ARRAY_LENGTH(models)
FROM ops.erasures
WHERE product = '{product}'
"""


@pytest.fixture(autouse=True)
def own_contract(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.forget.load_contract", lambda _: pipeline.contract)


def ask(pipeline: Pipeline, value: Any, column: str = "amount", name: str = "1f2e") -> dict[str, str]:
    """Leaves a request; of this small product a person is told by the amount."""
    uri = f"gs://{pipeline.environment.buckets['lake']}/erasures/{name}.json"
    pipeline.path(uri).parent.mkdir(parents=True, exist_ok=True)
    pipeline.path(uri).write_text(json.dumps({"column": column, "value": value}))
    return {"request": uri}


def bronze(pipeline: Pipeline, name: str) -> Path:
    return pipeline.path(f"gs://{pipeline.environment.buckets['bronze']}/{pipeline.product.name}/{name}")


def test_a_person_is_gone_from_every_table_and_file(pipeline: Pipeline, define: Define) -> None:
    pipeline.refresh(pipeline.run("1,0,77", "2,0,5", f"3,{DAY},6", name="a.csv"))
    pipeline.refresh(pipeline.run(f"4,{2 * DAY},77", "5,0,5", name="b.csv"))
    pipeline.refresh(pipeline.run(f"4,{3 * DAY},8", name="c.csv"))
    untouched = bronze(pipeline, "c.csv").read_bytes()

    request = ask(pipeline, "77")
    found = pipeline.discover(forget=request)["ti"].returned["discover"]
    assert found == {}
    pipeline.refresh(found)

    assert pipeline.query(SILVER) == [(2, 5), (3, 6), (4, 8), (5, 5)]
    assert pipeline.query("SELECT order_id FROM silver.{product}__superseded") == []
    totals = "SELECT order_date, amount FROM gold.{product} ORDER BY order_date"
    assert pipeline.query(totals) == [(date(2017, 1, 2), 10), (date(2017, 1, 3), 6), (date(2017, 1, 5), 8)]
    assert pipeline.query(NOTED) == [(1, 1, 0, 2, 0, 0)]
    assert bronze(pipeline, "a.csv").read_text() == f"order_id,second,amount\n2,0,5\n3,{DAY},6\n"
    assert bronze(pipeline, "c.csv").read_bytes() == untouched
    assert not pipeline.path(request["request"]).exists()
    left = pipeline.path(f"gs://{pipeline.environment.buckets['lake']}/runs/{pipeline.product.name}")
    assert list(left.glob("*/manifest.json")) != []
    assert list(left.glob("*/rows/*")) == []


def test_the_rewritten_files_are_not_new_and_a_backfill_brings_nobody_back(pipeline: Pipeline) -> None:
    pipeline.run("1,0,77", "2,0,5", "3,0,-1")
    pipeline.discover(forget=ask(pipeline, "77"))
    with pytest.raises(AirflowSkipException, match="Nothing new"):
        pipeline.discover()
    assert pipeline.backfill("2017-01-01", "2017-01-31", apply=True) == []
    assert pipeline.query(SILVER) == [(2, 5)]


def test_rejected_rows_of_the_person_alone_are_gone(pipeline: Pipeline) -> None:
    pipeline.contract = contract(minimum=100)
    pipeline.run("1,0,77", "77,0,5", "2,0,770")
    pipeline.discover(forget=ask(pipeline, "77"))
    assert pipeline.query("SELECT raw FROM quarantine.{product}") == [("77,0,5",)]
    assert pipeline.query(NOTED) == [(0, 0, 1, 1, 0, 0)]
    assert "1,0,77\n" not in bronze(pipeline, "a.csv").read_text()


def test_a_rejected_row_that_is_not_in_the_encoding_goes_if_it_names_the_person(pipeline: Pipeline) -> None:
    pipeline.contract = contract(minimum=100)
    pipeline.run("1,0,5", "78,0,5", "2,0,6")
    pipeline.query(
        "UPDATE quarantine.{product} SET raw = '77\ufffd,0,5',"
        " reasons = [STRUCT('' AS `column`, 'encoding' AS rule, '' AS value)] WHERE raw = '78,0,5'"
    )
    pipeline.discover(forget=ask(pipeline, "77"))
    assert pipeline.query("SELECT raw FROM quarantine.{product} ORDER BY raw") == [("1,0,5",), ("2,0,6",)]


def test_rejected_rows_can_be_replayed_from_a_file_that_was_rewritten(pipeline: Pipeline) -> None:
    pipeline.contract = contract(minimum=0)
    pipeline.run("1,0,77", "2,0,-1")
    pipeline.discover(forget=ask(pipeline, "77"))
    pipeline.contract = contract(minimum=-1)
    pipeline.replay()
    assert pipeline.query(SILVER) == [(2, -1)]


@pytest.mark.parametrize("value", ["077", " 77.00 ", 77, 77.0, "7.7e1"])
def test_a_number_may_be_written_otherwise(pipeline: Pipeline, value: Any) -> None:
    pipeline.run("1,0,77", "2,0,5", name="a.csv")
    pipeline.contract = contract(minimum=100)
    pipeline.run("3,0,077", "4,0,6", name="b.csv")  # both are rejected
    pipeline.discover(forget=ask(pipeline, value))
    assert pipeline.query(SILVER) == [(2, 5)]
    assert pipeline.query("SELECT raw FROM quarantine.{product}") == [("4,0,6",)]
    assert pipeline.query(NOTED) == [(1, 0, 1, 2, 0, 0)]


@pytest.mark.parametrize("value", ["77x", "77.5", "", True, None, 2**63, "NaN", "1e99"])
def test_a_value_that_the_column_cannot_hold_is_told_without_it(pipeline: Pipeline, value: Any) -> None:
    pipeline.run("1,0,77")
    request = ask(pipeline, value)
    with pytest.raises(AirflowFailException, match=r"value: expected one that amount, .* Next: ") as error:
        pipeline.discover(forget=request)
    assert not value or str(value) not in str(error.value)
    assert pipeline.path(request["request"]).exists()


@pytest.mark.parametrize("value", [True, ["a@b"], {"mail": "a@b"}, None, " "])
def test_a_value_that_no_text_is_is_told_before_anything_is_noted(pipeline: Pipeline, value: Any) -> None:
    pipeline.run("1,0,77")
    pipeline.contract = contract()
    pipeline.contract["schema"][0]["properties"].append({"name": "mail", "physicalType": "STRING"})
    request = ask(pipeline, value, column="mail")
    with pytest.raises(AirflowFailException, match="value: expected one that mail, of type STRING, may hold"):
        pipeline.discover(forget=request)
    assert pipeline.query(NOTED) == []
    assert pipeline.path(request["request"]).exists()


@pytest.mark.parametrize("text", ["77", "[77]", "{'value': 77}", '{"value": 77}', '{"column": "amount"}'])
def test_a_request_of_another_shape_is_told_without_what_it_says(pipeline: Pipeline, text: str) -> None:
    request = ask(pipeline, "77")
    pipeline.path(request["request"]).write_text(text)
    told = r"1f2e\.json: expected a JSON object with column and value, got something else\. Next: "
    with pytest.raises(AirflowFailException, match=told) as error:
        pipeline.discover(forget=request)
    assert "77" not in str(error.value).replace(request["request"], "")
    assert pipeline.path(request["request"]).exists()


@pytest.mark.parametrize(("column", "value", "days"), [("mail", "a@b", [3, 4]), ("balance", "1.5", [3])])
def test_persons_are_told_by_the_value_of_a_text_or_a_number(
    pipeline: Pipeline, column: str, value: str, days: list[int]
) -> None:
    document = contract()
    for name, kind in (("mail", "STRING"), ("balance", "NUMERIC(10, 2)")):
        document["schema"][0]["properties"].append({"name": name, "physicalType": kind})
    silver = (
        "SELECT DATE '2017-01-03' AS order_date, ' a@b' AS mail, CAST('1.50' AS NUMERIC) AS balance"
        " UNION ALL SELECT DATE '2017-01-04', 'a@b ', 15 UNION ALL SELECT DATE '2017-01-05', 'a@bc', NULL"
    )
    for table in ("{product}", "{product}__superseded"):
        pipeline.query(f"CREATE TABLE silver.{table} (order_date DATE, mail STRING, balance NUMERIC(10, 2))")
        pipeline.query(f"INSERT INTO silver.{table} {silver}")
    asked = {"product": pipeline.product.name, "partition_by": "order_date", "column": column, "value": value}
    sql = render("erasure/dates.sql", pipeline.environment, contract=parse_contract(document, "c"), **asked)
    assert pipeline.query(sql) == [(date(2017, 1, day), True) for day in days]


def test_copies_of_runs_that_were_never_published_are_gone(pipeline: Pipeline) -> None:
    pipeline.contract = contract(minimum=0)
    pipeline.run("1,0,77", "2,0,-1")
    pipeline.contract = contract(minimum=-1)
    context = pipeline.discover({"dry_run": True})
    pipeline.clean(context)
    manifest = pipeline.manifest(context)
    scratch = pipeline.path(f"{manifest.output}/scratch/unpacked/0")
    scratch.parent.mkdir(parents=True)
    scratch.write_text("1,0,77")  # of a job that was killed

    pipeline.discover(forget=ask(pipeline, "77"))
    folder = pipeline.path(manifest.output)
    left = {path.name for path in folder.rglob("*") if path.is_file()}
    assert left == {"manifest.json", "files.jsonl", "metrics.json"}
    assert pipeline.replay()["run"] != manifest.run  # whose rows are gone
    assert pipeline.query(SILVER) == [(2, -1)]


@pytest.mark.parametrize(("train", "left"), [("customer_churn", [5]), (None, [5, 77])])
def test_features_and_scores_go_with_the_person_where_the_product_trains_a_model(
    pipeline: Pipeline, train: str | None, left: list[int]
) -> None:
    pipeline.product = replace(pipeline.product, train=train)
    pipeline.run("1,0,77", "2,0,5")
    for table in MODEL_TABLES:
        pipeline.query(
            f"CREATE TABLE gold.{table} PARTITION BY snapshot_date AS"
            " SELECT amount, DATE '2017-02-01' AS snapshot_date FROM UNNEST([5, 77]) AS amount"
        )
    pipeline.query(
        "INSERT INTO ops.checks SELECT 'customer_churn', '{product}', 'snapshot', 'one', 'warn', FALSE, '1',"
        " [TO_JSON_STRING(STRUCT(77 AS amount))]"
    )
    pipeline.discover(forget=ask(pipeline, "77"))
    for table in MODEL_TABLES:
        assert pipeline.query(f"SELECT amount FROM gold.{table} ORDER BY amount") == [(n,) for n in left]
    named = (
        "SELECT offending IS NOT NULL FROM ops.checks WHERE product = 'customer_churn' AND run = '{product}'"
    )
    assert pipeline.query(named) == [(77 in left,)]


def test_while_the_model_is_trained_nothing_is_taken_out(pipeline: Pipeline) -> None:
    pipeline.product = replace(pipeline.product, train="customer_churn")
    pipeline.run("1,0,77", "2,0,5")
    request, before = ask(pipeline, "77"), pipeline.published()
    for state in ("queued", "running"):
        runs = {"customer_churn": ["success", state], "weather": ["running"]}
        with pytest.raises(
            AirflowFailException,
            match=r"customer_churn: expected no run .* got 1, .*Next: wait .*same request",
        ):
            pipeline.discover(forget=request, dag_runs=runs)
    assert pipeline.published() == before
    assert "1,0,77" in bronze(pipeline, "a.csv").read_text()
    pipeline.discover(forget=request, dag_runs={"customer_churn": ["success", "failed"]})
    assert pipeline.query(SILVER) == [(2, 5)]


def test_a_json_document_stays_as_it_is_and_is_told(pipeline: Pipeline) -> None:
    pipeline.run("1,0,77", "2,0,5")
    pipeline.query("UPDATE ops.files SET format = 'json' WHERE product = '{product}'")
    document = '[{"amount": 77}, {"amount": 5}]'  # one line, as an API answers
    file = bronze(pipeline, "a.csv")
    modified = file.stat().st_mtime_ns
    file.write_text(document)
    os.utime(file, ns=(modified, modified))  # which makes its generation the one that the ledger knows
    pipeline.contract["schema"][0]["customProperties"].append({"property": "records", "value": "orders"})
    pipeline.discover(forget=ask(pipeline, "77"))
    assert bronze(pipeline, "a.csv").read_text() == document
    assert pipeline.query(SILVER) == [(2, 5)]
    kept = "SELECT k.reason FROM ops.erasures, UNNEST(files_kept) AS k WHERE product = '{product}'"
    assert pipeline.query(kept) == [("a JSON document, out of which no rows can be taken",)]


def test_a_try_after_one_that_was_lost_before_its_request_was_deleted_changes_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.run("1,0,77", "2,0,5")
    request = ask(pipeline, "77")
    with monkeypatch.context() as lost:
        lost.delattr("pipeline.forget._delete_request")
        with pytest.raises(NameError, match="_delete_request"):
            pipeline.discover(forget=request)
    before = pipeline.published()
    pipeline.discover(forget=request)
    assert pipeline.published() == before
    assert not pipeline.path(request["request"]).exists()


def test_while_a_file_waits_for_a_run_nothing_is_taken_out(pipeline: Pipeline) -> None:
    pipeline.run("1,0,77", "2,0,5")
    pipeline.land("b.csv", "3,0,77")
    request, before = ask(pipeline, "77"), pipeline.published()
    with pytest.raises(
        AirflowFailException, match=r"/b\.csv: expected .*got 1 of 2 .*Next: run the DAG first"
    ):
        pipeline.discover(forget=request)
    assert pipeline.published() == before
    assert "1,0,77" in bronze(pipeline, "a.csv").read_text()

    context = pipeline.discover()
    pipeline.clean(context)
    pipeline.publish(context)
    pipeline.discover(forget=request)
    assert pipeline.query(SILVER) == [(2, 5)]
    assert bronze(pipeline, "b.csv").read_text() == "order_id,second,amount\n"


def test_a_try_after_one_that_was_lost_behind_its_files_comes_through(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.run("1,0,77", "2,0,5")
    request = ask(pipeline, "77")
    with monkeypatch.context() as lost:
        lost.delattr("pipeline.forget._learned")
        with pytest.raises(NameError, match="_learned"):
            pipeline.discover(forget=request)
    assert "1,0,77" not in bronze(pipeline, "a.csv").read_text()
    pipeline.discover(forget=request)
    assert pipeline.query(NOTED) == [(1, 0, 0, 1, 0, 0)]
    with pytest.raises(AirflowSkipException, match="Nothing new"):
        pipeline.discover()


def test_what_landed_after_an_erasure_was_done_is_left_to_the_next_run(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.run("1,0,77", "2,0,5")
    request = ask(pipeline, "77")
    with monkeypatch.context() as lost:
        lost.delattr("pipeline.forget._delete_request")
        with pytest.raises(NameError, match="_delete_request"):
            pipeline.discover(forget=request)
    pipeline.land("b.csv", "3,0,77")
    pipeline.discover(forget=request)
    assert not pipeline.path(request["request"]).exists()
    assert "3,0,77" in bronze(pipeline, "b.csv").read_text()


def test_a_try_after_one_that_was_done_but_lost_its_result_comes_through(pipeline: Pipeline) -> None:
    pipeline.run("1,0,77", "2,0,5")
    request = ask(pipeline, "77")
    pipeline.discover(forget=request)
    before = pipeline.published()
    assert pipeline.discover(forget=request)["ti"].returned["discover"] == {}
    assert pipeline.published() == before


def test_no_query_of_an_erasure_over_ten_thousand_files_is_longer_than_one_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def query(environment: Environment, template: str, **values: Any) -> list[Any]:
        sent.append(render(template, environment, **values))
        return []

    sent: list[str] = []
    uris = [f"gs://bronze/orders/{'long' * 25}/{number}.csv" for number in range(20_000)]
    version = {"known": 10**15, "generation": 10**15, "size": 10**9, "checksum": "checksum"}
    found = [{"uri": uri, **version} for uri in uris[:10_000]], dict.fromkeys(uris[10_000:], "a reason")
    rejected = [{"uri": uri, "raw": uri} for uri in uris]
    monkeypatch.setenv("AIRFLOW_VAR_MEDALLION_RELEASE", "release")
    monkeypatch.setattr("pipeline.forget.query", query)
    monkeypatch.setattr("pipeline.forget._rewrite_bronze", lambda *_: found)
    monkeypatch.setattr("pipeline.forget._rejected_rows", lambda *_: rejected)
    parsed = parse_contract(contract(), "orders")
    product = replace(load_product("customer_transactions"), train=None)
    person = Person(parsed, parsed.columns[3], "77")
    forget._erase(Client.create_anonymous_client(), product, load_environment("local"), person, "forget-1")
    assert max(len(sql.encode()) for sql in sent) < MAX_QUERY
    assert sum(sql.count("gs://bronze/") for sql in sent) == len(uris)


def test_a_request_that_is_not_there_is_told(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7")
    uri = f"gs://{pipeline.environment.buckets['lake']}/erasures/none.json"
    with pytest.raises(AirflowFailException, match=f"{uri}: expected a request, got no object"):
        pipeline.discover(forget={"request": uri})


def test_nothing_that_is_kept_names_the_person(pipeline: Pipeline, define: Define) -> None:
    define(
        checks="-- #warn great: a date has at most 100\nSELECT amount FROM `{{ build }}` WHERE amount > 100"
    )
    run = pipeline.run("1,0,987654", name="a.csv")
    pipeline.refresh(run)
    checked = "SELECT ARRAY_LENGTH(offending) FROM ops.checks WHERE product = '{product}' AND step = 'gold'"
    assert pipeline.query(checked) == [(1,)]
    pipeline.discover(forget=ask(pipeline, "987654"))
    pipeline.refresh({})
    rows = [row for table in pipeline.published().values() for row in table]
    noted = pipeline.query("SELECT TO_JSON_STRING(t) FROM ops.erasures AS t WHERE product = '{product}'")
    checks = pipeline.query("SELECT TO_JSON_STRING(t) FROM ops.checks AS t WHERE product = '{product}'")
    assert noted
    assert [row for row in (*rows, *(row[0] for row in (*noted, *checks))) if "987654" in row] == []


def test_documents_of_the_person_are_deleted(
    pipeline: Pipeline, collection: Collection, define: Define
) -> None:
    select = "SELECT order_date, amount FROM `{{ silver }}.PRODUCT` WHERE order_date IN UNNEST(touched)"
    define(f"-- Amounts.\n{select}", checks="")
    collection.wanted = replace(collection.wanted, key=("amount",))
    pipeline.refresh(pipeline.run("1,0,77", "2,0,5"))
    collection.write()
    assert set(collection.all()) == {"77", "5"}
    pipeline.discover(forget=ask(pipeline, "77"))
    pipeline.refresh({})
    assert collection.write() == {"written": 0, "deleted": 1}
    assert set(collection.all()) == {"5"}
    assert pipeline.query("SELECT document FROM ops.documents WHERE product = '{product}'") == [("5",)]
    datasets = pipeline.query("SELECT table_name FROM staging.INFORMATION_SCHEMA.TABLES")
    assert [name for (name,) in datasets if "__documents__" in name] == []


def test_a_column_that_silver_does_not_show_is_told(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7")
    with pytest.raises(AirflowFailException, match=r"column: expected one of type STRING or .* got 'mail'"):
        pipeline.discover(forget=ask(pipeline, "7", column="mail"))
    with pytest.raises(AirflowFailException, match=r"got 'ordered_at'\. Next: ask for another column"):
        pipeline.discover(forget=ask(pipeline, "7", column="ordered_at"))
