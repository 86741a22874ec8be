"""`make deploy ENV=…`: ships this checkout to a Composer environment; a dry run says what that would be."""

import argparse
import logging
import sys

from google.cloud import bigquery, storage
from google.cloud.orchestration.airflow import service_v1

from deploy.commit import require_committed
from deploy.composer import Composer
from deploy.errors import signed_in
from deploy.plan import Plan, describe, make_plan
from deploy.steps import composer_of, deploy
from medallion.documents import ROOT
from medallion.environments import load_environment
from medallion.errors import MedallionError


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("environment", help="the name of a file in conf/environments")
    parser.add_argument("--dry-run", action="store_true", help="print the plan, offline")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        plan = make_plan(load_environment(arguments.environment))
        if arguments.dry_run:
            print("\n".join(describe(plan)))
            return 0
        require_committed(ROOT)
        with signed_in():
            changes = _deploy(plan)
    except MedallionError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(changes) or "Nothing changed.")
    return 0


def _deploy(plan: Plan) -> list[str]:
    environment = plan.environment
    name = composer_of(environment).environment
    warehouse = bigquery.Client(environment.project, location=environment.bigquery_location)
    return deploy(
        plan,
        storage.Client(environment.project),
        Composer(
            service_v1.EnvironmentsClient(),
            f"projects/{environment.project}/locations/{environment.region}/environments/{name}",
        ),
        lambda sql: warehouse.query(sql).result(),
    )


if __name__ == "__main__":
    sys.exit(main())
