"""The operations database of the local cloud: MariaDB on loopback, with the stations that it begins with."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from local.paths import ROOT
from local.services import Service, accepts_connections
from medallion.errors import MedallionError

INSTALL = "apt-get install mariadb-server"
# No user has Debian's servers on the path.
PLACES = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
DATABASE, USER, PASSWORD = "bikes", "local", "only-on-loopback"  # pragma: allowlist secret
DISTRICTS = ("harbor", "market", "north", "old town", "university")
STREETS = ("Canal", "Castle", "Garden", "King", "Mill", "Park", "River", "School", "Station", "Tower")
STATIONS = 40


class NoDatabaseError(MedallionError):
    """MariaDB is not installed."""

    def __init__(self) -> None:
        super().__init__(f"MariaDB is not installed, so sources of type sql have no server. Next: {INSTALL}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    serve(arguments.folder.resolve(), arguments.port)


def installed() -> bool:
    """Whether the machine has MariaDB."""
    return _program("mariadbd") is not None


def database(folder: Path, port: int) -> Service:
    """The server as a service; raises NoDatabaseError where it is not installed."""
    if not installed():
        raise NoDatabaseError
    command = [sys.executable, "-m", "local.mariadb", "--folder", str(folder), "--port", str(port)]
    return Service("mariadb", command, {"PYTHONPATH": str(ROOT)}, accepts_connections(port))


def serve(folder: Path, port: int) -> None:
    """Becomes the server, after it made its files where there are none."""
    server, install = _program("mariadbd"), _program("mariadb-install-db")
    if server is None or install is None:
        raise NoDatabaseError
    data, user = folder / "data", f"--user={_user()}"
    folder.mkdir(parents=True, exist_ok=True)
    if not data.exists():
        _make(install, data, user)
    begin = folder / "begin.sql"
    begin.write_text("".join(f"{statement};\n" for statement in statements()))
    options = [
        *("--no-defaults", f"--datadir={data}", user, f"--port={port}", f"--init-file={begin}"),
        *("--bind-address=127.0.0.1", "--skip-name-resolve", f"--socket=@medallion-{port}"),
        *("--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=2", "--performance-schema=OFF"),
    ]
    os.execv(server, [server, *options])


def _make(install: str, data: Path, user: str) -> None:
    """Makes the server's own files, which are under their name only when whole."""
    partial = data.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:  # its script takes no path with spaces
        made = Path(scratch) / "data"
        command = [install, "--no-defaults", f"--datadir={made}", user, "--skip-test-db"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        shutil.move(made, partial)
    partial.rename(data)


def statements() -> Iterator[str]:
    """What makes the database, its user and its stations; again, it changes nothing."""
    yield f"CREATE DATABASE IF NOT EXISTS {DATABASE}"
    yield f"CREATE USER IF NOT EXISTS {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"
    yield f"GRANT ALL ON {DATABASE}.* TO {USER}@'127.0.0.1'"
    yield (
        f"CREATE TABLE IF NOT EXISTS {DATABASE}.stations (station_id INT PRIMARY KEY, "
        "name VARCHAR(100) NOT NULL, district VARCHAR(50) NOT NULL, docks SMALLINT NOT NULL, "
        "status VARCHAR(10) NOT NULL, updated_at DATETIME(6) NOT NULL, KEY (updated_at))"
    )
    for number in range(1, STATIONS + 1):
        district, street = DISTRICTS[number * 3 % 5], STREETS[number * 7 % 10]
        status = "closed" if number % 13 == 0 else "active"
        changed = f"2025-03-{number % 28 + 1:02} {number * 5 % 24:02}:{number * 11 % 60:02}:00"
        yield (
            f"INSERT IGNORE INTO {DATABASE}.stations VALUES ({number}, '{street} Street {number}', "
            f"'{district}', {10 + number * 7 % 25}, '{status}', '{changed}')"
        )


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name  # the server wants to be told so if that is root


def _program(name: str) -> str | None:
    return shutil.which(name, path=PLACES)


if __name__ == "__main__":
    main()
