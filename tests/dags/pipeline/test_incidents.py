"""Incidents: opened once a cause, told once a day, closed when they are over; read as mails and in ops."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.cli.cli_parser import get_parser
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.serialization.serialized_objects import SerializedDAG
from google.api_core.exceptions import BadRequest
from google.cloud.bigquery import Client

from local.status import next_command
from medallion.alerts import NOBODY, Audience
from medallion.drift import Finding
from medallion.models import Model, load_model
from medallion.sources import HttpSource
from pipeline import notify
from pipeline.deadline import deadline_dag
from pipeline.notify import failure
from pipeline.product import product_dag
from pipeline.report import read_figures
from pipeline.scoring import told
from pipeline.scripts import client
from pipeline.training import model_dag
from tests.dags.pipeline.channels import Channel, Mails, text
from tests.dags.pipeline.conftest import SELECT, Define
from tests.dags.pipeline.incidents import NOTED, TEAM, fail, look, run_on, subjects, work
from tests.dags.pipeline.orders import Pipeline
from tests.dags.pipeline.stand_in_job import contract

DAY = 86_400


def test_an_alert_is_told_once_a_day_and_once_more_when_it_is_over(alerted: Pipeline, mails: Mails) -> None:
    name = alerted.product.name
    look(alerted, "2017-01-02", "1,0,60")
    look(alerted, "2017-01-02")  # tried again, or another run of the day
    assert subjects(mails) == [f"{name}: high"]
    (first,) = mails()
    assert first["To"] == "team@example.com"
    for part in ("Rows: 1", "Run: scheduled__2017-01-02", "Reason: Too much; ask the shop. (gold."):
        assert part in text(first)
    command = (
        text(first).partition("Next: ")[2].partition("</p>")[0].replace("&gt;", ">").replace("&#39;", "'")
    )
    assert [row[1:] for row in alerted.query(command.replace(" -- at most)", ")"))] == [(1, 60)]

    look(alerted, "2017-01-03")
    assert "high, still" in text(mails()[1])
    assert alerted.query(NOTED) == [("alert.high", "2017-01-03", 1, False)]
    # A late row may touch what it will: the newest date decides, and a calm one ends it.
    look(alerted, "2017-01-03", f"2,{-DAY},9", name="late.csv")
    assert len(mails()) == 2
    look(alerted, "2017-01-04", f"3,{DAY},7", f"4,{-2 * DAY},99", name="b.csv")
    assert subjects(mails) == [f"{name}: high", f"{name}: high", f"{name}: high: over"]
    assert alerted.query(NOTED) == [("alert.high", "2017-01-03", 1, True)]


def test_a_date_that_was_wrong_is_the_newest_no_longer_once_it_is_corrected(
    alerted: Pipeline, mails: Mails
) -> None:
    environment = alerted.environment

    def newest() -> date | None:
        return read_figures(client(environment), environment, alerted.product, "r").newest_date

    look(alerted, "2017-01-02", "1,0,6", name="well.csv")
    right = newest()
    look(alerted, "2017-01-02", f"2,{20_000 * DAY},6")
    assert right is not None and newest() == right + timedelta(days=20_000)
    look(alerted, "2017-01-02", f"2,{DAY},60")  # its file comes again
    assert newest() == right + timedelta(days=1)
    assert subjects(mails) == [f"{alerted.product.name}: high"]


def test_an_alert_that_is_no_more_is_closed_without_a_word(alerted: Pipeline, mails: Mails) -> None:
    look(alerted, "2017-01-02", "1,0,60")
    alerted.product = replace(alerted.product, alerts=())
    work(alerted, "all_clear", run_on("2017-01-03", found={}))
    assert alerted.query(NOTED) == [("alert.high", "2017-01-02", 1, True)]
    assert len(mails()) == 1


def test_a_failing_audit_is_one_incident_until_a_run_comes_through(pipeline: Pipeline, mails: Mails) -> None:
    pipeline.product = replace(pipeline.product, max_rejected_ratio=0.0, notify_failure=TEAM)
    name = pipeline.product.name
    pipeline.land("a.csv", "1,0,10", "2,0,-1", "3,0,-1")
    context = pipeline.discover()
    pipeline.clean(context)
    with pytest.raises(AirflowFailException) as failed:
        pipeline.publish(context)
    fail(pipeline, "2017-01-02", "audit", failed.value)
    fail(pipeline, "2017-01-02", "audit", failed.value)
    (mail,) = mails()
    assert subjects(mails) == [f"{name}: audit failed"]
    assert "<p>Rows: 2</p>" in text(mail)
    assert "Reason: audit, try 4: " in text(mail)
    assert "rejected_ratio: 2 of 3 rows rejected, at most 0.0 of them allowed" in text(mail)
    assert 'Log: <a href="http://log/audit">' in text(mail)
    (command,) = pipeline.query("SELECT command FROM ops.incidents WHERE product = '{product}'")[0]
    assert [row[1] for row in pipeline.query(command)] == ["rejected_ratio"]

    # A dry run has proved nothing; a run with nothing new has, but it published nothing.
    work(pipeline, "all_clear", run_on("2017-01-03", found={"run": "r", "dry_run": True}))
    assert pipeline.query(NOTED) == [("failure.audit", "2017-01-02", 2, False)]
    work(pipeline, "all_clear", run_on("2017-01-03"))
    assert subjects(mails) == [f"{name}: audit failed", f"{name}: audit failed: over"]
    fail(pipeline, "2017-01-03", "audit", failed.value)  # another one
    assert pipeline.query(NOTED) == [
        ("failure.audit", "2017-01-02", 2, True),
        ("failure.audit", "2017-01-03", 2, False),
    ]


def test_tables_of_gold_are_one_cause_and_other_steps_are_others(alerted: Pipeline, mails: Mails) -> None:
    table = f"gold.{alerted.product.name}"
    fail(alerted, "2017-01-02", table, ValueError("quota"))
    fail(alerted, "2017-01-02", table, ValueError("quota again"))
    fail(alerted, "2017-01-02", "discover", ValueError("no release"))
    assert [subject.partition(": ")[2] for subject in subjects(mails)] == ["gold failed", "discover failed"]
    assert f"Next: airflow dags trigger {alerted.product.name}" in text(mails()[1])
    assert "Rows" not in text(mails()[1])
    # The state has what was found last.
    details = alerted.query("SELECT detail FROM ops.incidents WHERE product = '{product}' ORDER BY incident")
    assert details[1] == (f"{table}, try 4: quota again",)


def test_what_no_run_with_nothing_new_makes_up_stays_open_and_is_cleared(
    alerted: Pipeline, mails: Mails
) -> None:
    name = alerted.product.name
    for task_id in ("clean", "serve.report", "alert"):
        fail(alerted, "2017-01-02", task_id, ValueError("x"))
    work(alerted, "all_clear", run_on("2017-01-03"))
    noted = alerted.query(NOTED)
    assert [(incident, closed) for incident, _, _, closed in noted] == [
        ("failure.alert", False),
        ("failure.clean", True),
        ("failure.serve", False),
    ]
    commands = alerted.query(
        "SELECT command FROM ops.incidents WHERE product = '{product}' ORDER BY incident"
    )
    options = "--only-failed --downstream --yes --task-regex"
    assert [command for (command,) in commands] == [
        f"airflow tasks clear {options} alert {name}",
        f"airflow dags trigger {name}",
        f"airflow tasks clear {options} serve {name}",
    ]
    assert (
        next_command("failure.serve", commands[2][0], "http://up")
        == f"clear the failed tasks of {name} at http://up/dags/{name}"
    )
    assert (
        next_command("failure.clean", commands[1][0], "http://up")
        == f"trigger {name} at http://up/dags/{name}"
    )
    work(alerted, "all_clear", run_on("2017-01-03", found={}))
    assert [closed for *_, closed in alerted.query(NOTED)] == [True, True, True]


def test_a_period_that_could_not_be_pulled_is_missing_until_a_run_pulls_it(
    pipeline: Pipeline, mails: Mails
) -> None:
    source = HttpSource("open_meteo", "/v1/forecast", {"start_date": "{period}"})
    pipeline.product = replace(pipeline.product, source=source, notify_failure=TEAM)
    name, published = pipeline.product.name, {"run": "r"}
    for day in ("2017-01-02", "2017-01-03"):
        fail(pipeline, day, "extract", ValueError("no answer"))
    lost = [f"{name}: extract of 2017-01-02 failed", f"{name}: extract of 2017-01-03 failed"]
    assert subjects(mails) == lost
    only = "--only-failed --downstream --yes --task-regex extract"
    assert f"Next: airflow tasks clear {only} {name}" in text(mails()[0])
    work(pipeline, "all_clear", run_on("2017-01-04", found=published))
    backfill = {"backfill": {"first": "2017-01-02"}}
    work(pipeline, "all_clear", run_on("2017-01-02", found=published, params=backfill))
    assert subjects(mails) == lost
    work(pipeline, "all_clear", run_on("2017-01-03", found=published))
    work(pipeline, "all_clear", run_on("2017-01-02"))  # another run has published what it pulled
    assert subjects(mails)[2:] == [f"{lost[1]}: over", f"{lost[0]}: over"]


def test_a_run_that_was_asked_for_something_speaks_of_that_alone(alerted: Pipeline, mails: Mails) -> None:
    name, replay = alerted.product.name, {"replay": {"where": "TRUE"}, "backfill": None}
    table = f"gold.{name}"

    def still_open() -> list[str]:
        return [incident for incident, *_, closed in alerted.query(NOTED) if not closed]

    fail(alerted, "2017-01-02", "clean", ValueError("x"))
    fail(alerted, "2017-01-02", "clean", ValueError("y"), params=replay)
    fail(alerted, "2017-01-02", table, ValueError("z"), params=replay)
    assert subjects(mails) == [f"{name}: clean failed", f"{name}: replay failed"]
    assert still_open() == ["failure.clean", "failure.replay"]
    which = "product = '{product}' AND incident = 'failure.replay'"
    (told,) = alerted.query(f"SELECT detail, command FROM ops.incidents WHERE {which}")
    only = "--only-failed --downstream --yes --task-regex gold"
    assert told == (f"{table}, try 4: z", f"airflow tasks clear {only} {name}")

    published = {"run": "r"}
    work(alerted, "all_clear", run_on("2017-01-03", params={"backfill": {"first": "2017-01-02"}}))
    assert still_open() == ["failure.clean", "failure.replay"]
    work(alerted, "all_clear", run_on("2017-01-03", found=published))
    assert still_open() == ["failure.replay"]
    fail(alerted, "2017-01-03", "clean", ValueError("x"))
    work(alerted, "all_clear", run_on("2017-01-03", found={**published, "dry_run": True}, params=replay))
    assert still_open() == ["failure.clean", "failure.replay"]
    work(alerted, "all_clear", run_on("2017-01-03", found=published, params=replay))
    assert still_open() == ["failure.clean"]


def test_the_told_command_is_one_that_airflow_takes_and_finds_the_tasks_by(pipeline: Pipeline) -> None:
    product = replace(pipeline.product, report=True)
    dag = product_dag(product, pipeline.environment)
    failed = run_on("2017-01-02", "serve.report", dag=dag, exception=ValueError("x"))
    words = failure(product, pipeline.environment, failed).command.split()  # type: ignore[arg-type]
    asked = get_parser().parse_args(words[1:])
    assert (asked.dag_id, asked.only_failed, asked.downstream, asked.yes) == (product.name, True, True, True)
    stored = SerializedDAG.from_dict(SerializedDAG.to_dict(dag))
    cleared = stored.partial_subset(asked.task_regex, include_downstream=True, include_upstream=False)
    assert {"serve.report", "all_clear"} <= set(cleared.task_ids)
    assert "gold" not in {task_id.partition(".")[0] for task_id in cleared.task_ids}


def test_a_failure_is_told_where_ops_cannot_be_read(
    pipeline: Pipeline, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.product = replace(pipeline.product, notify_failure=TEAM)

    def unreachable(*_: Any, **__: Any) -> None:
        raise ConnectionError("no BigQuery")

    monkeypatch.setattr(notify, "open_incidents", unreachable)
    monkeypatch.setattr("pipeline.incidents.query", unreachable)
    with pytest.raises(ConnectionError):
        fail(pipeline, "2017-01-02", "clean", ValueError("x"))
    assert subjects(mails) == [f"{pipeline.product.name}: clean failed"]


def test_a_failure_is_noted_though_others_write_at_once_and_told_once(
    pipeline: Pipeline, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.product = replace(pipeline.product, notify_failure=TEAM)
    busy = [
        "Transaction could not serialize access to table ops.incidents",
        "Resources exceeded: Too many DML statements outstanding against table ops.incidents, limit is 20.",
    ]
    ask = Client.query

    def crowded(self: Client, sql: str, **options: Any) -> Any:
        if "MERGE" in sql and busy:
            raise BadRequest(busy.pop())
        return ask(self, sql, **options)

    monkeypatch.setattr(Client, "query", crowded)
    monkeypatch.setattr("pipeline.incidents.sleep", lambda seconds: None)
    fail(pipeline, "2017-01-02", "clean", ValueError("x"))
    assert pipeline.query(NOTED) == [("failure.clean", "2017-01-02", None, False)]
    assert subjects(mails) == [f"{pipeline.product.name}: clean failed"]


def test_nothing_is_noted_that_nobody_was_told(pipeline: Pipeline, slack: Channel) -> None:
    pipeline.product = replace(pipeline.product, notify_failure=Audience(slack="team_channel"))
    slack.status = 500
    with pytest.raises(Exception, match="Nobody could be told"):
        fail(pipeline, "2017-01-02", "clean", ValueError("x"))
    assert pipeline.query(NOTED) == []
    slack.status = 200
    fail(pipeline, "2017-01-02", "clean", ValueError("x"))
    assert pipeline.query(NOTED) == [("failure.clean", "2017-01-02", None, False)]
    assert slack.told[-1][1].startswith(f"*{pipeline.product.name}: clean failed*\n")


def test_a_channel_that_nobody_answers_keeps_no_other_alert_from_being_told_and_closed(
    alerted: Pipeline, mails: Mails, slack: Channel
) -> None:
    name, (high,) = alerted.product.name, alerted.product.alerts
    channel = Audience(slack="team_channel")
    dead = [replace(high, name=each, audience=channel) for each in ("silent", "deaf")]
    alerted.product = replace(alerted.product, alerts=(*dead, high))
    slack.status = 500
    unheard = f"Nobody could be told '{name}: silent'.*; Nobody could be told '{name}: deaf'"
    with pytest.raises(AirflowException, match=unheard):
        look(alerted, "2017-01-02", "1,0,60")
    assert subjects(mails) == [f"{name}: high"]

    slack.status = 200
    look(alerted, "2017-01-02")
    slack.status = 500
    with pytest.raises(AirflowException, match=f"Nobody could be told '{name}: silent: over'"):
        look(alerted, "2017-01-03", f"2,{DAY},6", name="b.csv")
    assert subjects(mails) == [f"{name}: high", f"{name}: high: over"]
    assert [(row[0], row[3]) for row in alerted.query(NOTED)] == [
        ("alert.deaf", False),
        ("alert.high", True),
        ("alert.silent", False),
    ]


def test_an_incident_that_nobody_can_be_told_is_over_keeps_no_other_from_closing(
    pipeline: Pipeline, slack: Channel
) -> None:
    pipeline.product = replace(pipeline.product, notify_failure=Audience(slack="team_channel"))
    fail(pipeline, "2017-01-02", "clean", ValueError("x"))
    told, pipeline.product = pipeline.product, replace(pipeline.product, notify_failure=NOBODY)
    fail(pipeline, "2017-01-02", "stage.rows", ValueError("x"))
    pipeline.product, slack.status = told, 500
    with pytest.raises(AirflowException, match=r"Nobody could be told .*clean failed: over"):
        work(pipeline, "all_clear", run_on("2017-01-03"))
    noted = [(incident, closed) for incident, *_, closed in pipeline.query(NOTED)]
    assert noted == [("failure.clean", False), ("failure.stage", True)]


def test_scores_that_are_held_back_are_an_incident_of_their_model(pipeline: Pipeline, mails: Mails) -> None:
    model: Model = replace(load_model("customer_churn"), name=pipeline.product.name, notify_failure=TEAM)
    with pytest.raises(AirflowFailException) as blocked:
        told(model.name, "s1-by-v1", [Finding("lines", "fail", False, "3 lines, usually 100")])
    dag = model_dag(model, pipeline.environment)
    (callback,) = dag.get_task("score.drift").on_failure_callback
    callback(run_on("2017-01-02", "score.drift", dag=dag, exception=blocked.value))
    assert "s1-by-v1 is not published, the scores before it stay. lines: 3 lines" in text(mails()[0])
    assert pipeline.query(NOTED) == [("failure.score", "2017-01-02", None, False)]
    dag.get_task("all_clear").python_callable(**run_on("2017-01-03"))
    assert subjects(mails)[1:] == [f"{model.name}: score failed: over"]


def test_a_missed_deadline_is_over_when_silver_and_gold_are_there(alerted: Pipeline, mails: Mails) -> None:
    schedule = replace(alerted.product.schedule, deadline="07:00")  # type: ignore[type-var]
    alerted.product = replace(alerted.product, schedule=schedule, alerts=())
    watch = deadline_dag(alerted.product, alerted.environment)
    name, now = alerted.product.name, datetime.now(UTC)

    def watched() -> list[str]:
        run = SimpleNamespace(run_after=now)
        watch.get_task("look").python_callable(**{**run_on("2017-01-02"), "dag_run": run})
        return subjects(mails)

    assert watched() == [f"{name}: not published in time"]
    assert f"is in silver.{name}, gold.{name}." in text(mails()[0])
    found = alerted.run("1,0,10")
    watched()
    (detail,) = alerted.query("SELECT detail FROM ops.incidents WHERE product = '{product}'")[0]
    assert detail.endswith(f"nothing of the run due before it is in gold.{name}.")
    alerted.refresh(found)
    work(alerted, "all_clear", run_on("2017-01-02"))
    assert len(mails()) == 1  # a run with nothing new publishes nothing
    work(alerted, "all_clear", run_on("2017-01-02", found=found))
    assert watched() == [f"{name}: not published in time", f"{name}: not published in time: over"]


def test_what_brings_nothing_of_the_run_that_was_due_ends_no_missed_deadline(
    alerted: Pipeline, mails: Mails, define: Define
) -> None:
    schedule = replace(alerted.product.schedule, deadline="07:00")  # type: ignore[type-var]
    alerted.product = replace(alerted.product, schedule=schedule, alerts=())
    watch, name = deadline_dag(alerted.product, alerted.environment), alerted.product.name
    alerted.refresh(alerted.run("1,0,10", "2,0,-1"))
    for table, moment in (("runs", "published_at"), ("refreshes", "refreshed_at")):
        before = f"{moment} = TIMESTAMP '2017-01-02 05:00:00'"
        alerted.query(f"UPDATE ops.{table} SET {before} WHERE product = '{name}'")

    def told() -> list[str]:
        run = SimpleNamespace(run_after=datetime.now(UTC))
        watch.get_task("look").python_callable(**{**run_on("2017-01-02"), "dag_run": run})
        return subjects(mails)

    missed = f"{name}: not published in time"
    assert told() == [missed]
    alerted.contract = contract(minimum=-1)
    found = alerted.replay(where="TRUE")
    alerted.refresh(found)
    work(alerted, "all_clear", run_on("2017-01-02", found=found, params={"replay": {"where": "TRUE"}}))
    assert told() == [missed]
    define(select=SELECT.replace("COUNT(*)", "COUNT(order_id)"))
    alerted.refresh({})
    work(alerted, "all_clear", run_on("2017-01-02", found={}))
    assert told() == [missed]
    late = alerted.run("3,0,10", name="b.csv")
    work(alerted, "all_clear", run_on("2017-01-02", found=late))
    assert told() == [missed]  # gold is owed, which the next run makes up for
    alerted.refresh({})
    work(alerted, "all_clear", run_on("2017-01-02", found={}))
    assert subjects(mails) == [missed, f"{missed}: over"]


def test_a_look_that_failed_is_over_when_one_could_look(alerted: Pipeline, mails: Mails) -> None:
    schedule = replace(alerted.product.schedule, deadline="07:00")  # type: ignore[type-var]
    alerted.product = replace(alerted.product, schedule=schedule, alerts=())
    watch = deadline_dag(alerted.product, alerted.environment)
    look, name = watch.get_task("look"), alerted.product.name
    (callback,) = look.on_failure_callback
    callback(run_on("2017-01-02", "look", dag=watch, exception=ValueError("quota")))
    assert f"Next: airflow tasks clear --only-failed --downstream --yes --task-regex look {watch.dag_id}" in (
        text(mails()[0])
    )
    run = SimpleNamespace(run_after=datetime.now(UTC))
    look.python_callable(**{**run_on("2017-01-03"), "dag_run": run})
    assert [(incident, closed) for incident, _, _, closed in alerted.query(NOTED)] == [
        ("deadline", False),
        ("failure.look", True),
    ]
    assert subjects(mails) == [
        f"{name}: look failed",
        f"{name}: look failed: over",
        f"{name}: not published in time",
    ]
