"""A gold table as documents of Google's own Firestore emulator."""

import base64
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from airflow.exceptions import AirflowFailException, AirflowSkipException
from google.api_core.exceptions import BadRequest

from medallion.products import Documents
from pipeline.firestore import encoded, write_changes
from pipeline.scripts import query
from tests.dags.pipeline.collection import Collection, use_firestore
from tests.dags.pipeline.conftest import SELECT, Define
from tests.dags.pipeline.orders import Pipeline

DAY = 86_400
NOTED = "SELECT document, fingerprint IS NULL FROM ops.documents WHERE product = '{product}' ORDER BY 1"


def test_only_what_changed_is_written_and_what_is_gone_is_deleted(
    collection: Collection, define: Define
) -> None:
    pipeline = collection.pipeline
    define(SELECT.replace("SUM(amount)", "CAST(SUM(amount) AS INT64)"))  # the emulator's sums are NUMERIC
    pipeline.refresh(pipeline.run("1,0,10", f"2,{DAY},20", f"3,{2 * DAY},30"))
    assert collection.write() == {"written": 3, "deleted": 0}
    assert collection.all()["2017-01-02"] == {
        "order_date": {"stringValue": "2017-01-02"},
        "orders": {"integerValue": "1"},
        "amount": {"integerValue": "10"},
    }
    assert collection.write() == {"written": 0, "deleted": 0}

    collection.mark("2017-01-02")
    pipeline.refresh(pipeline.run(f"4,{DAY},30", name="b.csv"))
    pipeline.query("DELETE FROM gold.{product} WHERE order_date = '2017-01-04'")
    assert collection.write() == {"written": 1, "deleted": 1}
    found = collection.all()
    assert set(found) == {"2017-01-02", "2017-01-03"}
    assert found["2017-01-02"] == {"mark": {"booleanValue": True}}
    assert found["2017-01-03"]["amount"] == {"integerValue": "50"}
    assert pipeline.query(NOTED) == [("2017-01-02", False), ("2017-01-03", False)]
    assert pipeline.query("SELECT COUNT(*) FROM ops.documents WHERE written_at IS NULL") == [(0,)]


