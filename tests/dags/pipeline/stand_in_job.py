"""Orders: their contract, and what the Spark job leaves of their files, made without Spark."""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medallion.manifest import Manifest, SourceFile
from medallion.odcs import parse_contract

HEADER = "order_id,second,amount"
STATUSES = ("valid", "rejected", "duplicate")
SCHEMA = pa.schema(
    [
        *(("order_id", pa.int64()), ("ordered_at", pa.timestamp("us", "UTC")), ("order_date", pa.date32())),
        *(("amount", pa.int64()), ("extra", pa.string())),
        *(("key_hash", pa.int64()), ("row_hash", pa.int64())),
        *(("file__", pa.int32()), ("row__", pa.int64()), ("verdict__", pa.string())),
    ]
)
Row = dict[str, Any]


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


def clean(manifest: Manifest, path: Callable[[str], Path]) -> None:
    """Leaves what the job leaves: too small an amount is rejected, the last line of a key stays, and a file
    without a column that is required beyond those of all orders is rejected as a whole.

    `path` tells the file of an object.
    """
    properties = manifest.contract["schema"][0]["properties"]
    minimum = properties[3]["logicalTypeOptions"]["minimum"]
    required = {column["name"] for column in properties[4:] if column.get("required")}
    texts = [path(file.uri).read_text().splitlines() for file in manifest.files if not manifest.replay]
    headers = [file.header or texts[number][0] for number, file in enumerate(manifest.files)]
    if manifest.replay:
        read = list(_replayed(path(manifest.replay)))
    else:
        usable = [required <= set(header.split(",")) for header in headers]
        read = [(file, line) for file, lines in enumerate(texts) if usable[file] for line in lines[1:]]
    rows = [_row(file, headers[file], raw, minimum) for file, raw in read]
    marks = _judge(rows, told_of_all=manifest.replay is not None)
    output = path(manifest.output)
    (output / "rows").mkdir(exist_ok=True)
    staged = pa.Table.from_pylist([*rows, *marks], _schema(manifest))
    pq.write_table(staged, output / "rows" / "part-0.parquet")
    files = [
        _ledger_line(number, file, rows, header)
        for number, (file, header) in enumerate(zip(manifest.files, headers, strict=True))
    ]
    (output / "files.jsonl").write_text("".join(json.dumps(line) + "\n" for line in files))
    new = Counter(name for line in files for name in line["new_columns"])
    metrics = {
        "rows": {status: sum(line[f"rows_{status}"] for line in files) for status in ("read", *STATUSES)},
        "drift": {"new_columns": dict(new), "missing_columns": {}, "notes": []},
        "files": files,
    }
    (output / "metrics.json").write_text(json.dumps(metrics))


def _replayed(folder: Path) -> Iterator[tuple[int, str]]:
    for part in folder.glob("*.json"):
        for line in map(json.loads, part.read_text().splitlines()):
            yield int(line["file"]), line["raw"]


def _row(file: int, header: str, raw: str, minimum: int) -> Row:
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


def _judge(rows: list[Row], told_of_all: bool) -> list[Row]:
    """Numbers the rows, and writes the verdicts that are told; returns a row for each duplicate."""
    last = {row["order_id"]: row for row in rows if row["status"] == "valid"}
    marks = []
    for number, row in enumerate(rows):
        row["row__"] = number
        if row["status"] == "rejected" or told_of_all:
            told = {name: row[name] for name in ("status", "reasons", "raw") if row[name] is not None}
            row["verdict__"] = json.dumps(told)
        if row["status"] == "valid" and row is not last[row["order_id"]]:
            row["status"] = "duplicate"
            marks.append({"file__": row["file__"], "row__": number})
    return marks


def _schema(manifest: Manifest) -> pa.Schema:
    """Of the staged rows, by what the contract has beyond the columns of all orders."""
    parsed = parse_contract(manifest.contract, "orders")
    schema = SCHEMA if parsed.evolves else SCHEMA.remove(4)
    return schema.insert(4, pa.field("gone", pa.bool_())) if parsed.delete_flag else schema


def _ledger_line(number: int, file: SourceFile, rows: list[Row], header: str) -> dict[str, Any]:
    count = Counter(row["status"] for row in rows if row["file__"] == number)
    return {
        "file": number,
        **asdict(file),
        "format": "csv",
        "header": header,
        "state": "accepted" if count else "rejected",
        "reason": None if count else "no rows: the file has none",
        "rows_read": count.total(),
        **{f"rows_{status}": count[status] for status in STATUSES},
        "new_columns": _new(header),
        "missing_columns": [],
    }


def _new(header: str) -> list[str]:
    return [name for name in header.split(",") if name not in (*HEADER.split(","), "gone")]
