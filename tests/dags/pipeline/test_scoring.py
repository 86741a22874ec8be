"""How a model's run scores a day, and which scores it keeps back."""

import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook

from medallion.environments import load_environment
from medallion.models import load_model
from medallion.pointer import read_pointer, roll_back
from pipeline.training import model_dag
from tests.dags.pipeline.models import CUSTOMERS, LAST, PLANNED, Handed, ModelRun


@pytest.mark.parametrize(("plan", "scorer"), [(PLANNED, "20170719-a1-b2"), (None, "")])
def test_the_day_is_scored_by_what_is_live(plan: Any, scorer: str) -> None:
    task = model_dag(load_model("customer_churn"), load_environment("local")).get_task("score.predict")
    task.render_template_fields({"ti": Handed(plan, scorer)})
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


def test_nobody_is_scored_while_nothing_is_live(run: ModelRun) -> None:
    run.publish("r1")
    with pytest.raises(AirflowSkipException, match="No version has passed the gate yet"):
        run.task("score.live", run.plan())


def test_nobody_is_scored_without_a_plan(run: ModelRun) -> None:
    with pytest.raises(AirflowSkipException, match="There is no snapshot of the day"):
        run.task("score.live", {})


def test_what_is_live_is_what_the_pointer_says(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    for version in ("v1", "v2"):
        run.go_live(version, {})
    assert run.task("score.live", plan, "v1") == "v2"
    roll_back(run.models, run.name)
    assert run.task("score.live", plan, "v2") == "v1"


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
    if read_pointer(run.models, run.name).version != live:
        run.go_live(live, {})
    for name in ("drift", "stage", "load", "publish"):
        run.task(f"score.{name}", plan, live)


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
    assert run.task("score.drift", plan, "v1") == {"psi.recency_days": "expected at most 0.05, got 0.0600"}


def test_what_the_index_misses_is_seen_in_gold(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    scored(run, plan, "v1")
    newest = "WHERE order_date = DATE '2017-07-19'"
    for sql, missed in {
        f"UPDATE gold.customer_daily SET items = 0 {newest}": "lines",
        "DELETE FROM gold.customer_daily WHERE customer_id = 1": "one_row_a_customer",
        f"DELETE FROM gold.customer_daily {newest}": "newest_date",
        "DELETE FROM gold.customer_daily WHERE TRUE": "eligible_customers",
    }.items():
        run.query(sql)
        with pytest.raises(AirflowFailException, match=f"{missed}: expected"):
            run.task("score.drift", plan, "v1")
    names = "SELECT name FROM ops.checks WHERE step = 'score' AND NOT passed ORDER BY name"
    told = [row["name"] for row in run.query(names)]
    assert told == ["eligible_customers", "newest_date", "one_row_a_customer"]


VERSIONS = "SELECT DISTINCT model_version FROM gold.customer_scores"


def test_a_date_is_scored_though_a_newer_one_has_come(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    scored(run, plan, "v1")
    run.query("INSERT INTO gold.customer_daily VALUES (99, DATE '2017-07-20', 1, 2, 1, 0)")
    run.publish("r2")
    score(run, plan, "v1")
    assert run.query(VERSIONS) == [{"model_version": "v1"}]


def test_scores_of_a_newer_run_stay_whatever_an_older_one_brings(run: ModelRun) -> None:
    run.publish("r1")
    older = run.plan()
    scored(run, older, "v1")
    run.publish("r2")
    newer = run.plan()
    scored(run, newer, "v2")
    score(run, newer, "v2")
    run.go_live("v1", {})
    score(run, older, "v1")
    assert run.query(VERSIONS) == [{"model_version": "v2"}]


def test_what_gold_says_otherwise_by_now_is_left_to_the_next_run(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    scored(run, plan, "v1")
    run.publish("r2")
    run.query("DELETE FROM gold.customer_daily WHERE customer_id = 1")
    with pytest.raises(AirflowSkipException, match="has changed since the snapshot of 2017-07-19"):
        run.task("score.drift", plan, "v1")


def test_what_was_rolled_back_meanwhile_publishes_nothing(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    for version in ("v1", "v2"):
        run.go_live(version, {})
    with pytest.raises(AirflowFailException, match=r"expected v1 to be live until .*, got v2"):
        run.task("score.publish", plan, "v1")


def test_scores_that_were_lost_are_published_again(run: ModelRun) -> None:
    run.publish("r1")
    plan = run.plan()
    scored(run, plan, "v1")
    score(run, plan, "v1")
    run.query("DELETE FROM gold.customer_scores WHERE TRUE")
    run.task("score.publish", plan, "v1")
    assert run.query(VERSIONS) == [{"model_version": "v1"}]
