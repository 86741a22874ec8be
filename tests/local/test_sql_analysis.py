"""The files in sql/ are typed as the platform runs them; problems tell their place in the template."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from local import sql_analysis
from local.sql_analysis import analyze, analyze_if_changed
from medallion.alerts import Alert, Audience
from medallion.contracts import Contract
from medallion.environments import load_environment
from medallion.odcs import load_contract, parse_contract
from medallion.products import GoldTable, Product, load_product
from medallion.sql import SQL

PRODUCT = replace(
    load_product("customer_transactions"),
    gold=(
        GoldTable("daily", "touched_partitions", partition_by="order_date"),
        GoldTable("totals", "full", after=("daily",)),
    ),
    report=False,
    train=None,
)
FILES = {
    "pipeline/publish.sql": """CREATE TABLE IF NOT EXISTS `{{ silver }}.{{ product }}` (
{% for column in contract.stored_columns %}
  {{ column.name }} {{ column.physical_type }},
{% endfor %}
)
PARTITION BY {{ partition_by }};
""",
    "gold/daily.sql": """-- Orders of each date.
SELECT
  order_date,
  COUNT(DISTINCT order_id) AS orders
FROM `{{ silver }}.customer_transactions`
WHERE order_date IN UNNEST(touched)
GROUP BY order_date
""",
    "gold/daily.checks.sql": """-- #fail has_orders: a date has orders
SELECT order_date
FROM `{{ build }}`
WHERE orders < 1;

-- #warn busy: a date has more than ten orders
SELECT order_date
FROM `{{ build }}`
WHERE orders < 10;
""",
    "gold/totals.sql": """-- Orders of all dates.
