"""Policies that every DAG must keep, on the DAGs as Airflow collects them."""

import re
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from airflow.exceptions import ParamValidationError
from airflow.providers.google.cloud.operators.dataproc import (
    DataprocCreateBatchOperator,
    DataprocSubmitJobOperator,
)
from airflow.sdk import TriggerRule

from medallion.environments import Environment, Spark, load_environment
from medallion.models import load_model, model_names
from medallion.products import CustomStep, load_product, product_names
from medallion.steps import StepRun
from operators.model import MLModelTrainJobOperator, MLModelTrainOperator
from pipeline.product import product_dag
from pipeline.training import model_dag
from pipeline.work import skip_in_dry_run

ROOT = Path(__file__).parents[2]
PRODUCTS, MODELS = set(product_names()), set(model_names())
PULLED = {"bike_stations", "weather"}
SERVE = {"customer_transactions", "sales", "weather"}
NOTIFY = {"sales"}
ALERT = {"bike_stations", "weather"}
ENDS = {
    "bike_stations": {"alert"},
    "customer_transactions": {"serve"},
    "sales": {"notify"},
    "weather": {"alert", "serve"},
}
DEADLINES = {f"{name}__deadline" for name in PRODUCTS if load_product(name).deadline}


@pytest.fixture
def cluster() -> Environment:
    local = load_environment("local")
    return replace(local, spark=Spark(runner="cluster", poll_seconds=1, cluster="etl"))


def upstream_steps(dag: Any) -> dict[str, set[str]]:
    """The steps that each step of a DAG waits for."""
    upstream: dict[str, set[str]] = {task.task_id.partition(".")[0]: set() for task in dag.tasks}
    for task in dag.tasks:
        step = task.task_id.partition(".")[0]
        upstream[step] |= {before.partition(".")[0] for before in task.upstream_task_ids} - {step}
    return upstream


def test_there_is_a_dag_for_each_product_and_model(dags: dict[str, Any]) -> None:
    assert set(dags) == PRODUCTS | MODELS | DEADLINES
    assert {"customer_transactions__deadline", "weather__deadline"} <= DEADLINES


@pytest.mark.parametrize("product", ENDS)
def test_a_product_goes_through_its_steps_in_order(dags: dict[str, Any], product: str) -> None:
    # gold may be owed when there is nothing to publish, and publish may be all there is to serve.
    pulled = {"extract": set()} if product in PULLED else {}
    serves = {"serve": {"gold", "publish"}} if product in SERVE else {}
    assert upstream_steps(dags[product]) == {
        **pulled,
        "discover": set(pulled),
        "clean": {"discover"},
        "stage": {"clean"},
        "audit": {"stage"},
        "publish": {"audit"},
        "gold": {"discover", "publish"},
        **serves,
        **({"alert": {"publish", "gold"}} if product in ALERT else {}),
        **({"notify": {"publish", "gold", "serve"}} if product in NOTIFY else {}),
        "all_clear": ENDS[product],
    }
    # It is reached where all is well, and only there.
    assert {task.task_id for task in dags[product].leaves} == {"all_clear"}
    assert dags[product].get_task("all_clear").trigger_rule == TriggerRule.NONE_FAILED


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_model_goes_through_its_steps_in_order(dags: dict[str, Any], model: str) -> None:
    # Scoring waits for deploy, but needs the snapshot alone.
    assert upstream_steps(dags[model]) == {
        "snapshot": set(),
        "train": {"snapshot"},
        "evaluate": {"train"},
        "deploy": {"evaluate"},
        "score": {"snapshot", "deploy"},
        "all_clear": {"deploy", "score"},
    }
    assert dags[model].get_task("score.live").trigger_rule == TriggerRule.ALL_DONE
    # What fails in training fails the run, for scoring goes on without it.
    assert dags[model].get_task("all_clear").upstream_task_ids == {"deploy.card", "score.publish"}
    assert {task.task_id for task in dags[model].leaves} == {"all_clear"}


@pytest.mark.parametrize("dag_id", sorted(PRODUCTS | MODELS))
class TestEveryDag:
    def test_runs_once_at_a_time(self, dags: dict[str, Any], dag_id: str) -> None:
        assert dags[dag_id].max_active_runs == 1, f"{dag_id}: set max_active_runs=1"

    def test_needs_no_start_date_and_makes_up_for_nothing(self, dags: dict[str, Any], dag_id: str) -> None:
        assert dags[dag_id].start_date is None, f"{dag_id}: take start_date out"
        assert dags[dag_id].catchup is False, f"{dag_id}: set catchup=False"

    def test_says_what_it_is_for(self, dags: dict[str, Any], dag_id: str) -> None:
        assert dags[dag_id].description, f"{dag_id}: set description"
        assert dags[dag_id].tags, f"{dag_id}: set tags"

    def test_retries_every_task(self, dags: dict[str, Any], dag_id: str) -> None:
        few = {task.task_id: task.retries for task in dags[dag_id].tasks if task.retries < 2}
        assert few == {}, f"{dag_id}: set retries to 2 or more"

    def test_has_an_owner_for_every_task(self, dags: dict[str, Any], dag_id: str) -> None:
        load = load_product if dag_id in PRODUCTS else load_model
        assert {task.owner for task in dags[dag_id].tasks} == {load(dag_id).owner}

    def test_waits_for_google_without_a_worker(self, dags: dict[str, Any], dag_id: str) -> None:
        waiting = [task for task in dags[dag_id].tasks if hasattr(task, "deferrable")]
        eager = [
            task.task_id for task in waiting if not task.deferrable and "TriggerDagRun" not in task.task_type
        ]
        assert waiting
        assert eager == [], f"{dag_id}: set deferrable=True"


