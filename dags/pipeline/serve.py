"""serve: what users look at is refreshed, then the model is trained on what is new."""

import logging
from typing import Any

from airflow.exceptions import AirflowException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.providers.http.hooks.http import HttpHook
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import TaskGroup, TriggerRule, task

from medallion.environments import Environment
from medallion.products import Product, Webhook
from pipeline.firestore import documents
from pipeline.report import read_figures, render_report
from pipeline.scripts import client
from pipeline.work import run_of

# publish or gold, or both, have something new to show; where both are skipped, so is this.
ANY_NEWS = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
WEBHOOK_SECONDS = 60

log = logging.getLogger(__name__)


def serve(product: Product, environment: Environment) -> TaskGroup:
    """The step's tasks: page, documents and dashboard where the product wants them, then the training DAG."""
    with TaskGroup("serve") as group:
        report = _report(product, environment) if product.report else None
        if product.documents:
            documents(product, product.documents, environment, ANY_NEWS)
        if product.webhook:
            _webhook(product, product.webhook)
        train = _train(product.train) if product.train else None
        if report is not None and train is not None:
            report >> train
    return group


def _report(product: Product, environment: Environment) -> Any:
    @task(task_id="report", trigger_rule=ANY_NEWS)
    def report(**context: Any) -> str:
        run = run_of(context)  # type: ignore[arg-type]
        figures = read_figures(client(environment), environment, product, run)
        page = render_report(product.name, product.description, figures)
        bucket, name = environment.buckets["reports"], f"{product.name}/index.html"
        GCSHook().upload(bucket_name=bucket, object_name=name, data=page, mime_type="text/html")
        log.info("product=%s step=serve report=gs://%s/%s", product.name, bucket, name)
        return f"gs://{bucket}/{name}"

    return report()


def _webhook(product: Product, webhook: Webhook) -> Any:
    @task(task_id="webhook", trigger_rule=ANY_NEWS)
    def tell(**context: Any) -> None:
        hook = HttpHook(method="POST", http_conn_id=webhook.connection)
        # A redirect to another host would take the connection's headers there.
        options = {"timeout": WEBHOOK_SECONDS, "allow_redirects": False}
        told = {"product": product.name, "run": run_of(context)}  # type: ignore[arg-type]
        answer = hook.run(webhook.path, json=told, extra_options=options)
        if not answer.ok or answer.is_redirect:
            raise AirflowException(f"{webhook.connection}: POST {webhook.path}: got {answer.status_code}")
        log.info("product=%s step=serve webhook=%s status=%d", product.name, webhook.path, answer.status_code)

    return tell()


def _train(model: str) -> TriggerDagRunOperator:
    return TriggerDagRunOperator(
        task_id="train",
        trigger_dag_id=model,
        # One training for each run of the product, however often this task is tried.
        # Airflow keeps ids that begin with scheduled__ for runs of a schedule.
        trigger_run_id="{{ dag.dag_id }}-{{ run_id }}",
        skip_when_already_exists=True,
        trigger_rule=ANY_NEWS,
    )
