"""Product files that are wrong: each problem is told, and the file's DAG says the same."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.check import check
from medallion import steps
from medallion.documents import CONF
from medallion.steps import StepRun, step

CASES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "bad_products.yaml").read_text(encoding="utf-8")
)
SOUND = """
name: feed
description: A feed.
owner: a-team
schedule: {cron: "0 0 * * *", timezone: UTC}
source: {type: files}
contract: rows
silver: {partition_by: day, cluster_by: [id]}
gold:
  - {table: first, rebuild: full}
  - {table: second, rebuild: touched_partitions, partition_by: day, after: [first]}
"""
ID = {"name": "id", "logicalType": "integer", "physicalType": "INT64", "required": True, "primaryKey": True}
TIME = {"format": "yyyy-MM-dd HH:mm:ss"}
CHANGED = {"name": "changed_at", "logicalType": "timestamp", "physicalType": "TIMESTAMP", "required": True}
CHANGED |= {"logicalTypeOptions": TIME}
DAY = {"name": "day", "logicalType": "date", "physicalType": "DATE", "required": True}


@pytest.fixture
def export_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step with parameters, one of which may be left out."""
    monkeypatch.setattr(steps, "_registered", {})
    monkeypatch.syspath_prepend(str(CONF.parent / "dags"))

    @step
    def export_rows(run: StepRun, *, table: str, bucket: str, limit: int = 10) -> None: ...


@pytest.fixture
def conf(tmp_path: Path, export_rows: None) -> Iterator[Path]:
    """A configuration of one sound product `feed`, whose gold tables have a SELECT each."""
    conf = tmp_path / "conf"
    for folder in ("products", "contracts", "models"):
        (conf / folder).mkdir(parents=True)
    for schema in CONF.glob("*.schema.json"):
        shutil.copy(schema, conf)
    shutil.copytree(CONF / "environments", conf / "environments")
    for name, records in (("rows", []), ("answers", [{"property": "records", "value": "items"}])):
        custom = [{"property": "orderBy", "value": "changed_at"}, *records]
        table = {"name": name, "customProperties": custom, "properties": [ID, CHANGED, DAY]}
        document = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": name, "name": name}
        document |= {"version": "1.0.0", "status": "active", "schema": [table]}
        (conf / "contracts" / f"{name}.yaml").write_text(yaml.safe_dump(document))
    for table in ("first", "second"):
        path = tmp_path / "sql" / "gold" / f"{table}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("SELECT 1")
    yield conf
    sys.modules.pop("steps", None)


def write(conf: Path, change: dict[str, Any]) -> None:
    """Writes the product with changes by their keys, with points between; null takes a key away."""
    product = yaml.safe_load(SOUND)
    for place, value in change.items():
        *parents, key = place.split(".")
        target = product
        for parent in parents:
            target = target[parent]
        if value is None:
            del target[key]
        else:
            target[key] = value
    (conf / "products" / "feed.yaml").write_text(yaml.safe_dump(product, sort_keys=False))


def test_the_sound_product_has_no_problem(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.check.analyze_if_changed", lambda *_: [])
    write(conf, {})
    assert list(check(conf, conf.parent / "sql")) == []


def test_there_are_at_least_thirty_kinds() -> None:
    assert len(CASES) >= 30


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_product_is_told_every_problem(conf: Path, case: str) -> None:
    write(conf, CASES[case]["change"])
    found = [problem.partition("feed.yaml: ")[2] for problem in check(conf, conf.parent / "sql")]
    assert found == [f"{problem} Next: mend the file." for problem in CASES[case]["problems"]]


def test_two_products_cannot_have_one_collection(conf: Path) -> None:
    write(conf, {"serve": {"firestore": {"collection": "rows", "table": "first", "key": ["id"]}}})
    first = yaml.safe_load((conf / "products" / "feed.yaml").read_text())
    (conf / "products" / "other.yaml").write_text(yaml.safe_dump({**first, "name": "other"}))
    expected = "a collection of this product alone, which rows of feed is not, got 'rows'"
    assert (
        f"conf/products/other.yaml: serve.firestore.collection: expected {expected}. Next: mend the file."
        in list(check(conf, conf.parent / "sql"))
    )


def test_two_products_cannot_have_one_gold_table(conf: Path) -> None:
    write(conf, {})
    first = yaml.safe_load((conf / "products" / "feed.yaml").read_text())
    (conf / "products" / "other.yaml").write_text(yaml.safe_dump({**first, "name": "other"}))
    expected = "a table of this product alone, which first of feed is not, got 'first'"
    assert f"conf/products/other.yaml: gold.0.table: expected {expected}. Next: mend the file." in list(
        check(conf, conf.parent / "sql")
    )