@pytest.mark.parametrize("dag_id", sorted(PRODUCTS | MODELS))
def test_every_task_tells_of_its_failure(dags: dict[str, Any], dag_id: str) -> None:
    silent = [task.task_id for task in dags[dag_id].tasks if len(task.on_failure_callback) != 1]
    assert silent == [], f"{dag_id}: set on_failure_callback in default_args"


def test_a_product_triggers_its_model(dags: dict[str, Any]) -> None:
    train = dags["customer_transactions"].get_task("serve.train")
    assert train.trigger_dag_id == "customer_churn"


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_a_dry_run_ends_before_publish(dags: dict[str, Any], product: str) -> None:
    last = {task.task_id for task in dags[product].tasks if task._pre_execute_hook is skip_in_dry_run}
    gold = {f"gold.{table.table}" for table in load_product(product).gold}
    assert last == gold
    assert dags[product].get_task("publish")._pre_execute_hook.__name__ == "announce"


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_a_run_fills_back_only_when_asked(dags: dict[str, Any], product: str) -> None:
    assert dags[product].params["backfill"] is None
    span = {"first": "2017-01-01", "last": "2017-01-31"}
    for asked in (span, span | {"apply": True}):
        assert copy(dags[product].params.get_param("backfill")).resolve(asked) == asked
    for wrong in (
        {},
        {"first": "2017-01-01"},
        span | {"last": "January"},
        span | {"apply": "yes"},
        span | {"to": 1},
    ):
        with pytest.raises(ParamValidationError):
            copy(dags[product].params.get_param("backfill")).resolve(wrong)


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_a_run_replays_only_when_asked(dags: dict[str, Any], product: str) -> None:
    assert dags[product].params["replay"] is None
    for asked in ({}, {"where": "TRUE"}, {"where": "TRUE", "dry_run": True}):
        assert copy(dags[product].params.get_param("replay")).resolve(asked) == asked
    for wrong in ({"were": "TRUE"}, {"where": ""}, {"dry_run": "yes"}, True):
        with pytest.raises(ParamValidationError):
            copy(dags[product].params.get_param("replay")).resolve(wrong)


def test_a_product_without_model_and_report_serves_nothing() -> None:
    product = replace(load_product("customer_transactions"), train=None, report=False)
    assert "serve" not in upstream_steps(product_dag(product, load_environment("local")))


def test_spark_jobs_are_batches_where_the_environment_is_serverless(dags: dict[str, Any]) -> None:
    clean = dags["customer_transactions"].get_task("clean")
    train = dags["customer_churn"].get_task("train")
    assert isinstance(clean, DataprocCreateBatchOperator)
    assert isinstance(train, MLModelTrainOperator)
    assert clean.batch["runtime_config"]["version"] == "2.3"


def test_spark_jobs_run_on_the_cluster_where_the_environment_has_one(cluster: Environment) -> None:
    clean = product_dag(load_product("customer_transactions"), cluster).get_task("clean")
    train = model_dag(load_model("customer_churn"), cluster).get_task("train")
    assert isinstance(clean, DataprocSubmitJobOperator)
    assert isinstance(train, MLModelTrainJobOperator)
    assert clean.job["placement"] == {"cluster_name": "etl"}


def test_a_job_runs_the_code_of_its_release_on_both(dags: dict[str, Any], cluster: Environment) -> None:
    batch = dags["customer_transactions"].get_task("clean").batch["pyspark_batch"]
    job = product_dag(load_product("customer_transactions"), cluster).get_task("clean").job["pyspark_job"]
    assert batch == {key: value for key, value in job.items() if key != "properties"}
    assert batch["main_python_file_uri"].startswith("gs://local-code/{{")
    assert batch["main_python_file_uri"].endswith("/spark_jobs/clean.py")


@pytest.mark.parametrize("folder", ["dags", "medallion", "ml", "spark_jobs", "sql"])
def test_no_code_asks_where_it_runs(folder: str) -> None:
    names = "|".join(path.stem for path in (ROOT / "conf/environments").glob("*.yaml"))
    asks = re.compile(
        rf"""(==|!=|\bin\b|\bcase\b)\s*[(\[{{]?\s*["']({names})["']|\bis_local\b|\bif local\b"""
    )
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".sql", ".j2")]
    assert files
    assert [str(file) for file in files if asks.search(file.read_text())] == []


def test_a_custom_step_is_told_of_its_run_and_its_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    def export(run: StepRun, *, table: str, limit: int = 10) -> None:
        told.append((run.product.name, run.run, table, limit))

    monkeypatch.setattr("pipeline.custom.registered_steps", lambda: {"export": export})
    custom = CustomStep("export", "gold", {"table": "seller_daily"})
    product = replace(load_product("sales"), steps=(custom,))
    task = product_dag(product, load_environment("local")).get_task("step_export")
    assert task.upstream_task_ids == {"publish", "gold.seller_ranking"}
    monkeypatch.setattr("pipeline.custom.found", lambda context: {"run": "r1"})
    task.python_callable()
    assert told == [("sales", "r1", "seller_daily", 10)]


def test_a_product_says_who_may_see_its_dag_and_how_it_is_found() -> None:
    rights = {"analysts": ("read",), "sellers": ("read", "edit")}
    product = replace(load_product("sales"), access=rights, labels={"team": "marketplace"})
    dag = product_dag(product, load_environment("local"))
    assert dag.access_control == {
        "analysts": {"DAGs": {"can_read"}},
        "sellers": {"DAGs": {"can_read", "can_edit"}},
    }
    assert dag.tags == {"data product", "team:marketplace"}
