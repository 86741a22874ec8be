"""Policies that every DAG must keep, on the DAGs as Airflow collects them."""

import re
import runpy
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pendulum
import pytest
from airflow.exceptions import AirflowFailException, ParamValidationError
from airflow.providers.google.cloud.operators.dataproc import (
    DataprocCreateBatchOperator,
    DataprocSubmitJobOperator,
)
from airflow.sdk import TriggerRule
from airflow.sdk.definitions.context import _AIRFLOW_PARSING_CONTEXT_DAG_ID
from airflow.timetables import trigger
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.base import TimeRestriction

from medallion import config
from medallion.config import (
    CustomStep,
    Environment,
    Schedule,
    Spark,
    load_environment,
    load_model,
    load_product,
)
from medallion.errors import ConfigError
from medallion.steps import StepRun
from operators.model import MLModelTrainJobOperator, MLModelTrainOperator
from pipeline.product import product_dag
from pipeline.training import model_dag
from pipeline.work import skip_in_dry_run

ROOT = Path(__file__).parents[2]
PRODUCTS = {"bike_stations", "customer_transactions", "sales", "weather"}
PULLED = {"bike_stations", "weather"}
SERVE = {"customer_transactions", "sales", "weather"}
NOTIFY = {"sales"}
ON_ARRIVAL = {"customer_transactions", "sales"}
ALERT = {"bike_stations", "weather"}
ENDS = {
    "bike_stations": {"alert"},
    "customer_transactions": {"serve"},
    "sales": {"notify"},
    "weather": {"alert", "serve"},
}
MODELS = {"customer_churn"}
DEADLINES = {"customer_transactions__deadline", "weather__deadline"}
NEVER_RUN = TimeRestriction(earliest=None, latest=None, catchup=False)


@pytest.fixture
def cluster() -> Environment:
    local = load_environment("local")
    return replace(local, spark=Spark(runner="cluster", poll_seconds=1, cluster="etl"))


def steps(dag: Any) -> list[str]:
    """A DAG's steps, a task group counting as one, each before those that depend on it."""
    return list(dict.fromkeys(task.task_id.partition(".")[0] for task in dag.topological_sort()))


def upstream_steps(dag: Any) -> dict[str, set[str]]:
    """The steps that each step of a DAG waits for."""
    upstream: dict[str, set[str]] = {task.task_id.partition(".")[0]: set() for task in dag.tasks}
    for task in dag.tasks:
        step = task.task_id.partition(".")[0]
        upstream[step] |= {before.partition(".")[0] for before in task.upstream_task_ids} - {step}
    return upstream


def test_there_is_a_dag_for_each_product_and_model(dags: dict[str, Any]) -> None:
    assert set(dags) == PRODUCTS | MODELS | DEADLINES


@pytest.mark.parametrize("product", sorted(PRODUCTS))
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
    assert dags[model].get_task("score.predict").trigger_rule == TriggerRule.ALL_DONE
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


@pytest.mark.parametrize("dag_id", sorted(DEADLINES))
def test_a_deadline_is_looked_after_at_its_time(dags: dict[str, Any], dag_id: str) -> None:
    dag, product = dags[dag_id], load_product(dag_id.partition("__")[0])
    assert product.schedule is not None
    moment = pendulum.datetime(2026, 1, 10, tz=product.schedule.timezone)
    last = trigger.DataInterval.exact(moment)
    due = dag.timetable.next_dagrun_info(
        last_automated_data_interval=last, restriction=TimeRestriction(moment, None, catchup=True)
    )
    assert due.run_after.in_timezone(product.schedule.timezone).strftime("%d %H:%M") == "10 07:00"
    assert dag.max_active_runs == 1
    assert dag.catchup is False
    (task,) = dag.tasks
    assert task.retries >= 2
    assert task.owner == product.owner
    assert task.on_failure_callback


@pytest.mark.parametrize("dag_id", sorted(PRODUCTS | MODELS))
def test_every_task_tells_of_its_failure(dags: dict[str, Any], dag_id: str) -> None:
    silent = [task.task_id for task in dags[dag_id].tasks if len(task.on_failure_callback) != 1]
    assert silent == [], f"{dag_id}: set on_failure_callback in default_args"


def test_a_product_triggers_its_model(dags: dict[str, Any]) -> None:
    train = dags["customer_transactions"].get_task("serve.train")
    assert train.trigger_dag_id == "customer_churn"


@pytest.mark.parametrize(
    ("now", "first"),
    [
        ("2026-01-10T00:00:30", "2026-01-11T00:00:00"),
        ("2026-01-10T00:04:00", "2026-01-11T00:00:00"),
        ("2026-01-10T23:59:59", "2026-01-11T00:00:00"),
        ("2026-03-08T12:00:00", "2026-03-09T00:00:00"),  # the day when clocks go forward
    ],
)
def test_the_first_run_is_the_next_one_due(
    dags: dict[str, Any], monkeypatch: pytest.MonkeyPatch, now: str, first: str
) -> None:
    clock = pendulum.parse(now, tz="America/New_York")
    monkeypatch.setattr(trigger, "utcnow", lambda: clock.in_timezone("UTC"))
    timetable = dags["customer_transactions"].timetable
    due = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=NEVER_RUN)
    assert due.run_after == pendulum.parse(first, tz="America/New_York")


