"""Partitions, clusters and pruning are held to BigQuery's rules."""

import pytest

from local.googlesql import Table
from local.sql_script import Script

WHOLE = (
    "gold.daily is read as a whole: expected a condition that compares order_date with literals, variables "
    "or parameters, or the comment -- full scan: and why"
)


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    script = Script(
        """
        CREATE TABLE gold.daily (order_date DATE, shop STRING, orders INT64) PARTITION BY order_date;
        CREATE TABLE gold.dates (day DATE, shop STRING);
        """,
        {},
        {},
    )
    assert script.problems() == []
    return script.tables


def told(script: str, tables: dict[str, Table]) -> list[str]:
    problems = Script(script, tables, {"since": "DATE"}).problems()
    return [f"{problem.line}:{problem.column}: {problem.message}" for problem in problems]


@pytest.mark.parametrize(
    "layout",
    [
        "PARTITION BY day",
        "PARTITION BY DATE_TRUNC(day, MONTH)",
        "PARTITION BY DATE(made)",
        "PARTITION BY TIMESTAMP_TRUNC(made, HOUR)",
        "PARTITION BY RANGE_BUCKET(n, GENERATE_ARRAY(0, 100, 10)) CLUSTER BY name, n, day, made",
    ],
)
def test_layouts_that_bigquery_takes(layout: str) -> None:
    assert told(f"CREATE TABLE gold.t (day DATE, made TIMESTAMP, n INT64, name STRING) {layout}", {}) == []


@pytest.mark.parametrize(
    ("column", "layout", "kind"),
    [
        ("c STRING", "c", "STRING"),
        ("c TIMESTAMP", "c", "TIMESTAMP"),
        ("c INT64", "c", "INT64"),
        ("c NUMERIC", "RANGE_BUCKET(c, [NUMERIC '1'])", "INT64"),
    ],
)
def test_no_partitions_by_what_has_none(column: str, layout: str, kind: str) -> None:
    (problem,) = told(f"CREATE TABLE gold.t ({column})\nPARTITION BY {layout}", {})
    assert problem == (
        "2:14: PARTITION BY: expected a DATE column, DATE or a …_TRUNC of a column, or RANGE_BUCKET of an "
        f"INT64 column, got an expression of type {kind}"
    )


def test_at_most_four_clustering_columns() -> None:
    columns = "a STRING, b STRING, c STRING, d STRING, e STRING"
    (problem,) = told(f"SELECT 1;\nCREATE TABLE gold.t ({columns}) CLUSTER BY a, b, c, d, e", {})
    assert problem == "2:14: CLUSTER BY: expected at most 4 columns, got 5"


def test_a_clustering_column_has_an_order() -> None:
    (problem,) = told("CREATE TABLE gold.t (a BYTES) CLUSTER BY a", {})
    assert problem.startswith("1:42: CLUSTER BY: expected a column of type")
    assert problem.endswith("got an expression of type BYTES")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT shop FROM gold.daily WHERE order_date = '2017-01-01'",
        "SELECT shop FROM gold.daily WHERE order_date BETWEEN @since AND DATE_ADD(@since, INTERVAL 7 DAY)",
        "SELECT shop FROM gold.daily WHERE order_date IN UNNEST(days) AND orders > 1",
        "SELECT shop FROM gold.daily WHERE order_date = @since OR order_date IN ('2017-01-01', '2017-01-02')",
        "SELECT d.shop FROM gold.daily AS d JOIN gold.dates USING (shop) WHERE order_date > @since",
        "SELECT 1 FROM gold.dates LEFT JOIN gold.daily ON daily.shop = dates.shop AND order_date > @since",
        "SELECT d.shop FROM gold.daily AS d CROSS JOIN UNNEST(days) AS day WHERE order_date >= @since",
        "SELECT shop FROM (SELECT shop, order_date FROM gold.daily) WHERE order_date >= @since",
        "DELETE FROM gold.daily WHERE order_date IN UNNEST(days)",
        "UPDATE gold.daily SET orders = 0 WHERE order_date = @since",
        "INSERT INTO gold.daily (shop) SELECT shop FROM gold.dates",
        "MERGE gold.daily AS d USING gold.dates AS n ON d.shop = n.shop AND d.order_date > @since "
        "WHEN MATCHED THEN DELETE",
    ],
)
def test_a_known_bound_prunes(sql: str, tables: dict[str, Table]) -> None:
    assert told(f"DECLARE days ARRAY<DATE>;\n{sql}", tables) == []


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("SELECT shop FROM gold.daily", 18),
        ("SELECT shop FROM gold.daily WHERE order_date IN (SELECT day FROM gold.dates)", 18),
        ("SELECT shop FROM gold.daily WHERE order_date = @since OR orders > 1", 18),
        ("SELECT shop FROM gold.daily WHERE NOT order_date = @since", 18),
        ("SELECT shop FROM gold.daily WHERE EXTRACT(YEAR FROM order_date) = 2017", 18),
        ("SELECT d.shop FROM gold.daily AS d JOIN gold.dates AS n ON d.order_date = n.day", 20),
        ("SELECT d.shop FROM gold.daily AS d LEFT JOIN gold.dates AS n ON d.order_date > @since", 20),
        ("SELECT 1 FROM (SELECT order_date FROM gold.daily LIMIT 9) WHERE order_date = @since", 39),
        ("DELETE FROM gold.daily WHERE orders = 0", 13),
        ("MERGE gold.daily AS d USING gold.dates AS n ON d.shop = n.shop WHEN MATCHED THEN DELETE", 7),
    ],
)
def test_a_whole_table_is_not_read_by_accident(sql: str, column: int, tables: dict[str, Table]) -> None:
    assert told(sql, tables) == [f"1:{column}: {WHOLE}"]


def test_a_comment_above_the_table_or_the_statement_accepts_a_full_scan(tables: dict[str, Table]) -> None:
    sql = """-- full scan: all shops are wanted
SELECT shop
FROM gold.daily;
SELECT shop
-- full scan: all shops are wanted,
-- those of other years too
FROM gold.daily;"""
    assert told(sql, tables) == []


def test_a_comment_accepts_nothing_without_a_reason(tables: dict[str, Table]) -> None:
    assert told("-- full scan:\nSELECT shop FROM gold.daily", tables) == [f"2:18: {WHOLE}"]


def test_a_comment_that_accepts_nothing_is_told(tables: dict[str, Table]) -> None:
    assert told("SELECT 1;\n-- full scan: because\nSELECT shop FROM gold.dates", tables) == [
        "2:1: full scan: expected a table that is read as a whole below, got none; take the comment away"
    ]
