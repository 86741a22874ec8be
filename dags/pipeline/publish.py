"""publish: one transaction shows a run in silver, quarantine, ledger and runs."""

import logging
from typing import Any

from airflow.exceptions import AirflowSkipException
from airflow.sdk import Context

from medallion.contracts import Contract
from medallion.environments import Environment
from medallion.products import Product
from pipeline.backfill import backfill_outcome
from pipeline.drift import evolved_columns, without_room
from pipeline.replay import replay_outcome
from pipeline.scripts import query, run_script, run_values, table_columns
from pipeline.work import found, metrics_of, write_beside_manifest

log = logging.getLogger(__name__)
CHANGES = "changes.json"  # of a backfill, beside its manifest


def publish(product: Product, environment: Environment) -> Any:
    """The step's task. A replay and a backfill say first what they bring; a dry run of one ends here."""

    def values(context: Context, contract: Contract) -> dict[str, Any]:
        brought = metrics_of(context)["drift"]["new_columns"] if contract.evolves else {}
        stored = table_columns(environment, "silver", product.name, product.partition_by)
        evolved, left_out = evolved_columns(contract, brought, stored)
        return {
            "partition_by": product.partition_by,
            "cluster_by": product.cluster_by,
            "fresh": "dry_run" not in found(context),
            "evolved": evolved,
            "left_out": without_room(left_out),
        }

    def announce(context: Context) -> None:
        discovered = found(context)
        if "dry_run" not in discovered or _is_published(product, environment, discovered):
            return
        if "replay" in discovered:
            outcome = replay_outcome(context)
        else:
            known = run_values(product, context)
            rows = query(environment, "pipeline/changes.sql", **known, **values(context, known["contract"]))
            changes = [dict(row) for row in rows]
            write_beside_manifest(context, CHANGES, changes)
            outcome = backfill_outcome(changes)
        log.info("product=%s step=publish %s", product.name, outcome)
        if discovered["dry_run"]:
            raise AirflowSkipException(f"Dry run, nothing is published: {outcome}")

    return run_script("publish", product, environment, values=values, pre_execute=announce, within_run=True)


def _is_published(product: Product, environment: Environment, discovered: dict[str, Any]) -> bool:
    """Whether a run that is to be applied has been: Airflow asks again when the task goes on after it was put
    off, and then nothing would seem to change.
    """
    if discovered["dry_run"]:
        return False
    known = {"product": product.name, "run": discovered["run"]}
    return bool(query(environment, "pipeline/published.sql", **known))
