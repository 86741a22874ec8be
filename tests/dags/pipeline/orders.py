"""A small product on the emulators, through its real tasks; only the Spark job is stood in for."""

import json
import zlib
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.exceptions import AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.cloud import bigquery

from medallion.environments import Environment, load_environment
from medallion.manifest import Manifest, SourceFile
from medallion.odcs import parse_contract
from medallion.products import Product
from medallion.sql import render
from pipeline.product import product_dag
from tests.conftest import PROJECT
from tests.dags.conftest import TaskInstance

BUILDING = Lock()  # what Airflow knows of a DAG that is being built is the whole process's
HEADER = "order_id,second,amount"
KEY = "projects/tests/locations/us-east1/keyRings/medallion-us-east1/cryptoKeys/storage"
STAGED = ("stage.unchanged", "stage.tables", "stage.rows", "stage.files")
SCHEMA = pa.schema(
    [
        *(("order_id", pa.int64()), ("ordered_at", pa.timestamp("us", "UTC")), ("order_date", pa.date32())),
        *(("amount", pa.int64()), ("extra", pa.string())),
        *(("key_hash", pa.int64()), ("row_hash", pa.int64())),
        *(("file__", pa.int32()), ("row__", pa.int64()), ("verdict__", pa.string())),
    ]
)


def contract(
    new_columns: str = "evolve", minimum: int = 0, refers_to: str | None = None, deletes: bool = False
) -> dict[str, Any]:
    """Orders with an amount of at least `minimum`, whose ids may have to be known to another dataset.

    Where it `deletes`, a column `gone` says that an order is no more.
    """
    when = {"format": "yyyy-MM-dd HH:mm:ss"}
    relationships = [{"to": f"{refers_to}.order_id"}] if refers_to else []
    key = {"required": True, "primaryKey": True, "relationships": relationships}
    properties: list[dict[str, Any]] = [
        {"name": "order_id", "physicalType": "INT64", **key},
        {"name": "ordered_at", "physicalType": "TIMESTAMP", "required": True, "logicalTypeOptions": when},
        {"name": "order_date", "physicalType": "DATE", "required": True},
        {"name": "amount", "physicalType": "INT64", "logicalTypeOptions": {"minimum": minimum}},
    ]
    custom = {"orderBy": "ordered_at", "newColumns": new_columns}
    if deletes:
        properties.append({"name": "gone", "physicalType": "BOOL"})
        custom["deleteFlag"] = "gone"
    table = {
        "properties": properties,
        "customProperties": [{"property": name, "value": value} for name, value in custom.items()],
    }
    return {"name": "orders", "version": "1.0.0", "schema": [table]}


