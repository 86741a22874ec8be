"""`make check` tells every problem of every file at once."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pyspark.sql import SparkSession

from local.check import check
from medallion.documents import ROOT
from tests.conftest import edit

PRODUCT = "products/customer_transactions.yaml"
CONTRACT = "contracts/customer_transactions.yaml"


def test_the_projects_own_files_have_no_problem(spark: SparkSession) -> None:
    assert list(check()) == []


def test_the_command_finds_the_functions_that_products_name_as_steps() -> None:
    line = r"\tPYTHONPATH=(\S+) \$\(BIN\)/python -m local\.check\n"
    found = re.search(line, (ROOT / "Makefile").read_text())
    assert found, "make check: python -m local.check needs dags/ on its path"
    asked = "from medallion.steps import registered_steps; print(dict(registered_steps()))"
    command, environment = [sys.executable, "-c", asked], {**os.environ, "PYTHONPATH": found[1]}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("{}\n", "")


def test_a_contract_is_held_to_the_standards_schema(conf: Path) -> None:
    edit(conf / CONTRACT, status=7)
    assert any("customer_transactions.yaml: status: expected" in problem for problem in check(conf))


def test_sql_in_a_contract_is_analyzed_by_spark(
    conf: Path, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.kept.CACHE", tmp_path / "cache")
    monkeypatch.setattr("local.check.analyze_if_changed", lambda *_: [])
    document = yaml.safe_load((conf / CONTRACT).read_text())
    document["schema"][0]["properties"][-1]["transformLogic"] = "HOUR(order_at)"
    edit(conf / CONTRACT, **document)
    (problem,) = check(conf)
    assert f"conf/{CONTRACT}: schema.0.properties.13.transformLogic: expected Spark SQL over" in problem
    assert "with name `order_at` cannot be resolved. Did you mean one of the following" in problem


def test_a_missing_select_is_named(conf: Path) -> None:
    edit(conf / PRODUCT, gold=[{"table": "nowhere", "rebuild": "full"}])
    (problem,) = check(conf)
    assert "gold.0.table: expected a file in sql/gold, got 'nowhere'" in problem


def test_a_partition_column_must_be_a_date_of_the_contract(conf: Path) -> None:
    edit(conf / PRODUCT, silver={"partition_by": "ordered_at"})
    (problem,) = check(conf)
    assert "silver.partition_by: expected a required DATE column: order_date, got 'ordered_at'" in problem


def test_a_timezone_that_spark_does_not_know_is_told(conf: Path) -> None:
    contract = conf / "contracts" / "customer_transactions.yaml"
    text = contract.read_text()
    assert "defaultTimezone: Etc/UTC" in text
    contract.write_text(text.replace("defaultTimezone: Etc/UTC", "defaultTimezone: America/New_Yrok"))
    (problem,) = check(conf)
    assert problem == (
        "conf/contracts/customer_transactions.yaml: ordered_at.defaultTimezone: expected an IANA name like"
        " America/New_York, got 'America/New_Yrok'. Next: mend the file."
    )


def test_an_unknown_model_is_named(conf: Path) -> None:
    edit(conf / PRODUCT, train="nobody")
    (problem,) = check(conf)
    assert "train: expected the name of a file in conf/models, got 'nobody'" in problem


def test_a_product_cannot_have_the_name_of_a_model(conf: Path) -> None:
    shutil.copy(conf / "models" / "customer_churn.yaml", conf / "models" / "sales.yaml")
    edit(conf / "models" / "sales.yaml", name="sales")
    expected = "expected a name that no model has, got 'sales'"
    assert f"conf/products/sales.yaml: name: {expected}. Next: mend the file." in list(check(conf))


def test_a_second_model_is_refused(conf: Path) -> None:
    second = conf / "models" / "customer_value.yaml"
    shutil.copy(conf / "models" / "customer_churn.yaml", second)
    edit(second, name="customer_value")
    (problem,) = check(conf)
    assert problem.startswith("conf/models/customer_value.yaml")
    assert "expected one model" in problem


def test_problems_of_several_files_are_told_together(conf: Path) -> None:
    edit(conf / PRODUCT, train="nobody")
    edit(conf / "environments" / "dev.yaml", project=None)
    assert len(list(check(conf))) == 2
