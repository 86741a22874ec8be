"""`make status`: what a person on call reads and types, and the same in SQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.query import print_table
from local.status import print_status, read_status
from medallion.products import Product
from tests.dags.pipeline.channels import Mails
from tests.dags.pipeline.incidents import fail, look
from tests.dags.pipeline.orders import Pipeline


class Warehouse:
    """The part of the local cloud that `make status` asks."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.environment, self._client = pipeline.environment, pipeline._client

    def query(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self._client.query(sql, retry=None, job_retry=None).result()]


def test_status_says_what_is_wrong_and_what_to_type(
    alerted: Pipeline, mails: Mails, capsys: pytest.CaptureFixture[str]
) -> None:
    for table in ("runs", "incidents"):  # of other tests' products
        alerted.query(f"DELETE FROM ops.{table} WHERE product != '{{product}}'")
    look(alerted, "2017-01-02", "1,0,60", "2,0,-1")
    fail(alerted, "2017-01-02", "serve.report" if alerted.product.report else "clean", ValueError("x"))
    schedule = replace(alerted.product.schedule, deadline="07:00")  # type: ignore[type-var]
    product: Product = replace(alerted.product, schedule=schedule)
    never = replace(product, name="never", schedule=None)
    cloud: Any = Warehouse(alerted)
    now = datetime.now(UTC)
    status = read_status(cloud, [product, never], now)
    mine, other = status["products"]
    assert (mine["state"], mine["rows_read"], mine["rows_rejected"]) == ("alert.high, failure.serve", 2, 1)
    assert (mine["deadline"], other["state"], other["run"]) == ("07:00 met", "never published", None)
    (rejected,) = status["rejected"]
    assert (rejected["rule"], rejected["column_name"], rejected["rejected"]) == ("minimum", "amount", 1)

    capsys.readouterr()  # the tasks' logs
    print_status(status, now + timedelta(hours=3), None)
    printed = capsys.readouterr().out
    tables = [line for line in printed.splitlines() if not line.startswith("Next: ")]
    assert max(map(len, tables)) <= 100
    (line,) = (line for line in tables if mine["run"] in line)
    assert line.split()[-7:] == ["3", "h", "ago", "2", "1", "1", "0"]
    assert (
        f"Next: make query SQL=\"SELECT * FROM gold.{product.name} WHERE order_date = DATE '2017" in printed
    )
    assert f"Next: make run PRODUCT={product.name} KEEP=1" in printed
    print_table(cloud.query("SELECT product, state FROM ops.status"))  # the same for whoever has SQL alone
    assert "alert.high, failure.serve" in capsys.readouterr().out
