"""Each of the audit's checks stops a run whose ledger, staged rows and contract don't agree."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.exceptions import AirflowFailException

from tests.dags.pipeline.orders import Pipeline

Change = Callable[[Path], None]
Rows = list[dict[str, Any]]


def ledger(**values: Any) -> Change:
    """The file's line says something else of it."""

    def change(output: Path) -> None:
        file = output / "files.jsonl"
        file.write_text(json.dumps(json.loads(file.read_text()) | values) + "\n")

    return change


def another_line(output: Path) -> None:
    file = output / "files.jsonl"
    file.write_text(file.read_text() * 2)


def without_marks(output: Path) -> None:
    rewrite(output, lambda rows: [row for row in rows if row["row_hash"] is not None])


def without_dates(output: Path) -> None:
    rewrite(output, lambda rows: [row | {"order_date": None} for row in rows])


def rewrite(output: Path, change: Callable[[Rows], Rows]) -> None:
    """Other rows are staged."""
    file = output / "rows" / "part-0.parquet"
    table = pq.read_table(file)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), table.schema), file)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (another_line, "files: 1 files in the manifest, 2 in the ledger"),
        (ledger(rows_read=4), "accounting: 1 files with read != valid [+] rejected [+] duplicate"),
        (ledger(rows_read=4, rows_valid=3), "staged_rows: 1 files whose staged rows differ from the ledger"),
        (without_marks, "unique_key: 1 keys with more than one valid row"),
        (without_dates, "required: 2 valid rows without a required value"),
    ],
)
def test_a_run_that_does_not_add_up_is_not_published(pipeline: Pipeline, change: Change, told: str) -> None:
    pipeline.land("a.csv", "1,0,7", "1,1,8", "2,0,9")
    context = pipeline.discover()
    pipeline.clean(context)
    change(pipeline.path(pipeline.manifest(context).output))
    with pytest.raises(AirflowFailException, match=told):
        pipeline.publish(context)
    assert pipeline.query("SELECT COUNT(*) FROM ops.runs WHERE product = '{product}'") == [(0,)]
    assert pipeline.query("SELECT COUNT(*) FROM ops.files WHERE product = '{product}'") == [(0,)]


def test_what_a_published_product_knows_its_rows_by_stays(pipeline: Pipeline) -> None:
    """Silver would keep a row beside another version of itself, for their hashes would differ."""
    pipeline.run("1,0,7")
    amount = pipeline.contract["schema"][0]["properties"][3]
    amount |= {"primaryKey": True, "required": True}
    told = "same_key: .* by which silver knows its rows, order_id INT64, got order_id INT64, amount INT64"
    with pytest.raises(AirflowFailException, match=told):
        pipeline.run("1,0,8", name="b.csv")
    assert pipeline.query("SELECT order_id, amount FROM silver.{product}") == [(1, 7)]


def test_a_product_that_an_earlier_release_published_may_say_by_what(pipeline: Pipeline) -> None:
    pipeline.run("1,0,7")
    pipeline.query("UPDATE ops.runs SET identity = NULL WHERE product = '{product}'")
    pipeline.run("1,1,8", name="b.csv")
    identities = "SELECT identity FROM ops.runs WHERE product = '{product}' ORDER BY published_at"
    assert pipeline.query(identities) == [(None,), ("order_id INT64",)]
