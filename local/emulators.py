"""Google's own emulators, which come with the Cloud SDK and run on the Java that Spark has."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from local.java import java_home
from local.services import Service, accepts_connections
from medallion.errors import MedallionError

# Below the SDK's platform folder, and Debian's packages.
JARS = {
    "pubsub": "pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar",
    "firestore": "cloud-firestore-emulator/cloud-firestore-emulator.jar",
}
PACKAGES = {"pubsub": "google-cloud-cli-pubsub-emulator", "firestore": "google-cloud-cli-firestore-emulator"}
FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"  # its jar names none
PLACES = ("/usr/lib/google-cloud-sdk", "/usr/share/google-cloud-sdk")


class NoEmulatorError(MedallionError):
    """One of Google's emulators is not installed."""

    def __init__(self, name: str) -> None:
        component = JARS[name].partition("/")[0]
        super().__init__(
            f"Google's {name} emulator is not installed. Next: gcloud components install {component}, or "
            f"apt-get install {PACKAGES[name]}."
        )


def emulator_jar(name: str) -> Path | None:
    """The emulator's jar: in the SDK of CLOUDSDK_ROOT_DIR, in that of the gcloud on the path, or where Debian
    has it; None where it is not installed.
    """
    for sdk in _sdks():
        found = sorted((sdk / "platform").glob(JARS[name]))
        if found:
            return found[-1]
    return None


def pubsub_emulator(port: int) -> Service:
    """Pub/Sub as a service on a loopback port; raises NoEmulatorError where it is not installed."""
    return _emulator("pubsub", ["-jar", _jar("pubsub")], port)


def firestore_emulator(port: int) -> Service:
    """Firestore as a service on a loopback port; raises NoEmulatorError where it is not installed.

    It starts without documents each time.
    """
    return _emulator("firestore", ["-cp", _jar("firestore"), FIRESTORE_MAIN], port)


def _emulator(name: str, program: list[str], port: int) -> Service:
    java = str(java_home() / "bin" / "java")
    command = [java, "-Xmx128m", *program, "--host=127.0.0.1", f"--port={port}"]
    return Service(name, command, {}, accepts_connections(port))


def _jar(name: str) -> str:
    jar = emulator_jar(name)
    if jar is None:
        raise NoEmulatorError(name)
    return str(jar)


def _sdks() -> Iterator[Path]:
    if os.environ.get("CLOUDSDK_ROOT_DIR"):
        yield Path(os.environ["CLOUDSDK_ROOT_DIR"])
    gcloud = shutil.which("gcloud")
    if gcloud:
        yield Path(gcloud).resolve().parent.parent
    yield from (Path(place) for place in PLACES)
