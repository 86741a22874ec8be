"""`make up` and `make down`: the local cloud and Airflow's page stay up until told otherwise."""

import argparse
import sys

from local.cloud import PORTS, start, start_over
from local.following import run_command
from local.paths import LOCK, LOGS, STATE
from local.products import products_that_load
from local.services import Services, accepts_connections, hold
from local.sources import PUBSUB, sources_of, without_missing

AIRFLOW_PORT = 8080


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    return run_command(up if parser.parse_args(argv).command == "up" else down)


def up() -> None:
    """Starts the local cloud with the data that is there, and leaves it."""
    services = start_over(keep=True)
    try:
        free = not accepts_connections(AIRFLOW_PORT)()
        needed = [*sources_of(products_that_load(print)), PUBSUB]
        sources = without_missing(needed, print)
        cloud = start(services, airflow_port=AIRFLOW_PORT if free else None, sources=sources)
    except BaseException:
        services.stop()
        raise
    cloud.save()
    print(f"Airflow: {cloud.airflow_url}\nNext: make land PRODUCT=… FILES=…, make query SQL=…, make down.")


def down() -> None:
    """Stops what `make up`, or a command that was killed, left running.

    Raises ServiceError rather than disturb a command at work.
    """
    hold(LOCK)
    Services(STATE, LOGS).stop()
    PORTS.unlink(missing_ok=True)
    print("The local cloud is down; its data stays under .local/.")


if __name__ == "__main__":
    sys.exit(main())
