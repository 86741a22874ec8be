"""GoogleSQL's own analyzer, as WebAssembly: parses scripts, and types statements against a catalog."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import wasmtime
from zetasql import types as ast
from zetasql.core import wasm_client
from zetasql.core.exceptions import ServerError
from zetasql.core.local_service import ZetaSqlLocalService

from local.paths import CACHE

# BigQuery's own view of a dataset's columns, of which the analyzer knows nothing.
COLUMNS_VIEW = {
    **dict.fromkeys(("table_catalog", "table_schema", "table_name", "column_name", "data_type"), "STRING"),
    **dict.fromkeys(("is_nullable", "is_generated", "is_hidden", "is_partitioning_column"), "STRING"),
    **dict.fromkeys(("column_default", "collation_name", "rounding_mode"), "STRING"),
    **dict.fromkeys(("ordinal_position", "clustering_ordinal_position"), "INT64"),
}
POSITION = re.compile(r" \[at (\d+):(\d+)\]")


@dataclass(frozen=True, eq=False)
class Table:
    """A table or view: the types of its columns, and the column that it is partitioned by.

    One without columns is known by its name alone, for what makes it is wrong.
    """

    columns: Mapping[str, Any]
    partition_by: str | None = None


def parse(script: str) -> Any:
    """The statements of a script, as a syntax tree. Raises ServerError."""
    response = _service().parse(sql_statement=script, options=_language(), allow_script=True)
    return response.parsed_script.statement_list_node


def analyze(
    statement: str, catalog: int, parameters: Mapping[str, str] | None = None, variable: Any = None
) -> Any:
    """The resolved tree of a statement, in which each expression has a type. Raises ServerError.

    catalog: what `register` has returned. parameters: types of the query's parameters. variable: the type of
    the system's variable `v`.
    """
    named, system = ast.AnalyzerOptions.QueryParameter, ast.AnalyzerOptions.SystemVariable
    options = ast.AnalyzerOptions(
        language_options=_language(),
        error_message_mode=ast.ErrorMessageMode.ERROR_MESSAGE_ONE_LINE,
        parse_location_record_type=ast.ParseLocationRecordType.PARSE_LOCATION_RECORD_FULL_NODE_SCOPE,
        prune_unused_columns=True,  # a scan then names what is read, and no more
        query_parameters=[named(name=name, type=type_of(kind)) for name, kind in (parameters or {}).items()],
        system_variables=[system(name_path=["v"], type=variable)] if variable else [],
    )
    response = _service().analyze(sql_statement=statement, options=options, registered_catalog_id=catalog)
    return response.resolved_statement


@cache
def type_of(name: str) -> Any:
    """A type by its name. Raises ServerError where there is none."""
    return analyze(f"SELECT CAST(NULL AS {name})", _no_tables()).output_column_list[0].column.type


def tables_read(statement: str) -> set[str]:
    """Names of the tables in a statement; none where it can't be parsed."""
    try:
        found = _service().extract_table_names_from_statement(sql_statement=statement, options=_language())
    except ServerError:
        return set()
    return {".".join(name.table_name_segment) for name in found.table_name}


def own_views(dataset: str) -> dict[str, Table]:
    """The views that BigQuery itself keeps in a dataset, by name."""
    columns = {name: type_of(kind) for name, kind in COLUMNS_VIEW.items()}
    return {f"{dataset}.INFORMATION_SCHEMA.COLUMNS": Table(columns)}


def register(tables: Mapping[str, Table], variables: Mapping[str, Any]) -> int:
    """Hands the analyzer a catalog, until `unregister`; returns its number.

    A table called `dataset.table` is found by its name in one pair of backticks and without.
    """
    tables = {name: table for name, table in tables.items() if table.columns}
    nested = _nested({tuple(name.split(".")): (name, table) for name, table in tables.items() if "." in name})
    catalog = ast.SimpleCatalog(
        name="warehouse",
        table=[_table(name, name, table) for name, table in tables.items()],
        catalog=nested.catalog,
        constant=[ast.SimpleConstant(name_path=[name], type=kind) for name, kind in variables.items()],
        builtin_function_options=ast.ZetaSQLBuiltinFunctionOptions(language_options=_language()),
    )
    registered: int = _service().register_catalog(simple_catalog=catalog).registered_id
    return registered


def unregister(catalog: int) -> None:
    """Takes a catalog from the analyzer."""
    _service().unregister_catalog(registered_id=catalog)


def message_of(error: ServerError) -> str:
    """What the analyzer says is wrong, without the place."""
    return POSITION.sub("", _placed_message(error))


def place_of(error: ServerError) -> tuple[int, int] | None:
    """The line and the column where it is wrong, from 1; None where the analyzer names none."""
    place = POSITION.search(_placed_message(error))
    return (int(place[1]), int(place[2])) if place else None


def _placed_message(error: ServerError) -> str:
    return " ".join(error.raw_error.partition("Message: ")[2].split())


@cache
def _no_tables() -> int:
    return register({}, {})


def _nested(tables: Mapping[tuple[str, ...], tuple[str, Table]], name: str = "") -> Any:
    inner: dict[str, dict[tuple[str, ...], tuple[str, Table]]] = {}
    for path, table in tables.items():
        if len(path) > 1:
            inner.setdefault(path[0], {})[path[1:]] = table
    return ast.SimpleCatalog(
        name=name,
        table=[_table(path[0], *table) for path, table in tables.items() if len(path) == 1],
        catalog=[_nested(tables, name) for name, tables in inner.items()],
    )


@cache
def _table(name: str, full_name: str, table: Table) -> Any:
    """In the form in which it is sent: each change of the catalog sends all tables again."""
    columns = [
        ast.SimpleColumn(name=column, type=kind, is_writable_column=True)
        for column, kind in table.columns.items()
    ]
    return ast.SimpleTable(name=name, full_name=full_name, column=columns).to_proto()


@cache
def _language() -> Any:
    released = _service().get_language_options(maximum_features=True)
    return ast.LanguageOptions(
        enabled_language_features=released.enabled_language_features,
        product_mode=ast.ProductMode.PRODUCT_EXTERNAL,
        reserved_keywords=["QUALIFY"],
    )


@cache
def _service() -> Any:
    wasm_client.Module = _CompiledOnce
    return ZetaSqlLocalService.get_instance()


class _CompiledOnce:
    """Takes the place of wasmtime's Module, which costs a quarter of a minute and a gigabyte each time."""

    @staticmethod
    def from_file(engine: wasmtime.Engine, path: str) -> wasmtime.Module:
        compiled = CACHE / f"zetasql-{version('zetasql')}-wasmtime-{version('wasmtime')}.bin"
        try:
            return wasmtime.Module.deserialize_file(engine, str(compiled))
        except wasmtime.WasmtimeError:
            pass  # not there yet, or compiled for another processor
        module = wasmtime.Module.from_file(engine, path)
        compiled.parent.mkdir(parents=True, exist_ok=True)
        written = compiled.with_suffix(f".{os.getpid()}")
        written.write_bytes(module.serialize())
        written.replace(compiled)  # whole, whoever else is compiling
        return module