SELECT SUM(orders) AS orders
-- full scan: the total is of all dates
FROM `{{ gold }}.daily`
""",
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return parse_contract(load_contract("customer_transactions"), "customer_transactions")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "ops").mkdir()
    for name in ("ops/tables.sql", "pipeline/checks.sql", "pipeline/gold.sql", "pipeline/turn.sql"):
        shutil.copy(SQL / name, tmp_path / name)
    return tmp_path


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


def told(folder: Path, contract: Contract, product: Product = PRODUCT) -> list[str]:
    return list(analyze([(product, contract)], load_environment("local"), folder))


def test_sound_files_have_no_problem(folder: Path, contract: Contract) -> None:
    assert told(folder, contract) == []


def test_a_typo_in_a_gold_select_is_told_at_its_line(folder: Path, contract: Contract) -> None:
    edit(folder, "gold/daily.sql", "DISTINCT order_id", "DISTINCT oder_id")
    assert told(folder, contract)[0] == (
        "sql/gold/daily.sql:4:18: Unrecognized name: oder_id; Did you mean order_id? (in pipeline/gold.sql)"
    )


def test_a_wrong_type_in_a_check_is_told_at_its_line(folder: Path, contract: Contract) -> None:
    edit(folder, "gold/daily.checks.sql", "orders < 10;", "orders < 'ten';")
    (problem,) = told(folder, contract)
    assert problem.startswith("sql/gold/daily.checks.sql:9:7: No matching signature for operator <")
    assert problem.endswith("(in pipeline/gold.sql)")


def test_a_line_behind_a_loop_is_told_by_its_number_in_the_template(folder: Path, contract: Contract) -> None:
    edit(folder, "pipeline/publish.sql", "PARTITION BY {{ partition_by }}", "PARTITION BY x")
    assert told(folder, contract)[0] == "sql/pipeline/publish.sql:6:14: Unrecognized name: x"


def test_an_unpruned_scan_is_told_at_its_table(folder: Path, contract: Contract) -> None:
    edit(folder, "gold/totals.sql", "-- full scan: the total is of all dates", "-- all of them")
    assert told(folder, contract) == [
        "sql/gold/totals.sql:4:6: gold.daily is read as a whole: expected a condition that compares "
        "order_date with literals, variables or parameters, or the comment -- full scan: and why "
        "(in pipeline/gold.sql)"
    ]


def test_no_comment_excuses_reading_the_whole_of_silver(folder: Path, contract: Contract) -> None:
    edit(folder, "gold/daily.sql", "WHERE order_date IN UNNEST(touched)\n", "")
    edit(folder, "gold/daily.sql", "FROM `{{ silver }}", "-- full scan: of all dates\nFROM `{{ silver }}")
    assert told(folder, contract) == [
        "sql/gold/daily.sql:6:6: silver.customer_transactions is read without a filter: expected a condition "
        "that compares order_date with literals, variables or parameters, or BigQuery refuses "
        "(in pipeline/gold.sql)"
    ]


def test_a_gold_table_comes_after_what_it_reads(folder: Path, contract: Contract) -> None:
    daily, totals = PRODUCT.gold
    product = replace(PRODUCT, gold=(replace(totals, after=()), daily))
    assert told(folder, contract, product) == [
        "conf/products/customer_transactions.yaml: gold.0.after: expected daily among them, which "
        "sql/gold/totals.sql reads, got []. Next: mend the file."
    ]


def test_a_check_reads_like_its_table(folder: Path, contract: Contract) -> None:
    checks = (
        "-- #fail known: a date is known\nSELECT 1 FROM `{{ gold }}.daily` WHERE order_date = '2017-01-01';\n"
    )
    (folder / "gold/totals.checks.sql").write_text(checks)
    edit(folder, "gold/totals.sql", "FROM `{{ gold }}.daily`", "FROM (SELECT 1 AS orders)")
    edit(folder, "gold/totals.sql", "-- full scan: the total is of all dates\n", "")
    daily, totals = PRODUCT.gold
    (problem,) = told(folder, contract, replace(PRODUCT, gold=(daily, replace(totals, after=()))))
    assert "gold.1.after: expected daily among them, which sql/gold/totals.checks.sql reads" in problem


def test_gold_tables_that_wait_for_each_other_are_named(folder: Path, contract: Contract) -> None:
    daily, totals = PRODUCT.gold
    product = replace(PRODUCT, gold=(replace(daily, after=("totals",)), totals))
    (problem,) = told(folder, contract, product)
    assert problem.startswith(
        "conf/products/customer_transactions.yaml: gold: expected an order in which the"
    )
    assert "daily after totals" in problem


def test_a_file_that_no_script_takes_in_is_told(folder: Path, contract: Contract) -> None:
    (folder / "pipeline/new.sql").write_text("SELECT 1\n")
    assert told(folder, contract) == [
        "sql/pipeline/new.sql:1:1: no script takes this file in. Next: add it to local/sql_steps.py."
    ]


def test_an_included_file_is_taken_in(folder: Path, contract: Contract) -> None:
    (folder / "pipeline/shared.sql").write_text("SELECT nothing;\n")
    edit(
        folder,
        "pipeline/publish.sql",
        "PARTITION BY",
        "CLUSTER BY order_id;\n{% include 'pipeline/shared.sql' %}\n--",
    )
    problems = told(folder, contract)
    assert "sql/pipeline/shared.sql:1:8: Unrecognized name: nothing (in pipeline/publish.sql)" in problems


def test_a_value_that_nobody_gives_is_named(folder: Path, contract: Contract) -> None:
    edit(folder, "pipeline/publish.sql", "{{ partition_by }}", "{{ partitioned_by }}")
    assert told(folder, contract)[0] == (
        "sql/pipeline/publish.sql:6:1: 'partitioned_by' is undefined. "
        "Next: mend it, or give the value in local/sql_steps.py."
    )


def test_a_script_that_breaks_off_is_told_at_its_last_line(folder: Path, contract: Contract) -> None:
    edit(folder, "pipeline/publish.sql", "PARTITION BY {{ partition_by }};", "PARTITION BY DATE(")
    (problem, *_) = told(folder, contract)
    assert problem.startswith("sql/pipeline/publish.sql:6:")
    assert "but got end of script" in problem


def test_a_template_that_is_none_is_told_at_its_line(folder: Path, contract: Contract) -> None:
    edit(folder, "gold/daily.sql", "{{ silver }}", "{{ silver }")
    assert told(folder, contract)[0].startswith("sql/gold/daily.sql:5:1: unexpected '}'")


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("orders < 10", None),
        ("orders < 10\n  AND order_date > DATE '2017-01-01'  -- not the first", None),
        ("order < 10", "Syntax error: Unexpected keyword ORDER"),
        ("oders < 10", "Unrecognized name: oders; Did you mean orders?"),
        ("orders", "WHERE clause should return type BOOL, but returns INT64"),
        ("COUNT(*) > 10", "Aggregate function COUNT(*) not allowed in WHERE clause"),
        ("orders < 'ten'", "No matching signature for operator <"),
        ("TRUE) OR (TRUE", 'Syntax error: Expected end of input but got ")"'),
        ("TRUE; DROP TABLE gold.daily", "it is more than one statement"),
        ("orders < (SELECT MAX(orders) FROM gold.totals)", "it reads gold.daily, gold.totals"),
        ("", "Syntax error: Unexpected end of"),
    ],
)
def test_the_condition_of_an_alert_is_one_expression_over_its_table(
    folder: Path, contract: Contract, where: str, reason: str | None
) -> None:
    alert = Alert("few", "Few orders.", "daily", where, Audience(slack="channel"))
    problems = told(folder, contract, replace(PRODUCT, alerts=(alert,)))
    if reason is None:
        assert problems == []
        return
    (problem,) = problems
    assert problem.startswith(
        "conf/products/customer_transactions.yaml: alerts.0.where: expected one boolean expression over "
        f"gold.daily ({reason}"
    )
    assert problem.endswith(f", got {where!r}. Next: mend the file.")


def test_what_has_not_changed_is_not_analyzed_again(
    folder: Path, contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def counted(products: object, environment: object, folder: Path) -> list[str]:
        asked.append(folder)
        return ["a problem"]

    monkeypatch.setattr("local.kept.CACHE", tmp_path / "cache")
    monkeypatch.setattr(sql_analysis, "analyze", counted)
    monkeypatch.setattr(sql_analysis, "ROOT", tmp_path / "checkout")
    (tmp_path / "checkout" / "local").mkdir(parents=True)
    arguments = ([(PRODUCT, contract)], load_environment("local"), folder)
    assert analyze_if_changed(*arguments) == analyze_if_changed(*arguments) == ["a problem"]
    assert len(asked) == 1
    edit(folder, "gold/daily.sql", "COUNT", "SUM")
    assert analyze_if_changed(*arguments) == ["a problem"]
    assert len(asked) == 2
    (tmp_path / "checkout" / "local" / "explain.py").touch()  # which steps are made by
    assert analyze_if_changed(*arguments) == ["a problem"]
    assert len(asked) == 3
