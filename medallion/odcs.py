"""Reads data contracts, documents of the Open Data Contract Standard (ODCS v3), and says what they lack."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from medallion.contracts import (
    DROP,
    HASH,
    RESERVED,
    Column,
    Constraint,
    Contract,
)
from medallion.documents import CONF, read_yaml
from medallion.errors import ConfigError
from medallion.odcs_rules import (
    COLUMN_DEFAULTS,
    TABLE_DEFAULTS,
    custom_properties,
    quality_constraints,
    references,
    row_rules,
)
from medallion.odcs_values import EXPECTED, NUMBERS, is_value, values

SQL_TYPE = re.compile(r"(INT64|STRING|BOOL|FLOAT64|DATE|TIMESTAMP|NUMERIC)(?:(?<=NUMERIC)\((\d+), *(\d+)\))?")
SQL_TYPES = "INT64, NUMERIC, NUMERIC(p, s), FLOAT64, BOOL, STRING, DATE or TIMESTAMP"
MAX_WHOLE_DIGITS, MAX_SCALE = 29, 9  # of a NUMERIC, in BigQuery
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
NAME_LETTERS = "letters of ASCII, digits and _, at most 128 and no digit first"
CONSTRAINTS = (
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern"),
)
FORMATS = ("format", "defaultTimezone")
OWN_NAME = "__"  # in every name of the platform's own that is not RESERVED


def load_contract(name: str, conf: Path = CONF) -> dict[str, Any]:
    """The contract document in conf/contracts/<name>.yaml, as parsed YAML."""
    return read_yaml(conf / "contracts" / f"{name}.yaml")


def parse_contract(document: dict[str, Any], file: str) -> Contract:
    """Reads an ODCS v3 document of one schema object.

    Raises ConfigError when a part that the platform needs is missing, or when it knows no such part. Where a
    part stands, and of which type it is, is for the standard's schema to say: here it is told in general.
    """
    try:
        return _parse(document, file)
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError, re.error) as error:
        expected, got = "a contract by the standard's schema", f"{type(error).__name__}: {error}"
        raise ConfigError(file, "", expected, got, "make check tells where") from error


def _parse(document: dict[str, Any], file: str) -> Contract:
    try:
        (table,) = document["schema"]
        properties = table["properties"]
    except (KeyError, TypeError, ValueError):
        expected = "one schema object with properties"
        raise ConfigError(file, "schema", expected, document.get("schema")) from None
    if not NAME.fullmatch(document["name"]):
        raise ConfigError(file, "name", NAME_LETTERS, document["name"])
    keyed = [item for item in properties if item.get("primaryKey")]
    keyed.sort(key=lambda item: item.get("primaryKeyPosition", 1))
    custom = _table_options(table, file)
    columns = tuple(
        _column(item, file, f"schema.0.properties.{index}") for index, item in enumerate(properties)
    )
    contract = Contract(
        name=document["name"],
        version=document["version"],
        description=table.get("description", ""),
        columns=columns,
        rules=tuple(row_rules(table, file)),
        references=tuple(reference for item in properties for reference in references(item, file)),
        key=tuple(item["name"] for item in keyed),
        order_by=custom["orderBy"],
        delete_flag=custom["deleteFlag"],
        null_tokens=tuple(custom["nullTokens"]),
        delimiter=custom["delimiter"],
        encoding=custom["encoding"],
        multiline=custom["multiline"],
        new_columns=custom["newColumns"],
        records=custom["records"],
        fingerprint=hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest(),
    )
    _require_identity(contract, file)
    _require_names(contract, file)
    _require_plain_references(contract, file)
    _require_values(contract, file)
    return contract


def _table_options(table: dict[str, Any], file: str) -> dict[str, Any]:
    """The table's custom properties; raises ConfigError for one that can't be."""
    custom = custom_properties(table, TABLE_DEFAULTS, file, "schema.0")
    delimiter, records = custom["delimiter"], custom["records"]
    if len(delimiter) != 1 or delimiter == '"':
        expected = "one character other than a quote"
        raise ConfigError(file, "schema.0.customProperties.delimiter", expected, delimiter)
    if records is not None and not (isinstance(records, str) and records):
        expected = "where the rows are in a document, like data.items"
        raise ConfigError(file, "schema.0.customProperties.records", expected, records)
    return custom


def _require_identity(contract: Contract, file: str) -> None:
    """A row must be found again by its key, and be newer or older than another one."""
    if not contract.key:
        raise ConfigError(file, "schema.0.properties", "at least one column with primaryKey: true", "none")
    by_name = {column.name: column for column in contract.columns}
    if contract.order_by not in by_name:
        raise ConfigError(
            file, "schema.0.customProperties.orderBy", "the name of a column", contract.order_by
        )
    for name in {*contract.key, contract.order_by}:
        if not by_name[name].required:
            # NULL equals nothing: such a row would be published again by each file that brings it.
            raise ConfigError(file, f"{name}.required", "true, for a key or the orderBy column", False)
        if by_name[name].protection == DROP:
            raise ConfigError(file, f"{name}.protection", "hash, for a key or the orderBy column", DROP)
    flags = [name for name, column in by_name.items() if column.sql_type == "BOOL" and not column.protection]
    if contract.delete_flag not in (None, *flags):
        expected = f"a BOOL column: {', '.join(flags) or 'there is none'}"
        raise ConfigError(file, "schema.0.customProperties.deleteFlag", expected, contract.delete_flag)
    if by_name[contract.order_by].protection == HASH:
        raise ConfigError(file, f"{contract.order_by}.protection", "none: hashes have no order", HASH)


def _require_names(contract: Contract, file: str) -> None:
    """A name is one column's, and what a file brings is for one: names are told apart whatever their case."""
    names = Counter(column.name.lower() for column in contract.columns)
    for column in contract.columns:
        if names[column.name.lower()] > 1:
            expected = "a name that no other column has, also in capital letters"
            raise ConfigError(file, f"{column.name}.name", expected, column.name)
    columns: dict[str, str] = {}
    for column in contract.read_columns:
        for source in column.sources:
            if source.lower() in columns:
                expected = f"a name that {columns[source.lower()]} is not read from, also in capital letters"
                raise ConfigError(file, f"{column.name}.transformSourceObjects", expected, source)
            columns[source.lower()] = column.name


