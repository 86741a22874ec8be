"""audit: holds a staged run to its accounting and its contract; a failure publishes nothing."""

import logging
from typing import Any

from airflow.sdk import Context

from medallion.environments import Environment
from medallion.products import Product
from pipeline.scripts import run_script
from pipeline.work import manifest_of, metrics_of

MAX_DATES = 4_000  # partitions that a job of BigQuery may change

log = logging.getLogger(__name__)


def audit(product: Product, environment: Environment) -> Any:
    """The step's task: one script that records each check and fails when one does."""
    return run_script(
        "audit",
        product,
        environment,
        values=lambda context, contract: {
            "files": len(manifest_of(context).files),
            "max_rejected_ratio": product.max_rejected_ratio,
            "partition_by": product.partition_by,
            "max_dates": MAX_DATES,
        },
        pre_execute=lambda context: tell_rejected_ratio(product, context),
        within_run=True,
    )


def tell_rejected_ratio(product: Product, context: Context) -> None:
    """Logs the share of rejected rows: Monitoring takes its metric from this line (infra/monitoring.tf)."""
    rows = metrics_of(context)["rows"]
    ratio = rows["rejected"] / rows["read"] if rows["read"] else 0.0
    log.info("product=%s step=audit rejected_ratio=%.6f", product.name, ratio)
