"""notify: e-mails about a product's runs, for a task that failed for good and for a run that published."""

from typing import Any

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import task
from markupsafe import escape

from medallion.config import Product
from pipeline.work import found, metrics_of

# Rendered when a task has failed. What stands there may come from files, so it is escaped.
SUBJECT = "{{ dag.dag_id }}: {{ ti.task_id }} failed"
FAILURE = """
<p>{{ ti.task_id }} of {{ dag.dag_id }} has failed, after {{ ti.try_number }} tries.</p>
<p>Run: {{ run_id | e }}</p>
<p>Reason: {{ exception | string | truncate(2000) | e }}</p>
<p>Log: <a href="{{ ti.log_url | e }}">{{ ti.log_url | e }}</a></p>
<p>Nothing unaudited is published. Once the reason is gone, clear the task, or run the DAG again.</p>
"""


def on_failure(product: Product) -> list[SmtpNotifier]:
    """What Airflow calls when a task's last try has failed; sender and server are the connection's."""
    if not product.notify_failure:
        return []
    return [SmtpNotifier(to=list(product.notify_failure), subject=SUBJECT, html_content=FAILURE)]


def on_success(product: Product, **arguments: Any) -> Any:
    """The task that says what a run has published; None where nobody wants to know."""
    if not product.notify_success:
        return None

    @task(task_id="notify", **arguments)
    def notify(**context: Any) -> None:
        with SmtpHook() as smtp:
            smtp.send_email_smtp(
                to=list(product.notify_success),
                subject=f"{product.name}: published",
                html_content=_published(product, context),
            )

    return notify()


def _published(product: Product, context: Any) -> str:
    run = found(context).get("run")
    if run is None:
        return f"<p>{escape(product.name)}: gold shows what an earlier run has published.</p>"
    rows = metrics_of(context)["rows"]
    counts = "".join(
        f"<tr><td>{escape(status)}</td><td>{count:,}</td></tr>" for status, count in rows.items()
    )
    return f"<p>{escape(product.name)} has published run {escape(run)}.</p><table>{counts}</table>"
