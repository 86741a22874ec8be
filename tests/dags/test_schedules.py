"""When each DAG runs: by its cron, as files land, and at its deadline."""

import re
from dataclasses import replace
from typing import Any

import pendulum
import pytest
from airflow.timetables import trigger
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.base import TimeRestriction
from airflow.timetables.simple import NullTimetable

from medallion.environments import load_environment
from medallion.products import load_product, product_names
from pipeline.product import product_dag

DEADLINES = {"customer_transactions__deadline", "weather__deadline"}
ON_ARRIVAL = {name for name in product_names() if getattr(load_product(name).schedule, "on_arrival", False)}
NEVER_RUN = TimeRestriction(earliest=None, latest=None, catchup=False)


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


@pytest.mark.parametrize("product", product_names())
def test_files_that_land_start_a_run_where_the_product_says_so(dags: dict[str, Any], product: str) -> None:
    timetable = dags[product].timetable
    if product not in ON_ARRIVAL:
        timed = load_product(product).schedule is not None
        assert isinstance(timetable, trigger.CronTriggerTimetable if timed else NullTimetable)
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
