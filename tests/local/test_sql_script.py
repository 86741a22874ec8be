"""Scripts are typed as BigQuery would type them."""

import pytest

from local.googlesql import Table, own_views, type_of
from local.sql_script import Script

PARAMETERS = {"since": "DATE"}


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    script = Script(
        """
        CREATE TABLE gold.daily (order_date DATE, shop STRING, orders INT64) PARTITION BY order_date;
        CREATE TABLE gold.shops (shop STRING, opened DATE);
        """,
        own_views("gold"),
        {},
    )
    assert script.problems() == []
    return script.tables


def told(script: str, tables: dict[str, Table]) -> list[str]:
    problems = Script(script, tables, PARAMETERS).problems()
    return [f"{problem.line}:{problem.column}: {problem.message}" for problem in problems]


def test_an_unknown_column_is_named_where_it_is(tables: dict[str, Table]) -> None:
    sql = "SELECT\n  shop,\n  opend\nFROM gold.shops"
    assert told(sql, tables) == ["3:3: Unrecognized name: opend; Did you mean opened?"]


def test_an_unknown_table_is_named(tables: dict[str, Table]) -> None:
    assert told("SELECT 1\nFROM `gold.shop`", tables) == [
        "2:6: Table not found: `gold.shop`; Did you mean gold.shops?"
    ]


def test_an_unknown_function_is_named(tables: dict[str, Table]) -> None:
    assert told("SELECT TO_UPPER(shop) FROM gold.shops", tables) == [
        "1:8: Function not found: TO_UPPER; Did you mean upper?"
    ]


def test_types_that_cannot_be_compared_are_named(tables: dict[str, Table]) -> None:
    (problem,) = told("SELECT 1 FROM gold.shops WHERE opened > 7", tables)
    assert problem.startswith("1:32: No matching signature for operator > for argument types: DATE, INT64")


def test_a_syntax_error_is_told(tables: dict[str, Table]) -> None:
    assert told("SELECT 1;\nSELECT FROM gold.shops", tables) == [
        "2:8: Syntax error: SELECT list must not be empty"
    ]


def test_a_table_is_found_however_its_name_is_written(tables: dict[str, Table]) -> None:
    assert told("SELECT opened FROM gold.shops; SELECT opened FROM `gold.shops`;", tables) == []


def test_bigquerys_own_view_has_typed_columns(tables: dict[str, Table]) -> None:
    sql = "SELECT column_name, ordinal_position + 1 FROM `gold`.INFORMATION_SCHEMA.COLUMNS;\n"
    (problem,) = told(f"{sql}SELECT UPPER(ordinal_position) FROM `gold`.INFORMATION_SCHEMA.COLUMNS", tables)
    assert problem.startswith("2:8: No matching signature for function UPPER")


def test_a_variable_takes_values_of_its_type_alone(tables: dict[str, Table]) -> None:
    sql = """DECLARE shops ARRAY<STRING> DEFAULT (SELECT ARRAY_AGG(shop) FROM gold.shops);
DECLARE orders INT64 DEFAULT 'seven';
SET shops = (
  SELECT ARRAY_AGG(opened) FROM gold.shops
);
SET others = [];"""
    assert told(sql, tables) == [
        "2:30: Expected type INT64; found STRING",
        "3:13: Expected type ARRAY<STRING>; found ARRAY<DATE>",
        "6:5: Undeclared variable: others",
    ]


def test_a_variable_without_a_type_has_its_defaults(tables: dict[str, Table]) -> None:
    sql = "DECLARE day DEFAULT DATE '2017-01-01';\nSET day = 7;"
    assert told(sql, tables) == ["2:11: Expected type DATE; found INT64"]


def test_a_condition_must_be_true_or_false(tables: dict[str, Table]) -> None:
    assert told("SELECT 1;\nIF 7 THEN\n  SELECT 1;\nEND IF;", tables) == [
        "2:4: Expected type BOOL; found INT64"
    ]


def test_a_created_table_has_the_columns_of_its_select(tables: dict[str, Table]) -> None:
    sql = "CREATE TABLE gold.opened AS SELECT MIN(opened) AS first FROM gold.shops;\n"
    (problem,) = told(f"{sql}SELECT first + 'x', last FROM gold.opened;", tables)
    assert problem.startswith("2:8: No matching signature for operator +")


