"""`make up` and `make down`: the local cloud and Airflow's page stay up until told otherwise."""

import argparse
import sys

from local.cloud import PORTS, start, start_over
from local.emulators import NoEmulatorError, emulator_jar
from local.mariadb import NoDatabaseError, installed
from local.paths import LOGS, STATE
from local.services import Services, accepts_connections
from local.sources import BIKES, left_out, sources_of
from medallion.config import load_product, product_names
from medallion.errors import MedallionError

AIRFLOW_PORT = 8080


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    try:
        return up() if parser.parse_args(argv).command == "up" else down()
    except MedallionError as error:
        print(error, file=sys.stderr)
        return 1


def up() -> int:
    """Starts the local cloud with the data that is there, and leaves it."""
    services = start_over(keep=True)
    try:
        free = not accepts_connections(AIRFLOW_PORT)()
        sources = _sources()
        port = AIRFLOW_PORT if free else None
        cloud = start(services, airflow_port=port, sources=sources, arrivals=_announces())
    except BaseException:
        services.stop()
        raise
    cloud.save()
    print(f"Airflow: {cloud.airflow_url}\nNext: make land PRODUCT=… FILES=…, make query SQL=…, make down.")
    return 0


def _sources() -> list[str]:
    """What all products need, but for what is not installed, which is said."""
    products = [load_product(name) for name in product_names()]
    sources = sources_of(products)
    for missing in left_out(products):
        print(f"{missing} Until then that part is left out.")
    if BIKES in sources and not installed():
        print(NoDatabaseError())
        sources.remove(BIKES)
    return sources


def _announces() -> bool:
    """Whether files that land can be announced; where what it takes is not installed, that is said."""
    if emulator_jar("pubsub") is None:
        print(f"{NoEmulatorError('pubsub')} Until then no file announces itself; make land starts the run.")
        return False
    return True


def down() -> int:
    """Stops what `make up`, or a command that was killed, left running."""
    Services(STATE, LOGS).stop()
    PORTS.unlink(missing_ok=True)
    print("The local cloud is down; its data stays under .local/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
