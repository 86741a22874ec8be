"""A model's run on the emulators: what it plans to learn from, and which inputs it refuses."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from airflow.exceptions import AirflowException, AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.api_core.exceptions import BadRequest

from medallion.environments import load_environment
from medallion.features import snapshot_script
from medallion.models import load_model
from medallion.sql import literal
from pipeline.model_plan import History, plan_run
from pipeline.model_work import read_plan
from pipeline.training import model_dag
from tests.dags.pipeline.models import CUSTOMERS, FIRST, LAST, PLANNED, Handed, ModelRun


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


def test_a_published_run_that_gold_does_not_show_yet_is_waited_for(run: ModelRun) -> None:
    run.publish("r1")
    run.publish("r2", shown=False)
    with pytest.raises(AirflowException, match="got none of the rows of r2") as refused:
        run.plan()
    assert refused.type is AirflowException  # which is tried again, unlike those derived from it


def test_a_table_that_nobody_audited_is_waited_for(run: ModelRun) -> None:
    with pytest.raises(AirflowException, match=r"got one that ops\.refreshes knows nothing of") as refused:
        run.plan()
    assert refused.type is AirflowException


def test_there_is_nothing_to_learn_from_where_no_product_has_run(run: ModelRun) -> None:
    run.query("DROP TABLE gold.customer_daily")
    with pytest.raises(AirflowSkipException, match=r"There is nothing to learn from yet: .*customer_daily"):
        run.plan()


@pytest.mark.parametrize("stray", ["2001-01-01", "2016-10-02"])  # the second with 91 days to the next one
def test_an_order_long_before_all_others_is_no_history(run: ModelRun, stray: str) -> None:
    run.publish("r1")
    before = run.origin(run.plan())["train_dates"]
    run.query(f"INSERT INTO gold.customer_daily VALUES (1, DATE '{stray}', 1, 2, 1, 0)")
    assert run.origin(run.plan())["train_dates"] == before


def test_an_order_within_90_days_of_the_next_one_is_history(run: ModelRun) -> None:
    run.publish("r1")
    before = run.origin(run.plan())["train_dates"]
    run.query("INSERT INTO gold.customer_daily VALUES (1, DATE '2016-10-03', 1, 2, 1, 0)")
    assert run.origin(run.plan())["train_dates"][0] < before[0]
    run.task("snapshot.features", run.plan())


def test_gold_that_changes_after_the_plan_is_refused(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    run.publish("r2", last=FIRST)
    with pytest.raises(BadRequest, match="has changed since the snapshot was planned"):
        run.task("snapshot.features", plan)


def test_gold_that_changes_while_labels_are_exported_is_refused(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    dates = read_plan(plan)
    named = (run.name, plan["snapshot"], dates, plan["fingerprint"], plan["examples"], run.environment)
    before, export, after = snapshot_script(*named).partition("EXPORT DATA")
    refreshed = "UPDATE ops.refreshes SET definition = 'd2' WHERE product = 'orders';\n\n"
    with pytest.raises(BadRequest, match="has changed since the snapshot was planned"):
        run.query(f"{before}{refreshed}{export}{after}")


def test_a_snapshot_without_customers_is_not_shown(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    gap = f"order_date BETWEEN {literal(date(2017, 1, 5))} AND {literal(date(2017, 4, 14))}"
    run.query(f"DELETE FROM gold.customer_daily WHERE {gap}")
    with pytest.raises(BadRequest, match="every_snapshot: 2 rows against: each planned snapshot date"):
        run.task("snapshot.features", plan)
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


def test_changed_features_begin_a_new_table_that_later_snapshots_are_added_to(run: ModelRun) -> None:
    run.publish("r1")
    run.query("CREATE TABLE gold.customer_features AS SELECT 1 AS visits, DATE '2017-01-01' AS snapshot_date")
    plan = run.plan()
    named = (run.name, plan["snapshot"], read_plan(plan), plan["fingerprint"], plan["examples"])
    script = snapshot_script(*named, run.environment)
    count = "SELECT COUNT(*) AS n FROM gold.customer_features"
    run.query(script)
    assert run.query(count) == [{"n": 6 * CUSTOMERS}]
    older = "SELECT * REPLACE (DATE '2017-01-01' AS snapshot_date) FROM gold.customer_features LIMIT 1"
    run.query(f"INSERT INTO gold.customer_features {older}")
    run.query(script)
    assert run.query(count) == [{"n": 6 * CUSTOMERS + 1}]


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


def test_no_two_models_have_a_version_of_one_name(run: ModelRun) -> None:
    history = History(FIRST, LAST, "fingerprint", 1, None)
    models = [replace(load_model("customer_churn"), name=name) for name in (run.name, f"{run.name}_b")]
    one, other = (plan_run(model, run.environment, history)["version"] for model in models)
    assert one.split("-")[0] == other.split("-")[0] == f"{LAST:%Y%m%d}"
    assert one.split("-")[1] != other.split("-")[1]


def test_after_a_rollback_a_version_is_held_against_another(run: ModelRun) -> None:
    run.publish("r1")
    first = run.plan()
    run.go_live("20170101-x-y", {"settings": "other", "score_date": "2017-01-01"})
    second = run.plan()
    assert second["version"] != first["version"]
    assert second["version"].rpartition("-")[0] == first["version"].rpartition("-")[0]


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
