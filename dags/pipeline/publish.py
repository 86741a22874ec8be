"""publish: one transaction shows a run in silver, quarantine, ledger and runs."""

from typing import Any

from medallion.config import Environment, Product
from pipeline.scripts import run_script


def publish(product: Product, environment: Environment) -> Any:
    """The step's task."""
    layout = {"partition_by": product.partition_by, "cluster_by": product.cluster_by}
    return run_script("publish", product, environment, values=lambda manifest: layout)
