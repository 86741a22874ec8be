"""Each gold table on the emulator: rows in, rows out, as tests/sql/gold/<table>.yaml says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud import bigquery

from medallion.environments import load_environment
from medallion.gold import gold_definition
from medallion.products import load_product, product_names
from tests.sql.cases import give, require_expected, touched

CASES = sorted((Path(__file__).parent / "gold").glob("*.yaml"))
TABLES = {table.table: table for name in product_names() for table in load_product(name).gold}


def test_every_gold_table_has_a_case_and_checks() -> None:
    assert {case.stem for case in CASES} == set(TABLES)
    environment = load_environment("local")
    for table in TABLES.values():
        assert gold_definition(table, environment, build="b").checks, table.table


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_rows_in_rows_out(case: Path, warehouse: bigquery.Client) -> None:
    select = gold_definition(TABLES[case.stem], load_environment("local"), build="").select
    require_expected(warehouse, select, yaml.safe_load(case.read_text()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_comes_out_passes_its_checks(case: Path, warehouse: bigquery.Client) -> None:
    told = yaml.safe_load(case.read_text())
    for name, keys in offending(warehouse, case.stem, told).items():
        # A few orders are too few for hours, and a few hours for days.
        assert keys == [] or name in ("at_night", "whole_days"), name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_rows_that_are_doubled_or_mistaken_break_the_checks(case: Path, warehouse: bigquery.Client) -> None:
    told = yaml.safe_load(case.read_text())
    mistaken = told["mistaken"]
    replaced = f"REPLACE ({mistaken['replaced']})" if "replaced" in mistaken else ""
    doubled = f"SELECT * {replaced} FROM staging.first UNION ALL SELECT * FROM staging.first"
    broken = {name for name, keys in offending(warehouse, case.stem, told, doubled).items() if keys}
    assert mistaken["breaks"]
    assert set(mistaken["breaks"]) <= broken


def offending(
    warehouse: bigquery.Client, table: str, told: dict[str, Any], built: str = "SELECT * FROM staging.first"
) -> dict[str, list[Any]]:
    """The keys that break each check of a table, whose new version is `built` of what its SELECT makes."""
    give(warehouse, told["given"])
    definition = gold_definition(TABLES[table], load_environment("local"), build="staging.built")
    declare = f"DECLARE touched ARRAY<DATE> DEFAULT {touched(told)};"
    for dataset in ("staging", "gold", "silver"):
        warehouse.create_dataset(dataset, exists_ok=True)
    warehouse.query(f"{declare}\nCREATE OR REPLACE TABLE staging.first AS\n{definition.select}").result()
    warehouse.query(f"CREATE OR REPLACE TABLE staging.built AS {built}").result()
    return {
        check.name: [tuple(row) for row in warehouse.query(f"{declare}\n{check.select}").result()]
        for check in definition.checks
    }
