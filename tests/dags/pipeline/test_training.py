"""A model's run on the emulators: what it plans, which inputs it refuses, and how a day is scored."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery
from google.cloud.storage import Bucket

from medallion.config import Environment, Model, load_environment, load_model
from medallion.pointer import promote, read_pointer
from medallion.sql import literal
from pipeline.training import model_dag
from tests.dags.conftest import TaskInstance
from tests.dags.pipeline.conftest import drop_tables, make_environment

FIRST, LAST = date(2017, 1, 1), date(2017, 7, 19)  # 200 days
CUSTOMERS = 40


class ModelRun:
    """A model's DAG, run task by task on a warehouse in which one run of a product was published."""

    def __init__(
        self, model: Model, environment: Environment, client: bigquery.Client, models: Bucket
    ) -> None:
        self.name = model.name
        self.environment = environment
        self.models = models
        self._client = client
        self._dag = model_dag(model, environment)

    def query(self, sql: str) -> list[dict[str, Any]]:
        job = self._client.query(sql, retry=None, job_retry=None)
        return [dict(row) for row in job.result(retry=None, job_retry=None)]

    def publish(self, run: str, last: date = LAST, shown: bool = True) -> None:
        """A run of a product that brought every day up to a date; gold shows it, or has yet to."""
        self.query(
            "INSERT INTO ops.runs (product, run, contract_version, release, files, rows_read, rows_valid,"
            " rows_rejected, rows_duplicate, published_at)"
            f" VALUES ('orders', '{run}', '1', 'r', 1, 1, 1, 0, 0, TIMESTAMP '2017-08-01 00:00:00')"
        )
        self.query(
            "INSERT INTO ops.touched_partitions (product, run, partition_date)"
            f" SELECT 'orders', '{run}', day"
            f" FROM UNNEST(GENERATE_DATE_ARRAY({literal(FIRST)}, {literal(last)})) AS day"
        )
        if shown:
            self.query(
                "INSERT INTO ops.refreshes (product, table_name, definition, run, refreshed_at) VALUES"
                f" ('orders', 'customer_daily', 'd1', '{run}', TIMESTAMP '2017-08-01 00:00:00')"
            )

    def store(self, last: date = LAST) -> None:
        """gold.customer_daily: everybody comes every fifth day."""
        self.query(
            "CREATE OR REPLACE TABLE gold.customer_daily AS"
            " SELECT customer_id, order_date, 1 AS orders, 2 AS items,"
            " NUMERIC '10.00' AS net_sales, NUMERIC '1.00' AS discounts"
            f" FROM UNNEST(GENERATE_ARRAY(1, {CUSTOMERS})) AS customer_id,"
            f" UNNEST(GENERATE_DATE_ARRAY({literal(FIRST)}, {literal(last)})) AS order_date"
            f" WHERE MOD(customer_id + DATE_DIFF(order_date, {literal(FIRST)}, DAY), 5) = 0"
        )

    def go_live(self, version: str, origin: dict[str, Any]) -> None:
        """A version that was trained on an extract goes live."""
        written = json.dumps({"origin": origin, "version": version})
        self.models.blob(f"{self.name}/{version}/training.json").upload_from_string(written)
        promote(self.models, self.name, read_pointer(self.models, self.name), version)

    def plan(self) -> dict[str, Any]:
        return self.task("snapshot.plan", {})

    def origin(self, plan: dict[str, Any]) -> dict[str, Any]:
        """What is noted beside a plan's examples."""
        bucket, _, folder = plan["examples"].removeprefix("gs://").partition("/")
        return json.loads(GCSHook().download(bucket_name=bucket, object_name=f"{folder}/_plan.json"))

    def task(self, task_id: str, plan: dict[str, Any], deployed: dict[str, Any] | None = None) -> Any:
        """Runs a task of the run that was planned so."""
        context = {"ti": Handed(plan, deployed), "logical_date": None, "run_id": "run"}
        task = self._dag.get_task(task_id)
        task.deferrable = False
        if task._pre_execute_hook:
            task._pre_execute_hook(context)
        if hasattr(task, "python_callable"):
            return task.python_callable(**({"ti": context["ti"]} if task_id == "score.drift" else {}))
        return task.execute(context)


