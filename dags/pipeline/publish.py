"""publish: one transaction shows a run in silver, quarantine, ledger and runs."""

from typing import Any

from airflow.sdk import Context

from medallion.config import Environment, Product
from medallion.contracts import parse_contract
from medallion.sql import render
from operators.bigquery import BigQueryJobOperator
from pipeline.work import bigquery, manifest_of, script, staging_table


def publish(product: Product, environment: Environment) -> Any:
    """The step's task."""

    def configure(context: Context) -> tuple[str, dict[str, Any]]:
        manifest = manifest_of(context)
        sql = render(
            "pipeline/publish.sql",
            environment,
            product=product.name,
            run=manifest.run,
            release=manifest.release,
            table=staging_table(product.name, manifest.run),
            contract=parse_contract(manifest.contract, f"contract of run {manifest.run}"),
            partition_by=product.partition_by,
            cluster_by=product.cluster_by,
        )
        return f"{product.name}-{manifest.run}-publish", script(sql, product, "publish")

    return BigQueryJobOperator(task_id="publish", configure=configure, **bigquery(environment))