def test_what_a_lost_task_wrote_is_written_anew_though_gold_went_back(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,200 rows are three commits; the task is lost after the first, and gold then is as it was before."""
    rows = "SELECT i AS id, {} AS amount FROM UNNEST(GENERATE_ARRAY(1, 1200)) AS i"
    collection.make(rows.format(1), "id")
    assert collection.write() == {"written": 1200, "deleted": 0}

    collection.make(rows.format(2) + " UNION ALL SELECT 0, 2", "id")
    with monkeypatch.context() as lost:
        lose_after(1, lost)
        with pytest.raises(ConnectionError):
            collection.write()
    amounts = [fields["amount"]["integerValue"] for fields in collection.all().values()]
    assert {"1", "2"} == set(amounts)

    collection.make(rows.format(1), "id")
    done = collection.write()
    assert done == {"written": 1200, "deleted": 1}
    found = collection.all()
    assert set(found) == {str(number) for number in range(1, 1201)}
    assert {fields["amount"]["integerValue"] for fields in found.values()} == {"1"}
    assert collection.write() == {"written": 0, "deleted": 0}


def lose_after(commits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loses the connection after so many commits."""
    from googleapiclient.http import HttpRequest

    execute = HttpRequest.execute
    remaining = iter(range(commits))

    def execute_or_lose(self: HttpRequest, *arguments: Any, **options: Any) -> Any:
        if next(remaining, None) is None:
            raise ConnectionError("lost")
        return execute(self, *arguments, **options)

    monkeypatch.setattr(HttpRequest, "execute", execute_or_lose)


def test_rows_are_committed_in_as_many_parts_as_their_size_asks_for(collection: Collection) -> None:
    rows = "SELECT i AS id, REPEAT('a', 900000) AS text FROM UNNEST(GENERATE_ARRAY(1, {})) AS i"
    collection.make(rows.format(6), "id")
    assert collection.write() == {"written": 6, "deleted": 0}
    assert collection.write() == {"written": 0, "deleted": 0}
    collection.make(rows.format(2), "id")
    assert collection.write() == {"written": 0, "deleted": 4}
    assert [len(fields["text"]["stringValue"]) for fields in collection.all().values()] == [900_000] * 2


def test_ids_can_be_read_back_whatever_the_keys_are(collection: Collection) -> None:
    keys = [".", "..", "__all__", "a/b", "a~b", "50 %", "%2E", "é", "a b"]
    listed = ", ".join(f"'{key}'" for key in keys)
    collection.make(f"SELECT key, 1 AS n FROM UNNEST([{listed}]) AS key", "key")
    assert collection.write()["written"] == len(keys)
    found = collection.all()
    assert {unquote(document): fields["key"]["stringValue"] for document, fields in found.items()} == {
        key: key for key in keys
    }

    collection.make("SELECT 'a~' AS x, 'b' AS y UNION ALL SELECT 'a', '~b'", "x", "y")
    assert collection.write() == {"written": 2, "deleted": len(keys)}
    parts = [[unquote(part) for part in document.split("~")] for document in collection.all()]
    assert sorted(parts) == [["a", "~b"], ["a~", "b"]]


def test_rows_without_an_id_of_their_own_stop_it_before_anything_is_written(collection: Collection) -> None:
    twice = "SELECT 'a' UNION ALL SELECT 'a'"
    for others, rows in ((twice, 2), ("SELECT NULL", 1), ("SELECT ''", 1), ("SELECT REPEAT('é', 751)", 1)):
        collection.make(f"SELECT 'b' AS key UNION ALL {others}", "key")
        with pytest.raises(AirflowFailException, match=rf"{rows} rows of .* make no document of their own"):
            collection.write()
    assert collection.all() == {}
    assert collection.pipeline.query(NOTED) == []


def test_another_collection_takes_the_place_of_the_old_one(collection: Collection) -> None:
    collection.make("SELECT 'a' AS key", "key")
    collection.write()
    old, collection.wanted = collection.wanted, replace(collection.wanted, collection="renamed")
    assert collection.write() == {"written": 1, "deleted": 1}
    assert set(collection.all()) == {"a"}
    collection.wanted = old
    assert collection.all() == {}


def test_a_column_of_another_type_is_a_change(collection: Collection) -> None:
    collection.make("SELECT 'a' AS key, 5 AS n", "key")
    collection.write()
    collection.make("SELECT 'a' AS key, NUMERIC '5' AS n", "key")
    assert collection.write()["written"] == 1
    assert collection.all()["a"]["n"] == {"stringValue": "5"}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, {"nullValue": None}),
        (True, {"booleanValue": True}),
        (2**62, {"integerValue": "4611686018427387904"}),
        (1.5, {"doubleValue": 1.5}),
        (float("-inf"), {"doubleValue": "-Infinity"}),
        (float("nan"), {"doubleValue": "NaN"}),
        (Decimal("12345678901234567890.120000000"), {"stringValue": "12345678901234567890.12"}),
        (Decimal("1E+2"), {"stringValue": "100"}),
        (datetime(2026, 1, 31, 5, 0, 0, 123456, UTC), {"timestampValue": "2026-01-31T05:00:00.123456Z"}),
        (datetime(2026, 1, 31, 5), {"stringValue": "2026-01-31T05:00:00"}),
        (date(2026, 1, 31), {"stringValue": "2026-01-31"}),
        (time(5, 30), {"stringValue": "05:30:00"}),
        (b"\x00\xff", {"bytesValue": base64.b64encode(b"\x00\xff").decode()}),
        (["a", 1], {"arrayValue": {"values": [{"stringValue": "a"}, {"integerValue": "1"}]}}),
        ({"x": Decimal("0.5")}, {"mapValue": {"fields": {"x": {"stringValue": "0.5"}}}}),
    ],
)
def test_no_value_is_changed_by_its_new_type(value: Any, field: dict[str, Any]) -> None:
    assert encoded(value) == field


def test_firestore_takes_every_type(collection: Collection) -> None:
    values = [
        "NUMERIC '12.30' AS price",
        "TIMESTAMP '2026-01-31 05:00:00.123456+00' AS at",
        "[1, 2] AS list",
        "CAST(NULL AS STRING) AS nothing",
        "0.5 AS share",
        "CAST('inf' AS FLOAT64) AS endless",
    ]
    collection.make(f"SELECT 'a' AS key, {', '.join(values)}", "key")
    collection.write()
    assert collection.all()["a"] == {
        "key": {"stringValue": "a"},
        "price": {"stringValue": "12.3"},
        "at": {"timestampValue": "2026-01-31T05:00:00.123456Z"},
        "list": {"arrayValue": {"values": [{"integerValue": "1"}, {"integerValue": "2"}]}},
        "nothing": {"nullValue": None},
        "share": {"doubleValue": 0.5},
        "endless": {"doubleValue": "Infinity"},
    }


def test_without_the_emulator_the_task_is_skipped_and_nothing_is_noted(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_firestore(monkeypatch, "")
    wanted = Documents("none", "none", ("id",))
    with pytest.raises(AirflowSkipException, match="Firestore emulator was not started"):
        write_changes(pipeline.product.name, wanted, pipeline.environment, "r1")
    assert pipeline.query(NOTED) == []


def test_a_conflict_over_the_notes_is_left_to_the_next_try(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Busy:
        def query(self, *_: Any, **__: Any) -> None:
            raise BadRequest("Transaction is aborted due to concurrent update against table ops.documents")

    monkeypatch.setattr("pipeline.scripts.client", lambda environment: Busy())
    with pytest.raises(BadRequest, match="concurrent update"):
        query(pipeline.environment, "pipeline/documents_written.sql", product="any", build="any")