class Handed(TaskInstance):
    """What plan and deploy hand on; other tasks have handed on nothing."""

    def __init__(self, plan: dict[str, Any], deployed: dict[str, Any] | None) -> None:
        super().__init__()
        self.returned = {"snapshot.plan": plan, "deploy.promote": deployed, "snapshot.features": "job"}

    def xcom_pull(self, task_ids: str, key: str | None = None) -> Any:
        return self.pushed.get(key) if key else self.returned.get(task_ids)


@pytest.fixture
def run(warehouse: bigquery.Client, emulators: None, request: pytest.FixtureRequest) -> Iterator[ModelRun]:
    """A model of the test's own, whose jobs no other test's are taken for."""
    environment = make_environment(warehouse)
    models = GCSHook().get_conn().create_bucket(environment.buckets["models"])
    name = f"churn_{zlib.crc32(request.node.name.encode()):08x}"
    run = ModelRun(replace(load_model("customer_churn"), name=name), environment, warehouse, models)
    run.store()
    yield run
    models.delete(force=True)
    drop_tables(warehouse, environment)


PLANNED = {
    **{"snapshot": "20170719-a1-b2", "version": "20170719-a1-b2", "release": "r", "skip": ""},
    **{"live": "20170101-x-y", "champion": "gs://models/m/20170101-x-y", "examples": "gs://lake/e"},
}


@pytest.mark.parametrize(
    ("plan", "deployed", "scorer"),
    [
        (PLANNED, {"live": "20170719-a1-b2"}, "20170719-a1-b2"),  # promoted
        (PLANNED, {"live": "20170101-x-y"}, "20170101-x-y"),  # refused
        (PLANNED, None, "20170101-x-y"),  # not trained, or failed
        (None, None, ""),  # nothing to learn from
    ],
)
def test_the_day_is_scored_by_what_is_live(plan: Any, deployed: Any, scorer: str) -> None:
    task = model_dag(load_model("customer_churn"), load_environment("local")).get_task("score.predict")
    task.render_template_fields({"ti": Handed(plan, deployed)})
    snapshot = plan["snapshot"] if plan else ""
    hashes = scorer.partition("-")[2]
    assert task.batch_id == f"score-{snapshot}-{hashes}"
    assert len(task.batch_id) < 60
    arguments = task.batch["pyspark_batch"]["args"]
    assert dict(zip(arguments[::2], arguments[1::2], strict=True)) == {
        "--examples": plan["examples"] if plan else "",
        "--model": f"gs://local-models/customer_churn/{scorer}",
        "--version": scorer,
        "--output": f"gs://local-lake/scores/customer_churn/{snapshot}/{scorer}",
    }
    assert task.batch["labels"]["run"] == snapshot


def test_a_version_is_trained_and_evaluated_in_its_folder() -> None:
    dag = model_dag(load_model("customer_churn"), load_environment("local"))
    context = {"ti": Handed(PLANNED, None)}
    train, evaluate, promote = (dag.get_task(name) for name in ("train", "evaluate", "deploy.promote"))
    for task in (train, evaluate, promote):
        task.render_template_fields(context)
    assert (train.batch_id, train.folder) == ("train-20170719-a1-b2", "customer_churn/20170719-a1-b2")
    assert evaluate.batch["pyspark_batch"]["args"] == [
        *("--examples", "gs://lake/e", "--model", "gs://local-models/customer_churn/20170719-a1-b2"),
        *("--champion", "gs://models/m/20170101-x-y"),
        *("--output", "gs://local-models/customer_churn/20170719-a1-b2"),
    ]
    assert promote.version == "20170719-a1-b2"