def _require_plain_references(contract: Contract, file: str) -> None:
    """The other dataset's key is compared as silver shows it."""
    protected = {column.name for column in contract.columns if column.protection}
    for reference in contract.references:
        if reference.column in protected:
            expected = "none, for a column that is hashed or dropped"
            raise ConfigError(file, f"{reference.column}.relationships", expected, reference.dataset)


def _require_values(contract: Contract, file: str) -> None:
    """A bound or a valid value is one of its column's type, and a multiple is one of something."""
    for column in contract.columns:
        for constraint in column.constraints:
            expected = EXPECTED.get(column.sql_type, f"numbers of {column.physical_type}")
            for value in values(constraint):
                if not is_value(value, column):
                    raise ConfigError(file, f"{column.name}.{constraint.name}", expected, value)
            if constraint.name == "multipleOf" and not (
                column.sql_type in NUMBERS and float(constraint.value) > 0
            ):
                expected = "a number above 0, for a column of numbers"
                raise ConfigError(file, f"{column.name}.multipleOf", expected, constraint.value)


def _column(item: dict[str, Any], file: str, key: str) -> Column:
    sql_type, precision, scale = _type(item, file, key)
    if not NAME.fullmatch(item["name"]):  # it is written into SQL as it is
        raise ConfigError(file, f"{key}.name", NAME_LETTERS, item["name"])
    if item["name"].lower() in RESERVED or OWN_NAME in item["name"]:
        expected = f"a name without {OWN_NAME}, and none of {', '.join(RESERVED)}"
        raise ConfigError(file, f"{key}.name", expected, item["name"])
    options, custom = item.get("logicalTypeOptions", {}), custom_properties(item, COLUMN_DEFAULTS, file, key)
    if item.get("unique"):
        expected = "no unique: of several rows with one key the newest is kept, other columns may repeat"
        raise ConfigError(file, f"{key}.unique", expected, True)
    unknown = sorted(set(options) - {*CONSTRAINTS, *FORMATS})
    if unknown:
        known = ", ".join((*CONSTRAINTS, *FORMATS))
        raise ConfigError(file, f"{key}.logicalTypeOptions", known, ", ".join(unknown))
    if sql_type == "TIMESTAMP" and not (item.get("transformLogic") or options.get("format")):
        # Without one, Spark takes a text like 12:30 for that time today.
        raise ConfigError(
            file, f"{key}.logicalTypeOptions.format", "a pattern like yyyy-MM-dd HH:mm:ss", None
        )
    protection = custom["protection"] or (HASH if item.get("classification") == "personal" else None)
    if protection == HASH and sql_type != "STRING":
        raise ConfigError(file, f"{key}.physicalType", "STRING, for a column that is hashed", sql_type)
    declared = [Constraint(name, options[name]) for name in CONSTRAINTS if name in options]
    return Column(
        name=item["name"],
        sql_type=sql_type,
        description=item.get("description", ""),
        required=item.get("required", False),
        sources=(item["name"], *item.get("transformSourceObjects", ())),
        expression=item.get("transformLogic"),
        precision=precision,
        scale=scale,
        constraints=(*declared, *quality_constraints(item, file, key)),
        format=options.get("format"),
        timezone=options.get("defaultTimezone", "Etc/UTC"),
        trim=custom["trim"],
        true_tokens=tuple(custom["trueTokens"]),
        false_tokens=tuple(custom["falseTokens"]),
        ambiguous_time=custom["ambiguousTime"],
        protection=protection,
    )


def _type(item: dict[str, Any], file: str, key: str) -> tuple[str, int, int]:
    """A column's type, and the precision and the scale that it has as a NUMERIC."""
    told = item.get("physicalType")
    match = SQL_TYPE.fullmatch(told or "")
    if match is None:
        raise ConfigError(file, f"{key}.physicalType", SQL_TYPES, told)
    precision, scale = int(match[2] or 38), int(match[3] or 9)
    if scale > MAX_SCALE or not max(scale, 1) <= precision <= scale + MAX_WHOLE_DIGITS:
        expected = f"at most {MAX_WHOLE_DIGITS} digits before the point and {MAX_SCALE} behind it"
        raise ConfigError(file, f"{key}.physicalType", expected, told)
    return match[1], precision, scale
