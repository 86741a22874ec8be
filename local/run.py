"""`make run`: lands files, runs a product's DAG and the training it triggers, and says what came of it."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from local.airflow import AirflowApi
from local.cloud import Cloud, local_cloud
from local.following import follow, follow_training, run_command, say
from local.paths import GCS, RUN
from local.sample import PRODUCT, sample_of
from local.sources import FIRESTORE, sources_of, without_missing
from local.summary import print_summary, run_metrics, summarize
from medallion.errors import MedallionError
from medallion.products import Product, load_product
from medallion.sources import FileSource


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)

    def land_and_run() -> None:
        product = load_product(arguments.product)
        run(product, _files(arguments.input, product), arguments.keep)

    return run_command(land_and_run)


def run(product: Product, files: dict[str, Path], keep: bool) -> dict[str, Any]:
    """Runs a product on files through the local cloud; returns the summary."""
    started = time.monotonic()
    say("Starting the local cloud: storage, BigQuery, Dataproc, Airflow")
    sources = without_missing(sources_of([product]), say, optional=(FIRESTORE,))
    with local_cloud(keep, sources=sources) as cloud:
        ready = time.monotonic()
        say(f"Services ready after {ready - started:.0f} s. Landing {len(files)} files")
        landed = cloud.land(product.name, files)
        if landed < len(files):
            say(f"  {len(files) - landed} of them were there already, with the same content")
        api = AirflowApi(cloud.ports["airflow"])
        api.wait_for_dag(product.name)
        run_id = api.trigger(product.name)
        steps = follow(api, product.name, run_id)
        trained = follow_training(api, product)
        summary = summarize(cloud, product, steps, trained, run_metrics(cloud, api, product.name, run_id))
        summary["seconds"] = {
            "services_ready": round(ready - started, 1),
            "ready_to_end": round(time.monotonic() - ready, 1),
        }
        _write(cloud, product, summary)
    print_summary(summary)
    return summary


def _files(given: Path | None, product: Product) -> dict[str, Path]:
    """The files to land, by the names that they get in bronze."""
    if given is None and not isinstance(product.source, FileSource):
        return {}  # what it pulls is enough
    given = given or sample_of(product.name)
    if not given.exists():
        raise MedallionError(f"INPUT: expected a file or a folder, got {given}, which is not there.")
    if given.is_file():
        return {given.name: given}
    files = {str(path.relative_to(given)): path for path in sorted(given.rglob("*")) if path.is_file()}
    if not files:
        raise MedallionError(f"INPUT: expected at least one file, got {given}, which is empty.")
    return files


def _write(cloud: Cloud, product: Product, summary: dict[str, Any]) -> None:
    RUN.mkdir(parents=True, exist_ok=True)
    page = GCS / cloud.environment.buckets["reports"] / product.name / "index.html"
    if page.exists():
        (RUN / "report.html").write_bytes(page.read_bytes())
        summary["report"] = os.path.relpath(RUN / "report.html")
    (RUN / "summary.json").write_text(json.dumps(summary, indent=1, default=str) + "\n")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--product", default=PRODUCT)
    parser.add_argument("--input", type=Path)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
