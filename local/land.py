"""`make land`: puts files into bronze of the cloud that is up, and starts a run of their product."""

import argparse
import sys
from pathlib import Path

from local.airflow import AirflowApi
from local.cloud import running_cloud
from medallion.config import load_product
from medallion.errors import MedallionError


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make land", description=__doc__)
    parser.add_argument("product")
    parser.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args(argv)
    try:
        land(arguments.product, arguments.files)
    except MedallionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


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
    landed = cloud.land(product.name, named)
    run = AirflowApi(cloud.ports["airflow"]).trigger(product.name)
    print(f"Landed {landed} new files; run {run}: {cloud.airflow_url}/dags/{product.name}/runs/{run}")


if __name__ == "__main__":
    sys.exit(main())
