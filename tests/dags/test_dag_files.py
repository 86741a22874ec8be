"""The DAG files: what they make of a broken product or model, and that Airflow takes them up."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from airflow.exceptions import AirflowFailException
from airflow.sdk.definitions.context import _AIRFLOW_PARSING_CONTEXT_DAG_ID

from medallion.errors import ConfigError
from medallion.models import Model, load_model, model_names
from medallion.products import Schedule, load_product, product_names

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("file", "load"), [("data_products", "product"), ("model_training", "model")])
def test_a_broken_file_leaves_a_dag_that_says_so(
    monkeypatch: pytest.MonkeyPatch, file: str, load: str
) -> None:
    def broken(name: str) -> None:
        raise ConfigError(f"conf/{name}.yaml", "owner", "a team", None)

    monkeypatch.setattr(f"medallion.{load}s.load_{load}", broken)
    monkeypatch.setattr(f"medallion.{load}s.{load}_names", lambda: ("first", "second"))
    found = runpy.run_path(str(ROOT / f"dags/{file}.py"))
    assert found["first"].description.startswith("conf/first.yaml: owner: expected a team, got None")
    with pytest.raises(AirflowFailException, match=r"conf/second\.yaml: owner"):
        found["second"].get_task("broken").python_callable()


def test_airflow_takes_each_dag_file_for_one() -> None:
    files = sorted((ROOT / "dags").glob("*.py"))
    assert [file.name for file in files] == ["data_products.py", "model_training.py"]
    for file in files:
        text = file.read_text().lower()
        assert "dag" in text and "airflow" in text, f"{file.name}: name both words, or Airflow skips it"


def test_whatever_breaks_a_product_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        if name == "weather":
            raise ZeroDivisionError("a mistake in the code")
        return load_product(name)

    monkeypatch.setattr("medallion.products.load_product", broken)
    found = runpy.run_path(str(ROOT / "dags/data_products.py"))
    assert found["weather"].description == "ZeroDivisionError: a mistake in the code"
    assert found["sales"].get_task("publish")


def test_whatever_breaks_a_model_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Model:
        if name == "first":
            raise ZeroDivisionError("a mistake in the code")
        return replace(load_model("customer_churn"), name=name)

    monkeypatch.setattr("medallion.models.load_model", broken)
    monkeypatch.setattr("medallion.models.model_names", lambda: ("first", "second"))
    found = runpy.run_path(str(ROOT / "dags/model_training.py"))
    assert found["first"].description == "ZeroDivisionError: a mistake in the code"
    assert found["second"].get_task("train")


@pytest.mark.parametrize(("asked", "built"), [("sales", {"sales"}), ("customer_churn", {"customer_churn"})])
def test_a_task_that_starts_has_no_dag_built_but_its_own(
    monkeypatch: pytest.MonkeyPatch, asked: str, built: set[str]
) -> None:
    monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_DAG_ID, asked)  # as Airflow does where a task starts
    files = ("data_products", "model_training")
    found = [runpy.run_path(str(ROOT / f"dags/{file}.py")) for file in files]
    assert set().union(*found) & {*product_names(), *model_names()} == built


def test_a_schedule_that_is_wrong_is_shown_by_its_dag(monkeypatch: pytest.MonkeyPatch) -> None:
    never = replace(load_product("sales"), schedule=Schedule(cron="never", timezone="UTC"))
    monkeypatch.setattr("medallion.products.load_product", lambda name: never)
    monkeypatch.setattr("medallion.products.product_names", lambda: ("sales",))
    found = runpy.run_path(str(ROOT / "dags/data_products.py"))
    assert found["sales"].description.startswith("conf/products/sales.yaml: schedule.cron: expected minute")
