"""publish: one transaction shows a run in silver, quarantine, ledger and runs."""

from typing import Any

from airflow.sdk import Context

from medallion.config import Environment, Product
from medallion.contracts import Contract
from pipeline.drift import evolved_columns
from pipeline.replay import skip_in_dry_run
from pipeline.scripts import run_script, table_columns
from pipeline.work import metrics_of


def publish(product: Product, environment: Environment) -> Any:
    """The step's task; a dry run ends here."""

    def values(context: Context, contract: Contract) -> dict[str, Any]:
        brought = metrics_of(context)["drift"]["new_columns"] if contract.evolves else ()
        stored = table_columns(environment, "silver", product.name)
        return {
            "partition_by": product.partition_by,
            "cluster_by": product.cluster_by,
            "evolved": evolved_columns(contract, brought, stored),
        }

    return run_script("publish", product, environment, values=values, pre_execute=skip_in_dry_run)
