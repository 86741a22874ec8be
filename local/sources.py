"""What single products need of the local cloud, sources and Google's emulators, and how Airflow finds it."""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Mapping

from local import mariadb
from local.emulators import NoEmulatorError, emulator_jar, firestore_emulator, pubsub_emulator
from local.paths import DATABASE, ROOT
from local.services import Service, accepts_connections
from medallion.errors import MedallionError
from medallion.products import Product
from medallion.sources import FileSource

WEATHER, BIKES = "open_meteo", "bike_database"
CONNECTIONS = (WEATHER, BIKES)
FIRESTORE, PUBSUB = "firestore", "pubsub"
HOSTS = {FIRESTORE: "FIRESTORE_EMULATOR_HOST", PUBSUB: "PUBSUB_EMULATOR_HOST"}
# What Python can't install: without them the cloud starts all the same.
OPTIONAL = (BIKES, FIRESTORE, PUBSUB)


def sources_of(products: Iterable[Product]) -> list[str]:
    """What products need: their connections to sources that the local cloud has, and Firestore."""
    names = set()
    for product in products:
        if not isinstance(product.source, FileSource):
            names |= {product.source.connection} & set(CONNECTIONS)
        if product.documents:
            names.add(FIRESTORE)
    return sorted(names)


def without_missing(
    names: Collection[str], tell: Callable[[str], None], optional: Collection[str] = OPTIONAL
) -> list[str]:
    """The names but for those of the optional ones that are not installed, each of which is told.

    Raises NoDatabaseError or NoEmulatorError where another one is not installed.
    """
    missing = [name for name in names if name in OPTIONAL and not _installed(name)]
    for name in missing:
        if name not in optional:
            raise _missing(name)
        tell(_told(name))
    return [name for name in names if name not in missing]


def source_services(names: Iterable[str], ports: Mapping[str, int]) -> list[Service]:
    """The servers; raises NoDatabaseError or NoEmulatorError where one is not installed."""
    return [SERVICES[name](ports[name]) for name in names]


def connections(names: Iterable[str], ports: Mapping[str, int]) -> dict[str, str]:
    """Airflow's connections to sources and the emulators' addresses, as environment variables."""
    found = {host: address_of(name, ports) for name, host in HOSTS.items()}
    for name in set(names) & set(CONNECTIONS):
        found[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(_connection(name, ports[name]))
    return found


def address_of(name: str, ports: Mapping[str, int]) -> str:
    """Host and port of an emulator; empty where it was not started."""
    return f"127.0.0.1:{ports[name]}" if name in ports else ""


def _installed(name: str) -> bool:
    return mariadb.installed() if name == BIKES else emulator_jar(name) is not None


def _missing(name: str) -> MedallionError:
    return mariadb.NoDatabaseError() if name == BIKES else NoEmulatorError(name)


def _told(name: str) -> str:
    if name == BIKES:
        return str(_missing(name))
    without = {
        FIRESTORE: "that part is left out",
        PUBSUB: "no file announces itself; make land starts the run",
    }
    return f"{_missing(name)} Until then {without[name]}."


def _connection(name: str, port: int) -> dict[str, str | int]:
    if name == WEATHER:
        return {"conn_type": "http", "host": "http://127.0.0.1", "port": port}
    login = {"login": mariadb.USER, "password": mariadb.PASSWORD, "schema": mariadb.DATABASE}
    return {"conn_type": "mysql", "host": "127.0.0.1", "port": port, **login}


def _weather(port: int) -> Service:
    command = [sys.executable, "-m", "local.open_meteo", "--port", str(port)]
    return Service(WEATHER, command, {"PYTHONPATH": str(ROOT)}, accepts_connections(port))


SERVICES = {
    WEATHER: _weather,
    BIKES: lambda port: mariadb.database(DATABASE, port),
    FIRESTORE: firestore_emulator,
    PUBSUB: pubsub_emulator,
}