class Pipeline:
    """A product's DAG, run task by task."""

    def __init__(self, product: Product, environment: Environment, client: bigquery.Client, buckets: Path):
        self.product = product
        self.environment = environment
        self.contract = contract()
        self._client = client
        self._buckets = buckets

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, in which {product} stands for the product's name."""
        job = self._client.query(sql.format(product=self.product.name), retry=None, job_retry=None)
        return [tuple(row.values()) for row in job.result(retry=None, job_retry=None)]

    def published(self) -> dict[str, list[str]]:
        """Every row that people read, or that says what was published, as JSON, by table."""
        silver = [f"silver.{self.product.name}{part}" for part in ("", "__superseded", "__keys")]
        gold = [f"gold.{table.table}" for table in self.product.gold]
        own = dict.fromkeys((*silver, f"quarantine.{self.product.name}", *gold), "TRUE")
        ops = [f"ops.{name}" for name in ("files", "runs", "touched_partitions", "refreshes")]
        tables = own | dict.fromkeys(ops, "product = '{product}'")
        told = "SELECT TO_JSON_STRING(t) FROM {} AS t WHERE {} ORDER BY 1"
        return {
            name: [row[0] for row in self.query(told.format(name, which))] for name, which in tables.items()
        }

    def land(self, name: str, *lines: str, header: str = HEADER) -> None:
        path = self.path(f"gs://{self.environment.buckets['bronze']}/{self.product.name}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([header, *lines]) + "\n")

    def run(self, *lines: str, header: str = HEADER, name: str = "a.csv") -> dict[str, Any]:
        """Lands a file and publishes it; returns what discover returned."""
        self.land(name, *lines, header=header)
        context = self.discover()
        self.clean(context)
        self.publish(context)
        return context["ti"].returned["discover"]

    def replay(self, **asked: Any) -> dict[str, Any]:
        """Replays rejected rows up to publish; returns what discover returned."""
        context = self.discover(asked)
        self.clean(context)
        self.publish(context)
        return context["ti"].returned["discover"]

    def backfill(self, first: str, last: str, apply: bool) -> list[dict[str, Any]]:
        """Processes files again up to publish; returns what it said it would change."""
        context = self.discover(backfill={"first": first, "last": last, "apply": apply})
        self.clean(context)
        try:
            self.publish(context)
        except AirflowSkipException:
            assert not apply
        return json.loads(self.path(f"{self.manifest(context).output}/changes.json").read_bytes())

    def discover(
        self,
        replay: dict[str, Any] | None = None,
        backfill: dict[str, Any] | None = None,
        forget: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The context in which the tasks after discover run."""
        instance = TaskInstance()
        find = product_dag(self.product, self.environment).get_task("discover").python_callable
        instance.returned["discover"] = find(
            params={"replay": replay, "backfill": backfill, "forget": forget}
        )
        return {"ti": instance, "logical_date": None}

    def clean(self, context: dict[str, Any]) -> None:
        """Leaves what the Spark job leaves: too small an amount is rejected, the last line of a key stays."""
        manifest = self.manifest(context)
        minimum = manifest.contract["schema"][0]["properties"][3]["logicalTypeOptions"]["minimum"]
        read = self._replayed(manifest) if manifest.replay else self._lines(manifest)
        rows = [_row(file, header, raw, minimum) for file, header, raw in read]
        last = {row["order_id"]: row for row in rows if row["status"] == "valid"}
        duplicates = []
        for number, row in enumerate(rows):
            row["row__"] = number
            told = {name: row[name] for name in ("status", "reasons", "raw") if row[name] is not None}
            if row["status"] == "rejected" or manifest.replay:
                row["verdict__"] = json.dumps(told)
            if row["status"] == "valid" and row is not last[row["order_id"]]:
                row["status"] = "duplicate"
                duplicates.append({"file__": row["file__"], "row__": number})
        output = self.path(manifest.output)
        (output / "rows").mkdir(exist_ok=True)
        parsed = parse_contract(manifest.contract, "orders")
        staged = SCHEMA if parsed.evolves else SCHEMA.remove(4)
        staged = staged.insert(4, pa.field("gone", pa.bool_())) if parsed.delete_flag else staged
        pq.write_table(pa.Table.from_pylist([*rows, *duplicates], staged), output / "rows" / "part-0.parquet")
        files = [
            _ledger_line(number, file, rows, self._header(file)) for number, file in enumerate(manifest.files)
        ]
        (output / "files.jsonl").write_text("".join(json.dumps(line) + "\n" for line in files))
        new = Counter(name for line in files for name in line["new_columns"])
        statuses = ("read", "valid", "rejected", "duplicate")
        metrics = {
            "rows": {status: sum(line[f"rows_{status}"] for line in files) for status in statuses},
            "drift": {"new_columns": dict(new), "missing_columns": {}, "notes": []},
            "files": files,
        }
        (output / "metrics.json").write_text(json.dumps(metrics))

    def publish(self, context: dict[str, Any]) -> None:
        """Every task from stage to publish; ends where one is skipped."""
        for task_id in (*STAGED, "audit", "publish"):
            self.task(task_id, context)

    def refresh(self, found: dict[str, Any]) -> None:
        """Refreshes each gold table, after discover found this."""
        instance = TaskInstance()
        instance.returned["discover"] = found
        for table in self.product.gold:
            self.task(f"gold.{table.table}", {"ti": instance, "logical_date": None, "run_id": "manual"})

    def task(self, task_id: str, context: dict[str, Any]) -> None:
        with BUILDING:
            task = product_dag(self.product, self.environment).get_task(task_id)
        if task_id == "stage.unchanged":
            task.python_callable(**context)
            return
        if task._pre_execute_hook:
            task._pre_execute_hook(context)
        task.execute(context)

    def manifest(self, context: dict[str, Any]) -> Manifest:
        return Manifest.from_json(self.path(context["ti"].returned["discover"]["manifest"]).read_bytes())

    def path(self, uri: str) -> Path:
        """The file of an object."""
        return self._buckets / uri.removeprefix("gs://")

    def _lines(self, manifest: Manifest) -> list[tuple[int, str, str]]:
        texts = [self.path(file.uri).read_text().splitlines() for file in manifest.files]
        return [(file, lines[0], line) for file, lines in enumerate(texts) for line in lines[1:]]

    def _replayed(self, manifest: Manifest) -> list[tuple[int, str, str]]:
        folder = self.path(manifest.replay or "")
        lines = [json.loads(line) for path in folder.glob("*.json") for line in path.open()]
        return [
            (int(line["file"]), manifest.files[int(line["file"])].header or "", line["raw"]) for line in lines
        ]

    def _header(self, file: SourceFile) -> str:
        return file.header or self.path(file.uri).read_text().splitlines()[0]


def make_environment(warehouse: bigquery.Client, suffix: str = "") -> Environment:
    """The local environment with its buckets and datasets, which have names of their own by the suffix."""
    local = load_environment("local")
    environment = replace(
        local,
        project=PROJECT,
        buckets={kind: f"{name}{suffix.replace('_', '-')}" for kind, name in local.buckets.items()},
        datasets={kind: f"{name}{suffix}" for kind, name in local.datasets.items()},
    )
    storage = GCSHook().get_conn()
    for name in (environment.buckets["bronze"], environment.buckets["lake"]):
        bucket = storage.bucket(name)
        if not bucket.exists():
            bucket.default_kms_key_name = KEY
            storage.create_bucket(bucket)
    for dataset in environment.datasets.values():
        warehouse.create_dataset(dataset, exists_ok=True)
    if not list(warehouse.list_tables(environment.datasets["ops"])):
        warehouse.query(render("ops/tables.sql", environment)).result()
    return environment


def drop_tables(warehouse: bigquery.Client, environment: Environment, keep: tuple[str, ...] = ()) -> None:
    """The emulator looks at all tables that there are before each statement: they add up to minutes.

    Datasets to `keep` are those whose rows name products that no other test has.
    """
    for kind, dataset in environment.datasets.items():
        if kind in keep:
            continue
        for table in warehouse.list_tables(dataset):
            kind = "VIEW" if table.table_type == "VIEW" else "TABLE"
            warehouse.query(f"DROP {kind} `{dataset}.{table.table_id}`").result()


def skipped(pipeline: Pipeline, task_id: str, context: dict[str, Any]) -> str:
    """What a task says of being skipped."""
    with pytest.raises(AirflowSkipException) as skip:
        pipeline.task(task_id, context)
    return str(skip.value)


def _row(file: int, header: str, raw: str, minimum: int) -> dict[str, Any]:
    values = dict(zip(header.split(","), raw.split(","), strict=True))
    amount = int(values["amount"])
    ordered_at = datetime(2017, 1, 2, 12, tzinfo=UTC) + timedelta(seconds=int(values["second"]))
    extra = {name: values[name] for name in _new(header)}
    small = {"column": "amount", "rule": "minimum", "value": values["amount"]}
    return {
        "order_id": int(values["order_id"]),
        "ordered_at": ordered_at,
        "order_date": ordered_at.date(),
        "amount": amount,
        "gone": values.get("gone") == "true",
        "extra": json.dumps(extra) if extra else None,
        "key_hash": zlib.crc32(values["order_id"].encode()),
        "row_hash": zlib.crc32(f"{values['order_id']} {ordered_at} {amount}".encode()),
        "file__": file,
        "verdict__": None,
        "status": "rejected" if amount < minimum else "valid",
        "reasons": [small] if amount < minimum else None,
        "raw": raw,
    }


def _ledger_line(number: int, file: SourceFile, rows: list[dict[str, Any]], header: str) -> dict[str, Any]:
    count = Counter(row["status"] for row in rows if row["file__"] == number)
    return {
        "file": number,
        **asdict(file),
        "format": "csv",
        "header": header,
        "state": "accepted" if count else "rejected",
        "reason": None if count else "header only: the file has no rows",
        "rows_read": count.total(),
        **{f"rows_{status}": count[status] for status in ("valid", "rejected", "duplicate")},
        "new_columns": _new(header),
        "missing_columns": [],
    }


def _new(header: str) -> list[str]:
    return [name for name in header.split(",") if name not in (*HEADER.split(","), "gone")]
