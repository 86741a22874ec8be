"""serve.firestore: a gold table's rows as documents, of which only those that changed are written."""

import base64
import json
import logging
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from airflow.providers.google.firebase.hooks.firestore import CloudFirestoreHook
from airflow.sdk import TriggerRule, task
from google.cloud.bigquery import Row

from medallion.environments import Environment
from medallion.gold import identifier
from medallion.products import Documents, Product
from pipeline.scripts import client, query
from pipeline.work import run_of

BATCH = 500  # writes of a commit, which is all or nothing
BATCH_BYTES = 4_000_000  # of them as JSON, in which nothing is shorter than it is sent; a request has 10 MiB
TRIES = 5  # of a commit that Firestore is too busy for, each later than the one before
FORMAT = 1  # of what `encoded` makes: another one has every document written anew

log = logging.getLogger(__name__)


def documents(product: Product, wanted: Documents, environment: Environment, rule: TriggerRule) -> Any:
    """The task, which returns how many documents it wrote and deleted."""

    @task(task_id="firestore", trigger_rule=rule)
    def firestore(**context: Any) -> dict[str, int]:
        return write_changes(product.name, wanted, environment, run_of(context))  # type: ignore[arg-type]

    return firestore()


def write_changes(product: str, wanted: Documents, environment: Environment, run: str) -> dict[str, int]:
    """Brings a collection to what its gold table shows; returns how many documents it wrote and deleted.

    Raises AirflowFailException where rows make no document of their own.
    """
    database = f"projects/{environment.project}/databases/{environment.firestore}"
    commit = CloudFirestoreHook().get_conn().projects().databases().documents().commit
    warehouse = client(environment)
    gold = warehouse.get_table(f"{environment.project}.{environment.datasets['gold']}.{wanted.table}")
    build = f"{wanted.table}__documents__{identifier(run)}"
    query(
        environment,
        "pipeline/documents.sql",
        product=product,
        table=wanted.table,
        collection=wanted.collection,
        key=wanted.key,
        layout=f"{FORMAT} {[(field.name, field.field_type) for field in gold.schema]}",
        build=build,
        days=environment.staging_days,
    )
    changed = warehouse.list_rows(
        f"{environment.project}.{environment.datasets['staging']}.{build}", page_size=BATCH
    )
    written = deleted = 0
    for writes in _batches(_write(row, f"{database}/documents") for row in changed):
        commit(database=database, body={"writes": writes}).execute(num_retries=TRIES)
        gone = sum("delete" in write for write in writes)
        deleted += gone
        written += len(writes) - gone
    query(environment, "pipeline/documents_written.sql", product=product, build=build)
    log.info("product=%s step=serve documents written=%d deleted=%d", product, written, deleted)
    return {"written": written, "deleted": deleted}


def encoded(value: Any) -> dict[str, Any]:
    """A BigQuery value as Firestore's REST API takes it.

    Numbers with a fixed number of decimals are text, for Firestore has none but integers and floats, and
    money is no float. So are dates, which have no zone there, and DATETIME and TIME.
    """
    match value:
        case None:
            return {"nullValue": None}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"integerValue": str(value)}
        case float():
            return {"doubleValue": value if math.isfinite(value) else _not_finite(value)}
        case Decimal():
            text = f"{value:f}"
            return {"stringValue": text.rstrip("0").rstrip(".") if "." in text else text}
        case datetime() if value.tzinfo:
            return {"timestampValue": value.astimezone(UTC).isoformat().replace("+00:00", "Z")}
        case date() | time():
            return {"stringValue": value.isoformat()}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case list():
            return {"arrayValue": {"values": [encoded(item) for item in value]}}
        case dict():
            return {"mapValue": {"fields": {name: encoded(item) for name, item in value.items()}}}
        case _:
            return {"stringValue": str(value)}


def _write(row: Row, documents: str) -> dict[str, Any]:
    name = f"{documents}/{row['collection__']}/{row['document__']}"
    if row["gone__"]:
        return {"delete": name}
    fields = {column: encoded(value) for column, value in row.items() if not column.endswith("__")}
    return {"update": {"name": name, "fields": fields}}


def _not_finite(value: float) -> str:
    """JSON has no such numbers."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _batches(writes: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for write in writes:
        length = len(json.dumps(write))
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(write)
        size += length
    if batch:
        yield batch
