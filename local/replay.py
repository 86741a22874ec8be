"""`make replay`: runs a product's rejected rows through its mended contract, on the data that is there."""

import argparse
import sys
from typing import Any

from rich.console import Console

from local.airflow import AirflowApi
from local.cloud import Cloud, local_cloud, running_cloud
from local.following import follow, follow_training, run_command, say
from local.paths import BIGQUERY
from local.summary import print_rules, run_metrics
from medallion.config import Product, load_product
from medallion.errors import MedallionError
from medallion.sql import literal


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    conf: dict[str, Any] = {"dry_run": arguments.dry_run}
    if arguments.where:
        conf["where"] = arguments.where
    return run_command(lambda: replay(load_product(arguments.product), conf))


def replay(product: Product, conf: dict[str, Any]) -> None:
    """Runs the product's DAG on its rejected rows, in the cloud that is up or in one of its own.

    Raises MedallionError when there is no data yet, and when the run fails.
    """
    cloud = running_cloud()
    if cloud is not None:
        return _replay(cloud, AirflowApi(cloud.ports["airflow"]), product, conf)
    if not BIGQUERY.exists():
        raise MedallionError("There is no local warehouse yet. Next: make run.")
    say("Starting the local cloud: storage, BigQuery, Dataproc, Airflow")
    with local_cloud(keep=True) as started:
        api = AirflowApi(started.ports["airflow"])
        _replay(started, api, product, conf)
        follow_training(api, product)


def _replay(cloud: Cloud, api: AirflowApi, product: Product, conf: dict[str, Any]) -> None:
    api.wait_for_dag(product.name)
    run_id = api.trigger(product.name, {"replay": conf})
    follow(api, product.name, run_id)
    metrics = run_metrics(cloud, api, product.name, run_id)
    if metrics is None:
        say("Nothing to replay: no such rejected row is unresolved.")
        return
    rows = metrics["rows"]
    passed, failed = rows["valid"] + rows["duplicate"], rows["rejected"]
    if conf["dry_run"]:
        say(f"Dry run: of {rows['read']:,} rejected rows {passed:,} would now pass, {failed:,} would not.")
    else:
        resolved = _resolved(cloud, product, metrics["run"])
        say(f"Of {rows['read']:,} rejected rows {resolved:,} are resolved, {failed:,} still fail.")
    print_rules(Console(), metrics["rules"])


def _resolved(cloud: Cloud, product: Product, run: str) -> int:
    table = f"{cloud.environment.datasets['quarantine']}.{product.name}"
    return cloud.query(f"SELECT COUNT(*) AS n FROM `{table}` WHERE resolved_by = {literal(run)}")[0]["n"]


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make replay", description=__doc__)
    parser.add_argument("product")
    parser.add_argument("--where", default="", help="GoogleSQL over quarantine's columns")
    parser.add_argument("--dry-run", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
