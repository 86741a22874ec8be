"""A data contract (ODCS v3) as the typed object that cleaning, loading and publishing share."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medallion.config import CONF, read_yaml
from medallion.errors import ConfigError

SQL_TYPE = re.compile(r"(INT64|STRING|BOOL|FLOAT64|DATE|TIMESTAMP|NUMERIC)(?:\((\d+), *(\d+)\))?")


@dataclass(frozen=True)
class Column:
    """One column of the dataset.

    `sql_type` is BigQuery's type; `precision` and `scale` are those of a NUMERIC. A column with an
    `expression` (Spark SQL over the other columns) is derived; every other one is read from the first of
    `sources` that a file's header holds.
    """

    name: str
    sql_type: str
    description: str
    required: bool
    sources: tuple[str, ...]
    expression: str | None
    precision: int
    scale: int
    minimum: float | str | None
    maximum: float | str | None
    min_length: int | None
    max_length: int | None
    pattern: str | None
    format: str | None
    timezone: str

    @property
    def physical_type(self) -> str:
        """BigQuery's type with its parameters."""
        return f"NUMERIC({self.precision}, {self.scale})" if self.sql_type == "NUMERIC" else self.sql_type


@dataclass(frozen=True)
class Contract:
    """What rows of a dataset must be.

    `key` names the columns that identify a row; of two rows with one key the newer by `order_by` stays.
    `fingerprint` changes whenever anything in the contract does.
    """

    name: str
    version: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    order_by: str
    null_tokens: tuple[str, ...]
    delimiter: str
    fingerprint: str

    @property
    def read_columns(self) -> tuple[Column, ...]:
        """Columns that a file brings."""
        return tuple(column for column in self.columns if column.expression is None)

    @property
    def derived_columns(self) -> tuple[Column, ...]:
        """Columns computed from those that a file brings."""
        return tuple(column for column in self.columns if column.expression is not None)


def load_contract(name: str, conf: Path = CONF) -> dict[str, Any]:
    """The contract document in conf/contracts/<name>.yaml, as parsed YAML."""
    return read_yaml(conf / "contracts" / f"{name}.yaml")


def parse_contract(document: dict[str, Any], file: str) -> Contract:
    """Reads an ODCS v3 document of one schema object.

    Raises ConfigError when a part that the platform needs is missing or unknown.
    """
    try:
        table = document["schema"][0]
        properties = table["properties"]
    except (KeyError, IndexError, TypeError):
        raise ConfigError(file, "schema", "one schema object with properties", document) from None
    custom = {item["property"]: item["value"] for item in table.get("customProperties", ())}
    keyed = sorted(
        (p for p in properties if p.get("primaryKey")), key=lambda p: p.get("primaryKeyPosition", 1)
    )
    if not keyed:
        raise ConfigError(file, "schema.0.properties", "at least one column with primaryKey: true", "none")
    columns = tuple(_column(item, index, file) for index, item in enumerate(properties))
    order_by = custom.get("orderBy")
    if order_by not in {column.name for column in columns}:
        raise ConfigError(file, "schema.0.customProperties.orderBy", "the name of a column", order_by)
    for column in columns:
        if column.name in {order_by, *(item["name"] for item in keyed)} and not column.required:
            # NULL equals nothing: such a row would be published again by each file that brings it.
            raise ConfigError(file, f"{column.name}.required", "true, for a key or the orderBy column", False)
    return Contract(
        name=document["name"],
        version=document["version"],
        description=table.get("description", ""),
        columns=columns,
        key=tuple(item["name"] for item in keyed),
        order_by=order_by,
        null_tokens=tuple(custom.get("nullTokens", ("",))),
        delimiter=custom.get("delimiter", ","),
        fingerprint=hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest(),
    )


def _column(item: dict[str, Any], index: int, file: str) -> Column:
    key = f"schema.0.properties.{index}"
    match = SQL_TYPE.fullmatch(item.get("physicalType", ""))
    if match is None:
        raise ConfigError(file, f"{key}.physicalType", "a BigQuery type", item.get("physicalType"))
    options = item.get("logicalTypeOptions", {})
    if match[1] == "TIMESTAMP" and not (item.get("transformLogic") or options.get("format")):
        # Without one, Spark takes a text like 12:30 for that time today.
        raise ConfigError(
            file, f"{key}.logicalTypeOptions.format", "a pattern like yyyy-MM-dd HH:mm:ss", None
        )
    return Column(
        name=item["name"],
        sql_type=match[1],
        description=item.get("description", ""),
        required=item.get("required", False),
        sources=(item["name"], *item.get("transformSourceObjects", ())),
        expression=item.get("transformLogic"),
        precision=int(match[2] or 38),
        scale=int(match[3] or 9),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        min_length=options.get("minLength"),
        max_length=options.get("maxLength"),
        pattern=options.get("pattern"),
        format=options.get("format"),
        timezone=options.get("defaultTimezone", "Etc/UTC"),
    )
