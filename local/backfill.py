"""`make backfill`: files that were processed before take the way of the data again, by today's contract."""

import argparse
import sys
from datetime import date
from typing import Any

from local.airflow import AirflowApi
from local.cloud import Cloud
from local.following import run_command, run_on_kept_data, say
from local.query import print_table
from local.summary import read_beside_manifest
from medallion.products import load_product

SHOWN = 40  # business dates; the rest is in changes.json


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    first, last = arguments.first.isoformat(), arguments.last.isoformat()
    conf = {"backfill": {"first": first, "last": last, "apply": arguments.apply}}

    def tell(cloud: Cloud, api: AirflowApi, run_id: str) -> None:
        changes = read_beside_manifest(cloud, api, arguments.product, run_id, "changes.json")
        tell_changes(changes, arguments.apply)

    return run_command(lambda: run_on_kept_data(load_product(arguments.product), lambda _: conf, tell))


def tell_changes(changes: list[dict[str, Any]] | None, applied: bool) -> None:
    """Prints the changes by business date, None where no file has rows of them, and what to do next."""
    if changes is None:
        say("Nothing to do: no file has rows of these business dates.")
        return
    if not changes:
        say("Nothing changes: today's contract makes the same rows of these files.")
        return
    print_table(changes[:SHOWN])
    total = {kind: sum(change[kind] for change in changes) for kind in ("added", "changed", "removed")}
    told = ", ".join(f"{count:,} rows {kind}" for kind, count in total.items())
    dates = f"{len(changes):,} business dates"
    if applied:
        say(f"Published: {told} on {dates}.")
    else:
        say(f"Nothing is published yet: {told} on {dates}. Next: the same command with APPLY=1.")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make backfill", description=__doc__)
    parser.add_argument("product")
    parser.add_argument("first", type=date.fromisoformat, help="business date, yyyy-mm-dd")
    parser.add_argument("last", type=date.fromisoformat, help="business date, yyyy-mm-dd")
    parser.add_argument("--apply", action="store_true", help="publish what changes")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
