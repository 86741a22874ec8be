"""The sources that the local cloud has for products that pull, and Airflow's connections to them."""

import json
import sys
from collections.abc import Iterable, Mapping

from local import mariadb
from local.paths import DATABASE, ROOT
from local.services import Service, accepts_connections
from medallion.config import Product
from medallion.sources import FileSource

WEATHER, BIKES = "open_meteo", "bike_database"
CONNECTIONS = (WEATHER, BIKES)


def sources_of(products: Iterable[Product]) -> list[str]:
    """The connections of products to sources that the local cloud has."""
    sources = (product.source for product in products)
    names = {source.connection for source in sources if not isinstance(source, FileSource)}
    return sorted(names & set(CONNECTIONS))


def source_services(names: Iterable[str], ports: Mapping[str, int]) -> list[Service]:
    """The servers of sources; raises NoDatabaseError where one is not installed."""
    return [SERVICES[name](ports[name]) for name in names]


def connections(names: Iterable[str], ports: Mapping[str, int]) -> dict[str, str]:
    """Airflow's connections to sources, as environment variables."""
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(_connection(name, ports[name])) for name in names}


def _connection(name: str, port: int) -> dict[str, str | int]:
    if name == WEATHER:
        return {"conn_type": "http", "host": "http://127.0.0.1", "port": port}
    login = {"login": mariadb.USER, "password": mariadb.PASSWORD, "schema": mariadb.DATABASE}
    return {"conn_type": "mysql", "host": "127.0.0.1", "port": port, **login}


def _weather(port: int) -> Service:
    command = [sys.executable, "-m", "local.open_meteo", "--port", str(port)]
    return Service(WEATHER, command, {"PYTHONPATH": str(ROOT)}, accepts_connections(port))


SERVICES = {WEATHER: _weather, BIKES: lambda port: mariadb.database(DATABASE, port)}
