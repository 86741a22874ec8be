"""Nothing lost, nothing twice: files in any order and grouping, by the real job, end with the same tables.

Spark, the DAG's tasks and the emulator do what they do in a run; Airflow's scheduler alone is left out.
"""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from airflow.exceptions import AirflowSkipException
from google.cloud import bigquery

from local.sample import export_sample
from tests.dags.pipeline.conftest import Feed
from tests.dags.pipeline.environments import drop_tables
from tests.dags.pipeline.real_job import RealPipeline


def split(days: int, parts: int, folder: Path) -> dict[str, str]:
    """The sample's first days in files that overlap, correct each other, repeat lines and have dirt."""
    chance = random.Random(5)
    lines = pd.concat(pd.read_csv(path, dtype=str) for path in export_sample(folder, days=days)).reset_index(
        drop=True
    )
    part = pd.Series([chance.randrange(parts) for _ in range(len(lines))])

    def some(share: float) -> pd.DataFrame:
        return lines.sample(frac=share, random_state=chance.randrange(1000))

    corrected = some(0.03)
    later = pd.to_timedelta([chance.choice((0, 1, 3600, 86_400 * 3)) for _ in corrected.index], unit="s")
    when = pd.to_datetime(corrected["transaction_timestamp"]) + later
    corrected = corrected.assign(
        sales_value="1.23", transaction_timestamp=when.dt.strftime("%Y-%m-%d %H:%M:%S")
    )
    files: dict[str, list[pd.DataFrame]] = {f"part-{n:02}.csv": [] for n in range(parts)}
    for name, own in zip(files, (lines[part == n] for n in range(parts)), strict=True):
        files[name] += [own, own.sample(frac=0.01, random_state=1)]  # a line twice in one file
    for extra in (corrected, some(0.03), some(0.01).assign(quantity="many")):
        at = pd.Series([chance.randrange(parts) for _ in extra.index], index=extra.index)
        for n, name in enumerate(files):
            files[name].append(extra[at == n])
    return {name: pd.concat(frames).to_csv(index=False) for name, frames in files.items()}


def land_in_some_order(pipeline: RealPipeline, files: dict[str, str], seed: int) -> int:
    """Lands and processes all files, a few of them once more, in groups; returns how many runs it took."""
    chance = random.Random(seed)
    order = [*files, *chance.sample(list(files), max(2, len(files) // 10))]
    chance.shuffle(order)
    runs = 0
    while order:
        size = chance.randint(1, max(1, len(files) // 2))
        group, order = order[:size], order[size:]
        for name in group:
            header, *lines = files[name].splitlines()
            pipeline.land(name, *lines, header=header)
        pipeline.process()
        runs += 1
        with pytest.raises(AirflowSkipException, match="Nothing new"):
            pipeline.discover()
    return runs


@pytest.mark.parametrize(
    ("days", "parts", "orders"),
    [pytest.param(2, 4, 2, id="short"), pytest.param(31, 40, 10, id="month", marks=pytest.mark.slow)],
)
def test_files_in_any_order_and_grouping_end_with_the_same_tables(
    feed: Feed, warehouse: bigquery.Client, tmp_path: Path, days: int, parts: int, orders: int
) -> None:
    files = split(days, parts, tmp_path)
    assert len(files) == parts
    first: dict[str, Counter[tuple[Any, ...]]] = {}
    for seed in range(orders):
        pipeline = feed(f"order_{days}_{seed}")
        assert land_in_some_order(pipeline, files, seed) >= 2
        found = pipeline.everything()
        first = first or found
        for table in first:
            assert sum(found[table].values()) > 0, table
            assert without_bucket(found[table]) == without_bucket(first[table]), (seed, table)
        drop_tables(warehouse, pipeline.environment)
    keys = {key[:2] for key in first["silver"]}
    assert len(keys) == sum(first["silver"].values())


def without_bucket(rows: Counter[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    """Rows whose URIs are names: each order has a bucket of its own."""
    names = Counter[tuple[Any, ...]]()
    for row, count in rows.items():
        is_uri = [isinstance(value, str) and value.startswith("gs://") for value in row]
        names[tuple(v.rpartition("/")[2] if uri else v for v, uri in zip(row, is_uri, strict=True))] += count
    return names