def test_a_run_follows_the_last_one_at_midnight_in_new_york(
    dags: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = pendulum.datetime(2026, 1, 10, 0, 0, 1, tz="America/New_York")
    monkeypatch.setattr(trigger, "utcnow", lambda: clock.in_timezone("UTC"))
    timetable = dags["customer_transactions"].timetable
    last = trigger.DataInterval.exact(pendulum.datetime(2026, 1, 9, tz="America/New_York"))
    due = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=NEVER_RUN)
    assert due.run_after == pendulum.datetime(2026, 1, 10, tz="America/New_York")


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


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_files_that_land_start_a_run_where_the_product_says_so(dags: dict[str, Any], product: str) -> None:
    timetable = dags[product].timetable
    if product not in ON_ARRIVAL:
        assert isinstance(timetable, trigger.CronTriggerTimetable)
        return
    assert isinstance(timetable, AssetOrTimeSchedule)
    assert isinstance(timetable.timetable, trigger.CronTriggerTimetable), f"{product}: lost announcements"
    asset = timetable.asset_condition
    assert asset.uri == f"gs://local-bronze/{product}"
    (watcher,) = asset.watchers
    classpath, wanted = watcher.trigger.serialize()
    assert classpath == "airflow.providers.google.cloud.triggers.pubsub.PubsubPullTrigger"
    assert wanted["project_id"] == "medallion-local"
    assert wanted["subscription"] == f"arrivals-{product}"
    assert wanted["ack_messages"] is True
    # A minute has to do for the poll, for Airflow's own loops, and for the start of the run.
    assert wanted["poke_interval"] <= 20
    # One event of many files; those of events that come while a run is active become one run.
    assert wanted["max_messages"] == 1000 and dags[product].max_active_runs == 1


@pytest.mark.parametrize("product", sorted(ON_ARRIVAL))
def test_nothing_in_a_run_needs_a_date_that_an_arrival_does_not_have(
    dags: dict[str, Any], product: str
) -> None:
    dated = re.compile(r"\{\{[^}]*\b(ds|ts|logical_date|data_interval\w*|(ds|ts)_nodash\w*)\b")
    for task in dags[product].tasks:
        templates = [str(getattr(task, field)) for field in task.template_fields]
        found = [text for text in templates if dated.search(text)]
        assert found == [], f"{product}.{task.task_id}: a run that files have started has no logical date"


def test_without_a_schedule_a_product_runs_when_asked_only() -> None:
    product = replace(load_product("customer_transactions"), schedule=None)
    assert product_dag(product, load_environment("local")).schedule is None


def test_a_product_without_model_and_report_serves_nothing() -> None:
    product = replace(load_product("customer_transactions"), train=None, report=False)
    assert "serve" not in steps(product_dag(product, load_environment("local")))


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


@pytest.mark.parametrize(("file", "load"), [("data_products", "product"), ("model_training", "model")])
def test_a_broken_file_leaves_a_dag_that_says_so(
    monkeypatch: pytest.MonkeyPatch, file: str, load: str
) -> None:
    def broken(name: str) -> None:
        raise ConfigError(f"conf/{name}.yaml", "owner", "a team", None)

    monkeypatch.setattr(config, f"load_{load}", broken)
    monkeypatch.setattr(config, f"{load}_names", lambda: ("first", "second"))
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


def test_whatever_breaks_a_product_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        if name == "weather":
            raise ZeroDivisionError("a mistake in the code")
        return load_product(name)

    monkeypatch.setattr(config, "load_product", broken)
    found = runpy.run_path(str(ROOT / "dags/data_products.py"))
    assert found["weather"].description == "ZeroDivisionError: a mistake in the code"
    assert found["sales"].get_task("publish")


@pytest.mark.parametrize(("asked", "built"), [("sales", {"sales"}), ("customer_churn", {"customer_churn"})])
def test_a_task_that_starts_has_no_dag_built_but_its_own(
    monkeypatch: pytest.MonkeyPatch, asked: str, built: set[str]
) -> None:
    monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_DAG_ID, asked)  # as Airflow does where a task starts
    files = ("data_products", "model_training")
    found = [runpy.run_path(str(ROOT / f"dags/{file}.py")) for file in files]
    assert set().union(*found) & (PRODUCTS | MODELS) == built


def test_a_schedule_that_is_wrong_is_shown_by_its_dag(monkeypatch: pytest.MonkeyPatch) -> None:
    never = replace(load_product("sales"), schedule=Schedule(cron="never", timezone="UTC"))
    monkeypatch.setattr(config, "load_product", lambda name: never)
    monkeypatch.setattr(config, "product_names", lambda: ("sales",))
    found = runpy.run_path(str(ROOT / "dags/data_products.py"))
    assert found["sales"].description.startswith("conf/products/sales.yaml: schedule.cron: expected minute")
