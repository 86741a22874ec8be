"""What single products need of the local cloud, sources and Firestore, and how Airflow finds it."""

import json
import sys
from collections.abc import Iterable, Mapping

from local import mariadb
from local.emulators import NoEmulatorError, emulator_jar, firestore_emulator
from local.paths import DATABASE, ROOT
from local.services import Service, accepts_connections
from medallion.config import Product
from medallion.errors import MedallionError
from medallion.sources import FileSource

WEATHER, BIKES = "open_meteo", "bike_database"
CONNECTIONS = (WEATHER, BIKES)
FIRESTORE, FIRESTORE_HOST = "firestore", "FIRESTORE_EMULATOR_HOST"


def sources_of(products: Iterable[Product]) -> list[str]:
    """What products need: their connections to sources that the local cloud has, and Firestore where it is
    installed.
    """
    names = set()
    for product in products:
        if not isinstance(product.source, FileSource):
            names |= {product.source.connection} & set(CONNECTIONS)
        if product.documents and emulator_jar(FIRESTORE):
            names.add(FIRESTORE)
    return sorted(names)


def left_out(products: Iterable[Product]) -> list[MedallionError]:
    """What products need that is not installed, and that their runs go on without."""
    if emulator_jar(FIRESTORE) or not any(product.documents for product in products):
        return []
    return [NoEmulatorError(FIRESTORE)]


def source_services(names: Iterable[str], ports: Mapping[str, int]) -> list[Service]:
    """The servers; raises NoDatabaseError where that of a source is not installed."""
    return [SERVICES[name](ports[name]) for name in names]


def connections(names: Iterable[str], ports: Mapping[str, int]) -> dict[str, str]:
    """Airflow's connections to sources and the address of Firestore, as environment variables."""
    found = {FIRESTORE_HOST: ""}
    for name in names:
        if name == FIRESTORE:
            found[FIRESTORE_HOST] = f"127.0.0.1:{ports[name]}"
        else:
            found[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(_connection(name, ports[name]))
    return found


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
}
