"""`make land`: puts files into bronze of the cloud that is up; their arrival, or this, starts a run."""

import argparse
import sys
from pathlib import Path

from local.airflow import AirflowApi
from local.arrivals import wait_for_arrival
from local.cloud import Cloud, running_cloud
from local.following import going_on, run_command
from local.sources import PUBSUB
from medallion.errors import MedallionError
from medallion.products import load_product


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make land", description=__doc__)
    parser.add_argument("product")
    parser.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args(argv)
    return run_command(lambda: land(arguments.product, arguments.files))


def land(name: str, files: list[Path]) -> None:
    """Lands files; raises MedallionError when one is missing, or when no cloud is up."""
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise MedallionError(f"FILES: expected files, got {', '.join(missing)}, which are not there.")
    named = {path.name: path for path in files}
    if len(named) < len(files):
        raise MedallionError("FILES: expected a name for each file, got several of one name.")
    product = load_product(name)
    cloud = running_cloud()
    if cloud is None:
        raise MedallionError("The local cloud is not up. Next: make up.")
    api = AirflowApi(cloud.ports["airflow"])
    api.wait_for_dag(product.name)
    page = f"{cloud.airflow_url}/dags/{product.name}"
    with going_on(f"what has landed stays, and the next run takes it up: {page}"):
        if product.on_arrival and PUBSUB in cloud.ports:
            _arrive(cloud, api, product.name, named)
            return
        landed = cloud.land(product.name, named)
        run = api.trigger(product.name)
    print(f"Landed {landed} new files; run {run}: {cloud.page(product.name, run)}")


def _arrive(cloud: Cloud, api: AirflowApi, product: str, files: dict[str, Path]) -> None:
    """Lands files, which start a run by their arrival, and names that."""
    active, before = api.active(product), api.newest_arrival(product)
    landed = cloud.land(product, files)
    print(f"Landed {landed} new files", flush=True)
    if landed and active:
        print(f"They start a run as soon as this one has ended: {cloud.page(product, active)}")
    elif landed:
        run = wait_for_arrival(api, product, before)
        print(f"Their arrival started run {run}: {cloud.page(product, run)}")


if __name__ == "__main__":
    sys.exit(main())