def test_what_is_wrong_with_a_table_is_told_where_it_is_made(tables: dict[str, Table]) -> None:
    sql = """CREATE TABLE gold.a AS SELECT opend FROM gold.shops;
CREATE TABLE gold.b AS SELECT opened FROM `gold.a`;
SELECT opened FROM gold.b;"""
    assert told(sql, tables) == ["1:31: Unrecognized name: opend; Did you mean opened?"]


def test_a_view_and_an_added_column_are_known_from_then_on(tables: dict[str, Table]) -> None:
    sql = """ALTER TABLE gold.shops ADD COLUMN IF NOT EXISTS city STRING;
CREATE VIEW gold.cities AS SELECT city FROM gold.shops;
SELECT city, town FROM gold.cities;"""
    assert told(sql, tables) == ["3:14: Unrecognized name: town"]


def test_a_branch_may_read_what_another_one_makes(tables: dict[str, Table]) -> None:
    sql = """IF TRUE THEN
  DELETE FROM gold.later WHERE shop = 'x';
ELSE
  CREATE TABLE gold.later AS SELECT shop FROM gold.shops;
END IF;"""
    assert told(sql, tables) == []


def test_a_branch_that_is_walked_again_scans_its_tables_once(tables: dict[str, Table]) -> None:
    sql = """IF TRUE THEN
  CREATE TABLE gold.first AS SELECT shop FROM gold.shops;
  IF FALSE THEN
    SELECT first.shop FROM gold.first CROSS JOIN gold.later;
  END IF;
ELSE
  CREATE TABLE gold.later AS SELECT shop FROM gold.shops;
END IF;"""
    script = Script(sql, tables, {})
    assert script.problems() == []
    names = sorted(scan.table.full_name for scan, _ in script.scanned)
    assert names == ["gold.first", "gold.later", "gold.shops", "gold.shops"]


def test_a_loop_knows_the_columns_of_its_query(tables: dict[str, Table]) -> None:
    assert told("FOR s IN (SELECT shop FROM gold.shops) DO EXECUTE IMMEDIATE s.shop; END FOR", tables) == []


def test_a_temporary_table_ends_with_its_script(tables: dict[str, Table]) -> None:
    script = Script("CREATE TEMP TABLE aside AS SELECT 1 AS n; SELECT n FROM aside;", tables, {})
    assert script.problems() == []
    assert script.tables.keys() == tables.keys()


def test_a_table_that_is_dropped_must_be_there(tables: dict[str, Table]) -> None:
    sql = "DROP TABLE IF EXISTS gold.no;\nDROP TABLE gold.no;"
    assert told(sql, tables) == ["2:1: Table not found: gold.no"]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM gold.shops WHERE opened = 7",
        "UPDATE gold.shops SET opened = 7 WHERE TRUE",
        "INSERT INTO gold.shops (opened) SELECT 7",
        "MERGE gold.shops AS s USING gold.shops AS t ON s.opened = t.shop WHEN MATCHED THEN DELETE",
        "EXPORT DATA OPTIONS (uri = 'gs://x/*', format = 'CSV') AS SELECT opened - TRUE FROM gold.shops",
        "FOR s IN (SELECT opend FROM gold.shops) DO SELECT 1; END FOR",
        "FOR s IN (SELECT shop, opened FROM gold.shops) DO EXECUTE IMMEDIATE s.opened; END FOR",
    ],
)
def test_every_kind_of_statement_is_typed(sql: str, tables: dict[str, Table]) -> None:
    assert len(told(sql, tables)) == 1


def test_a_statement_that_is_not_known_is_told(tables: dict[str, Table]) -> None:
    (problem,) = told("WHILE FALSE DO SELECT 1; END WHILE;", tables)
    assert problem == "1:1: ASTWhileStatement: a statement that this check doesn't know"


def test_types_are_known_by_name() -> None:
    assert type_of("ARRAY<STRUCT<n INT64>>").array_type.element_type.struct_type.field[0].field_name == "n"
