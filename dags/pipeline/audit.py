"""audit: holds a staged run to its accounting and its contract; a failure publishes nothing."""

from typing import Any

from airflow.sdk import Context

from medallion.config import Environment, Product
from medallion.contracts import parse_contract
from medallion.sql import render
from operators.bigquery import BigQueryJobOperator
from pipeline.work import bigquery, manifest_of, script, staging_table


def audit(product: Product, environment: Environment) -> Any:
    """The step's task: one script that records each check and fails when one does."""

    def configure(context: Context) -> tuple[str, dict[str, Any]]:
        manifest = manifest_of(context)
        sql = render(
            "pipeline/audit.sql",
            environment,
            product=product.name,
            run=manifest.run,
            table=staging_table(product.name, manifest.run),
            contract=parse_contract(manifest.contract, f"contract of run {manifest.run}"),
            files=len(manifest.files),
            max_rejected_ratio=product.max_rejected_ratio,
        )
        return f"{product.name}-{manifest.run}-audit", script(sql, product, "audit")

    return BigQueryJobOperator(task_id="audit", configure=configure, **bigquery(environment))
