"""Nothing lost, nothing twice: many runs of a product at once, and many files in one run.

Airflow lets one run of a product write at a time; here nothing holds them off.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from local.sample import export_sample
from tests.dags.pipeline.conftest import Define, Feed
from tests.dags.pipeline.environments import drop_tables
from tests.dags.pipeline.orders import Pipeline

DAY = 86_400
RUNS = 10
FILES = 1000
LEDGER = "SELECT COUNT(*), COUNT(DISTINCT uri) FROM ops.files WHERE product = '{product}'"


def test_ten_runs_at_once_lose_no_row_and_bring_none_twice(pipeline: Pipeline, define: Define) -> None:
    contexts = []
    for number in range(RUNS):
        # Each run finds the files of those before it as well: none of them has been published yet. The last
        # half find the same files, and so are the same run.
        if number <= RUNS // 2:
            pipeline.land(f"{number}.csv", f"{number},0,1", f"{100 + number},{number * DAY},2", "999,5,7")
        contexts.append(pipeline.discover())
        pipeline.clean(contexts[-1])
    landed = RUNS // 2 + 1
    assert len({context["ti"].returned["discover"]["run"] for context in contexts}) == landed

    def publish_and_refresh(context: dict[str, Any]) -> None:
        pipeline.publish(context)
        pipeline.refresh(context["ti"].returned["discover"])

    random.Random(7).shuffle(contexts)
    with ThreadPoolExecutor(RUNS) as pool:
        list(pool.map(publish_and_refresh, contexts))

    expected = [*range(landed), *range(100, 100 + landed), 999]
    shown = pipeline.query("SELECT order_id FROM silver.{product} ORDER BY order_id")
    assert shown == [(order_id,) for order_id in expected]
    assert pipeline.query(LEDGER) == [(landed, landed)]
    ((orders, amount),) = pipeline.query("SELECT SUM(orders), SUM(amount) FROM gold.{product}")
    assert (orders, amount) == (len(expected), landed + 2 * landed + 7)


@pytest.mark.slow
def test_a_thousand_files_in_one_run(feed: Feed, warehouse: bigquery.Client, tmp_path: Path) -> None:
    pipeline = feed("thousand")
    (day,) = export_sample(tmp_path, days=1)
    header, *lines = day.read_text().splitlines()
    for number in range(FILES):
        pipeline.land(f"{number:04}.csv", *lines[number::FILES], lines[number], header=header)
    pipeline.process()
    datasets = pipeline.environment.datasets
    counted = "COUNT(*), SUM(rows_read), SUM(rows_valid + rows_rejected + rows_duplicate)"
    read = len(lines) + FILES
    assert pipeline.query(f"SELECT {counted} FROM {datasets['ops']}.files") == [(FILES, read, read)]
    keys = "COUNT(*), COUNT(DISTINCT FORMAT('%d %d', order_id, product_id))"
    assert pipeline.query(f"SELECT {keys} FROM {datasets['silver']}.customer_transactions") == [
        (len(lines), len(lines))
    ]
    drop_tables(warehouse, pipeline.environment)
