"""`make replay`: runs a product's rejected rows through its mended contract, on the data that is there."""

import argparse
import sys
from typing import Any

from rich.console import Console

from local.airflow import AirflowApi
from local.cloud import Cloud
from local.following import run_command, run_on_kept_data, say
from local.summary import print_rules, run_metrics
from medallion.products import Product, load_product
from medallion.sql import literal


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    conf: dict[str, Any] = {"dry_run": arguments.dry_run}
    if arguments.where:
        conf["where"] = arguments.where

    def replay() -> None:
        product = load_product(arguments.product)

        def tell(cloud: Cloud, api: AirflowApi, run_id: str) -> None:
            tell_replay(cloud, product, run_metrics(cloud, api, product.name, run_id), arguments.dry_run)

        run_on_kept_data(product, lambda _: {"replay": conf}, tell)

    return run_command(replay)


def tell_replay(cloud: Cloud, product: Product, metrics: dict[str, Any] | None, dry_run: bool) -> None:
    """Says what became of the rows that a replay took up."""
    if metrics is None:
        say("Nothing to replay: no such rejected row is unresolved.")
        return
    rows = metrics["rows"]
    passed, failed = rows["valid"] + rows["duplicate"], rows["rejected"]
    if dry_run:
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