def test_a_first_run_trains_on_every_week_with_a_full_window(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    origin = run.origin(plan)
    assert plan["version"] == plan["snapshot"]
    assert plan["version"].startswith("20170719-")
    assert (plan["live"], plan["champion"], plan["skip"]) == (None, "", "")
    assert origin["train_dates"] == ["2017-04-06", "2017-04-13", "2017-04-20"]
    assert (origin["test_date"], origin["validation_date"]) == ("2017-06-19", "2017-05-20")
    assert (origin["partitions"], origin["release"]) == (200, "release")
    assert run.plan() == plan


def test_a_changed_partition_makes_another_version(run: ModelRun) -> None:
    run.publish("r1")
    before = run.plan()
    run.publish("r2", last=FIRST)
    after = run.plan()
    assert run.origin(after)["fingerprint"] != run.origin(before)["fingerprint"]
    assert after["version"] != before["version"]


def test_a_published_run_that_gold_does_not_show_is_refused(run: ModelRun) -> None:
    run.publish("r1")
    run.publish("r2", shown=False)
    with pytest.raises(AirflowFailException, match="got none of the rows of r2"):
        run.plan()


def test_a_table_that_nobody_audited_is_refused(run: ModelRun) -> None:
    with pytest.raises(AirflowFailException, match=r"got one that ops\.refreshes knows nothing of"):
        run.plan()


def test_gold_that_changes_after_the_plan_is_refused(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    run.publish("r2", last=FIRST)
    with pytest.raises(BadRequest, match="has changed since the snapshot was planned"):
        run.task("snapshot.features", plan)


def test_a_snapshot_without_customers_is_not_shown(run: ModelRun) -> None:
    run.publish("r1")
    gap = f"order_date BETWEEN {literal(date(2017, 1, 5))} AND {literal(date(2017, 4, 14))}"
    run.query(f"DELETE FROM gold.customer_daily WHERE {gap}")
    with pytest.raises(BadRequest, match="every_snapshot: 2 rows against: each planned snapshot date"):
        run.task("snapshot.features", run.plan())
    shown = "SELECT table_name FROM gold.INFORMATION_SCHEMA.TABLES WHERE table_name = 'customer_features'"
    assert run.query(shown) == []


def test_a_snapshot_is_taken_once_however_often_it_runs(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    for _ in range(2):
        run.task("snapshot.features", plan)
    (features,) = run.query(
        "SELECT COUNT(*) AS n, COUNT(DISTINCT snapshot_date) AS dates FROM gold.customer_features"
    )
    assert features == {"n": 6 * CUSTOMERS, "dates": 6}


def test_too_little_history_skips_the_run_when_nothing_is_live(run: ModelRun) -> None:
    run.publish("r1")
    run.query(f"DELETE FROM gold.customer_daily WHERE order_date > {literal(date(2017, 5, 1))}")
    with pytest.raises(AirflowSkipException, match="Training needs 181 days of history, got 121"):
        run.plan()


def test_too_little_history_is_scored_by_what_is_live(run: ModelRun) -> None:
    run.publish("r1")
    run.go_live("20170101-x-y", {})
    run.query(f"DELETE FROM gold.customer_daily WHERE order_date > {literal(date(2017, 5, 1))}")
    plan = run.plan()
    assert plan["skip"].startswith("Training needs 181 days")
    assert (plan["live"], plan["snapshot"][-6:]) == ("20170101-x-y", "-score")


@pytest.mark.parametrize(("days", "trains"), [(0, False), (6, False), (7, True), (-1, True)])
def test_a_version_is_trained_when_there_is_a_week_of_new_data(
    run: ModelRun, days: int, trains: bool
) -> None:
    run.publish("r1")
    origin = run.origin(run.plan())
    run.go_live("20170701-x-y", {**origin, "score_date": f"{LAST - timedelta(days)}"})
    plan = run.plan()
    assert bool(plan["skip"]) is not trains
    assert run.origin(plan)["train_dates"] == (origin["train_dates"] if trains else [])
    assert plan["champion"] == f"gs://{run.models.name}/{run.name}/20170701-x-y"


def test_other_settings_or_code_are_trained_at_once(run: ModelRun) -> None:
    run.publish("r1")
    run.go_live("20170701-x-y", {**run.origin(run.plan()), "settings": "other"})
    assert run.plan()["skip"] == ""


def test_the_same_data_is_not_trained_on_twice(run: ModelRun) -> None:
    run.publish("r1")
    first = run.plan()
    run.go_live(first["version"], run.origin(first))
    again = run.plan()
    assert again["skip"] == "The live version was made of this data, code and settings."
    assert again["version"] == first["version"]
    with pytest.raises(AirflowSkipException, match=r"Nothing is trained\. The live version was made"):
        run.task("train", again)


def test_after_a_rollback_a_version_is_held_against_another(run: ModelRun) -> None:
    run.publish("r1")
    first = run.plan()
    run.go_live("20170101-x-y", {"settings": "other", "score_date": "2017-01-01"})
    second = run.plan()
    assert second["version"] != first["version"]
    assert second["version"].rpartition("-")[0] == first["version"].rpartition("-")[0]


def test_nobody_is_scored_while_nothing_is_live(run: ModelRun) -> None:
    run.publish("r1")
    with pytest.raises(AirflowSkipException, match="No version has passed the gate yet"):
        run.task("score.predict", run.plan(), {"live": None})


def scored(
    run: ModelRun, plan: dict[str, Any], live: str, customers: int = CUSTOMERS, psi: float = 0.0
) -> None:
    """Leaves what the scoring job leaves of the day."""
    place = run.environment
    folder = f"scores/{run.name}/{plan['snapshot']}/{live}"
    schema = pa.schema(
        [
            *(("customer_id", pa.int64()), ("snapshot_date", pa.date32()), ("model_version", pa.string())),
            *(("p_inactive_30d", pa.float64()), ("value_at_risk", pa.decimal128(38, 9))),
        ]
    )
    frame = pd.DataFrame({"customer_id": range(customers)}).assign(
        snapshot_date=LAST, model_version=live, p_inactive_30d=0.5, value_at_risk=1
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame.astype({"value_at_risk": object}), schema=schema), buffer)
    report = {"rows": customers, "customers": customers, "psi": {"recency_days": psi, "score": 0.0}}
    for name, data in {
        "part-0.parquet": buffer.getvalue().to_pybytes(),
        "_drift.json": json.dumps(report),
    }.items():
        GCSHook().upload(bucket_name=place.buckets["lake"], object_name=f"{folder}/{name}", data=data)


def score(run: ModelRun, plan: dict[str, Any], live: str) -> None:
    for name in ("drift", "stage", "load", "publish"):
        run.task(f"score.{name}", plan, {"live": live})


def test_a_day_has_one_score_a_customer_whichever_version_made_it(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    for live in ("v1", "v1", "v2"):
        scored(run, plan, live)
        score(run, plan, live)
    assert run.query(
        "SELECT model_version, COUNT(*) AS n, SUM(value_at_risk) AS value"
        " FROM gold.customer_scores GROUP BY model_version"
    ) == [{"model_version": "v2", "n": CUSTOMERS, "value": CUSTOMERS}]


def test_a_day_unlike_those_before_keeps_its_scores_back(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    scored(run, plan, "v1")
    score(run, plan, "v1")
    scored(run, plan, "v2", psi=0.2)
    with pytest.raises(AirflowFailException, match=r"psi.recency_days: expected at most 0.1, got 0.2000"):
        score(run, plan, "v2")
    assert run.query("SELECT DISTINCT model_version FROM gold.customer_scores") == [{"model_version": "v1"}]
    assert run.query("SELECT name, severity FROM ops.checks WHERE step = 'score' AND NOT passed") == [
        {"name": "psi.recency_days", "severity": "fail"}
    ]


def test_a_slight_shift_is_noted_and_scored(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    scored(run, plan, "v1", psi=0.06)
    assert run.task("score.drift", plan, {"live": "v1"}) == {
        "psi.recency_days": "expected at most 0.05, got 0.0600"
    }


def test_what_the_index_misses_is_seen_in_gold(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    scored(run, plan, "v1")
    newest = "WHERE order_date = DATE '2017-07-19'"
    for sql, missed in {
        f"UPDATE gold.customer_daily SET items = 0 {newest}": "lines",
        "DELETE FROM gold.customer_daily WHERE customer_id = 1": "one_row_a_customer",
        f"DELETE FROM gold.customer_daily {newest}": "newest_date",
        "INSERT INTO gold.customer_daily VALUES (99, DATE '2017-07-20', 1, 2, 1, 0)": "newest_date",
    }.items():
        run.query(sql)
        with pytest.raises(AirflowFailException, match=f"{missed}: expected"):
            run.task("score.drift", plan, {"live": "v1"})
    names = "SELECT name FROM ops.checks WHERE step = 'score' AND NOT passed ORDER BY name"
    assert [row["name"] for row in run.query(names)] == ["lines", "newest_date", "one_row_a_customer"]


def test_the_live_versions_card_is_among_the_reports(run: ModelRun) -> None:
    run.publish("r1")
    reports = run.environment.buckets["reports"]
    if not GCSHook().get_conn().bucket(reports).exists():
        GCSHook().get_conn().create_bucket(reports)
    plan = run.plan()
    run.go_live("v1", run.origin(plan))
    run.models.blob(f"{run.name}/v1/card.html").upload_from_string("<h1>v1</h1>")
    assert run.task("deploy.card", plan) == f"gs://{reports}/{run.name}/index.html"
    shown = GCSHook().download(bucket_name=reports, object_name=f"{run.name}/index.html")
    assert shown == b"<h1>v1</h1>"
