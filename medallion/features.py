"""gold.customer_features: the script that takes a snapshot, checks it, and exports a model's examples."""

from pathlib import Path

from medallion.environments import Environment
from medallion.gold import gold_definition, identifier
from medallion.products import GoldTable
from medallion.snapshots import SnapshotPlan
from medallion.sql import SQL, render

TABLE = GoldTable(
    "customer_features", rebuild="full", partition_by="snapshot_date", cluster_by=("customer_id",)
)


def snapshot_script(
    model: str,
    version: str,
    plan: SnapshotPlan,
    fingerprint: str | None,
    uri: str,
    environment: Environment,
    folder: Path = SQL,
) -> str:
    """The script that takes the features of a plan's dates, checks them, and exports the examples to a URI.

    It ends with an error when gold is no longer what had this fingerprint.
    """
    build = f"{model}__{identifier(version)}"
    definition = gold_definition(TABLE, environment, f"{environment.datasets['staging']}.{build}", folder)
    return render(
        "training/snapshot.sql",
        environment,
        folder,
        product=model,
        run=version,
        step="snapshot",
        table=TABLE.table,
        build=build,
        plan=plan,
        fingerprint=fingerprint,
        uri=uri,
        days=environment.staging_days,
        features=definition.select,
        description=definition.description,
        checks=definition.checks,
        examples=render("training/examples.sql", environment, folder).rstrip(),
    )
